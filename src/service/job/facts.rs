//! The facts about one VM and one service, from what was read of both. Operations gather them one by one, the audit from
//! whole lists; both come to the same [`Facts`].

use super::evidence::{Facts, OwnMark, Owner, Recorded};
use super::mark::{FoundMark, Mark, Marker};
use crate::id::PlatformId;
use crate::journal::{Phase, Record, Tie};
use crate::panel::Service;
use crate::vmm::Host;

/// What is known beside the VM itself.
pub(crate) struct Background<'a> {
    pub service: &'a Service,
    /// Knows our marks.
    pub marker: &'a Marker,
    /// The service's mark.
    pub mark: &'a Mark,
    /// The journal's row of the service.
    pub record: Option<&'a Record>,
    /// The platform that shows the VM.
    pub platform: PlatformId,
    /// To whom the VM's owner is tied.
    pub tie: Option<Tie>,
    /// Another live service names the VM.
    pub is_claimed: bool,
    /// The journal knows the VM as another service's.
    pub is_others: bool,
    /// The row is of an earlier service with this id.
    pub is_earlier: bool,
}

/// BILLmanager gets the id of a VM before the journal calls the VM complete. So a service that is being opened and has none
/// is not the one that the journal knows: a restored database has given its number again.
pub(crate) fn is_of_earlier(service: &Service, record: Option<&Record>) -> bool {
    let is_complete = record.is_some_and(|record| matches!(record.phase, Phase::Ready | Phase::Deleted));
    is_complete && service.status.is_unopened() && service.named_vm() == Ok(None)
}

impl Background<'_> {
    /// What speaks for and against `host` being the service's.
    pub(crate) fn facts(&self, host: &Host) -> Facts {
        let marks = FoundMark::all(&host.comment);
        let is_own = |found: &&FoundMark| self.mark.is_of_service(found);
        let own = marks.iter().find(is_own).map(|_| self.mark.is_in(&host.comment));
        let mark = match own {
            None => OwnMark::None,
            Some(false) => OwnMark::Forged,
            Some(true) if self.is_others => OwnMark::Copied,
            Some(true) => OwnMark::Valid,
        };
        Facts {
            row: self.row(host),
            mark,
            owner: self.owner(host),
            foreign: marks.iter().any(|found| !self.mark.is_of_service(found) && self.is_somebodys(found)),
            claimed: self.is_claimed,
        }
    }

    /// A mark of ours whose tag is wrong is text that anybody can have written; those of others cannot be judged.
    fn is_somebodys(&self, found: &FoundMark) -> bool {
        found.installation != self.marker.installation || self.marker.made(found)
    }

    fn row(&self, host: &Host) -> Recorded {
        let Some(record) = self.record else { return Recorded::None };
        if !record.is_living() {
            let is_its = record.platform == Some(self.platform) && record.is_vm(host.id, &host.create_date);
            return if self.is_earlier && is_its { Recorded::Earlier } else { Recorded::None };
        }
        if record.client.is_known() && record.client != self.service.client.id {
            return Recorded::OtherClient;
        }
        match record.vm {
            _ if record.platform.is_some_and(|own| own != self.platform) => Recorded::Elsewhere,
            None => Recorded::Asked,
            Some(_) if !record.is_vm(host.id, &host.create_date) => Recorded::OtherVm,
            Some(_) if self.is_earlier => Recorded::Earlier,
            Some(_) => Recorded::Here,
        }
    }

    fn owner(&self, host: &Host) -> Owner {
        let Some(owner) = &host.account else { return Owner::Other };
        let client = self.service.client.id;
        let recorded = self.record.filter(|record| record.is_living());
        let recorded = recorded.filter(|record| record.client == client || !record.client.is_known());
        match self.tie {
            Some(tie) if tie.client == client && tie.item.is_none_or(|item| item == self.service.id) => Owner::Recorded,
            Some(_) => Owner::Other,
            None if recorded.and_then(|record| record.account) == Some(owner.id) => Owner::Recorded,
            None => {
                let is = |email: &str| !email.is_empty() && owner.email.eq_ignore_ascii_case(email);
                let is_clients = is(&self.service.client.email) || self.service.param("username").is_some_and(is);
                if is_clients { Owner::Email } else { Owner::Other }
            }
        }
    }
}
