//! Proof that a VM is this service's, demanded before anything that changes it.
//!
//! Three facts must agree: the id that BILLmanager keeps, the owner, and a mark in the VM's comment or our journal.
//! A mark of another service or installation refuses always. A client may edit the comment of his VM: a missing mark
//! with an agreeing journal is put back. Deciding by the id alone has destroyed other people's servers.

use std::fmt;

use crate::id::ServiceId;
use crate::journal::Record;
use crate::panel::Service;
use crate::vmm::Host;

const PREFIX: &str = "billmgr:";

/// `billmgr:<installation>:<item>` in a VM's comment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// 12 hex digits that name the installation of BILLmanager.
    pub installation: String,
    /// Service id.
    pub item: ServiceId,
}

impl Mark {
    /// Every mark in a comment.
    pub fn find_all(comment: &str) -> Vec<Mark> {
        let read = |rest: &str| {
            let (installation, rest) = rest.split_once(':')?;
            let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
            let is_name = installation.len() == 12 && installation.bytes().all(|b| b.is_ascii_hexdigit());
            Some(Mark { installation: installation.to_owned(), item: rest[..digits].parse::<u64>().ok()?.into() })
                .filter(|_| is_name)
        };
        comment.match_indices(PREFIX).filter_map(|(at, _)| read(&comment[at + PREFIX.len()..])).collect()
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}", self.installation, self.item)
    }
}

/// What speaks for and against a VM being a service's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "four facts, each for itself")]
pub struct Proof {
    /// The comment has the mark of another service or installation.
    pub foreign: bool,
    /// The comment has the service's own mark.
    pub marked: bool,
    /// The journal holds this very VM.
    pub journalled: bool,
    /// The owner is the client, or the account that the journal or the service remembers.
    pub owned: bool,
}

/// What the facts come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Proved by its mark.
    Marked,
    /// Proved by our journal; the mark was lost.
    Journalled,
    /// It has the mark of another service or installation.
    OtherMark,
    /// Neither a mark nor the journal.
    Unknown,
    /// Mark or journal say yes, but it belongs to another account.
    OtherOwner,
}

impl Proof {
    /// Weighs a VM against a service whose mark is `mark`; `record` is our journal's row of it.
    pub fn of(service: &Service, mark: &Mark, record: Option<&Record>, host: &Host) -> Self {
        let marks = Mark::find_all(&host.comment);
        Proof {
            foreign: marks.iter().any(|found| found != mark),
            marked: marks.contains(mark),
            journalled: record.is_some_and(|record| is_recorded(record, host)),
            owned: owned(service, host, record),
        }
    }

    /// What follows.
    pub fn verdict(self) -> Verdict {
        match self {
            Proof { foreign: true, .. } => Verdict::OtherMark,
            Proof { marked: false, journalled: false, .. } => Verdict::Unknown,
            Proof { owned: false, .. } => Verdict::OtherOwner,
            Proof { marked: true, .. } => Verdict::Marked,
            Proof { .. } => Verdict::Journalled,
        }
    }

    /// The VM is the service's.
    pub fn holds(self) -> bool {
        matches!(self.verdict(), Verdict::Marked | Verdict::Journalled)
    }
}

/// Same id and same time of creation: an id that VMmanager gave to another VM later does not pass.
pub fn is_recorded(record: &Record, host: &Host) -> bool {
    record.vm == Some(host.id) && (record.vm_created.is_empty() || record.vm_created == host.create_date)
}

/// The owner is the client by e-mail, or the account that the journal or the service remembers.
pub fn owned(service: &Service, host: &Host, record: Option<&Record>) -> bool {
    let Some(owner) = &host.account else { return false };
    let is = |email: &str| !email.is_empty() && owner.email.eq_ignore_ascii_case(email);
    is(&service.client.email)
        || service.param("username").is_some_and(is)
        || record.and_then(|record| record.account) == Some(owner.id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_found_anywhere_in_a_comment() {
        let mark = Mark { installation: "0123456789ab".to_owned(), item: 47.into() };
        assert_eq!(Mark::find_all("billmgr:0123456789ab:47"), vec![mark.clone()]);
        assert_eq!(Mark::find_all("my shop, billmgr:0123456789ab:47;"), vec![mark.clone()]);
        assert_eq!(Mark::find_all(&format!("{mark} billmgr:ffffffffffff:1")).len(), 2);
        for none in ["", "billmgr:47", "billmgr:0123456789ab:", "billmgr:xyz456789abc:4", "billmgr:"] {
            assert!(Mark::find_all(none).is_empty(), "{none}");
        }
    }
}
