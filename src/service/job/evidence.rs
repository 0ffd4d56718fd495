//! Whose VM is it? The facts about one VM and one service, and what they allow: a pure function, the only one.
//!
//! Strongest first, and what a client can write never beats what we recorded:
//!
//! 1. our journal: platform, VM id, creation date and client; proves, together with the owner;
//! 2. the owner of the VM, which only VMmanager's staff can change; needed for everything;
//! 3. another live service that names the VM: then it is that service's;
//! 4. our mark with its tag: proves where the journal has no VM for the service. Its owner can copy it between his own VMs, so
//!    it proves nothing where the journal names a VM, or where several VMs have it;
//! 5. marks without a valid tag, and marks of others: text that anybody can write.
//!
//! An e-mail address finds an account and proves nothing: see [`Owner`].

/// What our journal says of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// No row, or one whose VM is known to be gone.
    None,
    /// A VM was asked for on this platform, its id never arrived here.
    Asked,
    /// This very VM on this platform: its id, its creation date and the service's client.
    Here,
    /// Another VM of this platform; also this VM's id with another creation date.
    OtherVm,
    /// A VM on another platform.
    Elsewhere,
    /// The row was made for another client: the service changed hands, or its id was given again.
    OtherClient,
    /// This very VM, of an earlier service with this id: it was given again to the same client.
    Earlier,
}

/// The mark with the service's id in the VM's comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OwnMark {
    /// There is none.
    None,
    /// It has no tag or a wrong one: anybody can have written it.
    Forged,
    /// Its tag is right.
    Valid,
    /// Its tag is right, and other VMs have it too.
    Copied,
}

/// How the account that owns the VM is the client's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// It is not.
    Other,
    /// BILLmanager's record or the e-mail says so, and the account is tied to nobody else.
    Email,
    /// Our journal or staff say so.
    Recorded,
}

impl Refusal {
    /// The reason for people.
    pub fn text(self) -> &'static str {
        match self {
            Refusal::Elsewhere => "the service lives on another VMmanager",
            Refusal::Claimed => "another service names it",
            Refusal::OtherClient => "our journal knows the service as another client's",
            Refusal::Earlier => "our journal knows it as the VM of an earlier service with this number",
            Refusal::OtherVm => "our journal knows another VM as the service's",
            Refusal::Copied => "the mark was copied from another service's VM",
            Refusal::Unproved => "neither our journal nor a valid mark proves it",
            Refusal::Foreign => "it has the mark of another service, and our journal does not know it",
            Refusal::Owner => "it belongs to another account",
            Refusal::OwnerByEmail => "only an e-mail address says that its account is the client's",
        }
    }
}

/// Everything that speaks for or against a VM being a service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    pub row: Recorded,
    /// The service's own mark.
    pub mark: OwnMark,
    pub owner: Owner,
    /// The comment has marks of other services or installations.
    pub foreign: bool,
    /// Another live service names the VM.
    pub claimed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The service lives on another platform.
    Elsewhere,
    /// Another live service names it.
    Claimed,
    /// The journal's row is of another client.
    OtherClient,
    /// The journal's row is of an earlier service with this id.
    Earlier,
    /// The journal knows another VM as the service's.
    OtherVm,
    /// Several VMs have the service's mark, and the journal knows none of them.
    Copied,
    /// Neither the journal nor a valid mark.
    Unproved,
    /// It has marks of others, and the journal does not know it.
    Foreign,
    /// It belongs to another account.
    Owner,
    /// Only an e-mail address says that the account is the client's.
    OwnerByEmail,
}

impl Facts {
    /// Whether the VM may be used as the service's; the gravest reason if it may not.
    ///
    /// There is one answer for adopting, changing, stopping and deleting it: what must not be deleted is not ours to stop
    /// either, and a client who could make one of them fail could keep a VM that he does not pay for.
    pub fn judge(self) -> Result<(), Refusal> {
        match self.row {
            Recorded::Elsewhere => return Err(Refusal::Elsewhere),
            _ if self.claimed => return Err(Refusal::Claimed),
            Recorded::OtherClient => return Err(Refusal::OtherClient),
            Recorded::Earlier => return Err(Refusal::Earlier),
            Recorded::OtherVm => return Err(Refusal::OtherVm),
            Recorded::Here => {}
            Recorded::None | Recorded::Asked => self.judge_mark()?,
        }
        if self.owner == Owner::Other { Err(Refusal::Owner) } else { Ok(()) }
    }

    /// Whether the service's client may be logged in to the account that owns the VM.
    pub fn judge_login(self) -> Result<(), Refusal> {
        self.judge()?;
        if self.owner == Owner::Recorded { Ok(()) } else { Err(Refusal::OwnerByEmail) }
    }

    /// Whether the mark alone proves the VM.
    fn judge_mark(self) -> Result<(), Refusal> {
        match self.mark {
            OwnMark::None | OwnMark::Forged => Err(Refusal::Unproved),
            OwnMark::Copied => Err(Refusal::Copied),
            OwnMark::Valid if self.foreign => Err(Refusal::Foreign),
            OwnMark::Valid => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: [Recorded; 7] = [
        Recorded::None,
        Recorded::Asked,
        Recorded::Here,
        Recorded::OtherVm,
        Recorded::Elsewhere,
        Recorded::OtherClient,
        Recorded::Earlier,
    ];
    const MARKS: [OwnMark; 4] = [OwnMark::None, OwnMark::Forged, OwnMark::Valid, OwnMark::Copied];
    const OWNERS: [Owner; 3] = [Owner::Other, Owner::Email, Owner::Recorded];

    fn every_combination() -> Vec<Facts> {
        let mut all = Vec::new();
        for (row, mark) in ROWS.into_iter().flat_map(|row| MARKS.map(|mark| (row, mark))) {
            for (owner, foreign) in OWNERS.into_iter().flat_map(|owner| [false, true].map(|foreign| (owner, foreign))) {
                all.extend([false, true].map(|claimed| Facts { row, mark, owner, foreign, claimed }));
            }
        }
        all
    }

    fn line(facts: Facts) -> String {
        let verdict =
            |judged: Result<(), Refusal>| judged.map_or_else(|why| format!("no: {why:?}"), |()| "yes".to_owned());
        let Facts { row, mark, owner, foreign, claimed } = facts;
        let (row, mark, owner) = (format!("{row:?}"), format!("{mark:?}"), format!("{owner:?}"));
        let (foreign, claimed) = (if foreign { "others" } else { "-" }, if claimed { "other" } else { "-" });
        let (used, login) = (verdict(facts.judge()), verdict(facts.judge_login()));
        let text = format!("{row:<12} {mark:<7} {owner:<9} {foreign:<7} {claimed:<6} {used:<16} {login}");
        text.trim_end().to_owned()
    }

    /// A change of a verdict shows as changed lines.
    #[test]
    fn the_truth_table() {
        let head = "journal      mark    owner     marks   named  use the VM       log in";
        let table = std::iter::once(head.to_owned()).chain(every_combination().into_iter().map(line));
        let table = table.collect::<Vec<_>>().join("\n") + "\n";
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/evidence.txt");
        if std::env::var_os("UPDATE_GOLDENS").is_some() {
            std::fs::write(file, &table).unwrap();
        }
        assert_eq!(std::fs::read_to_string(file).unwrap(), table, "UPDATE_GOLDENS=1 writes it again");
    }

    #[test]
    fn what_holds_for_every_combination() {
        for facts in every_combination() {
            let yes = facts.judge().is_ok();
            assert!(!yes || !facts.claimed, "a VM that another live service names: {facts:?}");
            assert!(!yes || facts.owner != Owner::Other, "a VM of somebody else: {facts:?}");
            assert!(
                !yes || facts.row == Recorded::Here || facts.mark == OwnMark::Valid,
                "a VM without proof: {facts:?}"
            );
            assert!(yes || facts.judge_login().is_err(), "a login to what is not the client's: {facts:?}");
            let what_clients_write = |mark, foreign| Facts { mark, foreign, ..facts };
            if facts.row == Recorded::Here {
                for (mark, foreign) in MARKS.into_iter().flat_map(|mark| [(mark, false), (mark, true)]) {
                    assert_eq!(
                        what_clients_write(mark, foreign).judge(),
                        facts.judge(),
                        "text beats the journal: {facts:?}"
                    );
                }
            }
            if !matches!(facts.mark, OwnMark::Valid) && !yes {
                for mark in [OwnMark::None, OwnMark::Forged] {
                    assert!(
                        what_clients_write(mark, facts.foreign).judge().is_err(),
                        "forging a mark helps: {facts:?}"
                    );
                }
            }
        }
    }
}
