//! The way from a service to its VM, proved to be its own, and the mark that is written into it.

use super::assignment::Job;
use super::identity::{Mark, Proof, Verdict};
use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::journal::Record;
use crate::log;
use crate::service::platform::interfaces;
use crate::vmm::{Failure, Host};

impl Job<'_> {
    /// The VM that BILLmanager or our journal names.
    pub fn recorded_vm(&self) -> Result<Option<VmId>> {
        let named = self.service.named_vm().map_err(|text| {
            let text = format!("the VM id (panelid) of service {} is \"{text}\", not a number", self.service.id);
            Error::new(Kind::BadParam, "panelid", text)
        });
        match named? {
            Some(id) => Ok(Some(id)),
            None => Ok(self.journal.find(self.service.id)?.and_then(|record| record.vm)),
        }
    }

    /// A VM with the addresses that are sold.
    pub fn host(&self, id: VmId) -> Result<Option<Host>> {
        self.vmm.host(id)?.map(|host| interfaces::main_only(&self.vmm, || self.place(), host)).transpose()
    }

    /// The service's VM, proved to be its own: by its recorded id, else by its mark. Nothing when VMmanager itself says
    /// that neither exists; `vm6_foreign` when what was found is not, or not only, ours.
    pub fn locate(&self) -> Result<Option<Host>> {
        if let Some(id) = self.recorded_vm()?
            && let Some(host) = self.host(id)?
        {
            prove(self, &host)?;
            return Ok(Some(host));
        }
        self.locate_by_mark()
    }

    /// The one VM that has our mark.
    pub fn locate_by_mark(&self) -> Result<Option<Host>> {
        let mut found = self.locate_marked()?;
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(|host| format!("{} ({})", host.id, host.name)).collect();
            let text = format!(
                "several VMs have the mark \"{}\" of service {}: {}",
                self.mark,
                self.service.id,
                names.join(", ")
            );
            let error = Error::new(Kind::Vm6Foreign, self.mark.to_string(), text);
            return Err(error.cure("nothing was changed, remove the mark from the wrong ones"));
        }
        let Some(host) = found.pop() else { return Ok(None) };
        prove(self, &host)?;
        interfaces::main_only(&self.vmm, || self.place(), host).map(Some)
    }

    /// Every VM that has our mark, also when another account owns it.
    pub fn locate_marked(&self) -> Result<Vec<Host>> {
        let ours = |host: &Host| Mark::find_all(&host.comment).contains(&self.mark);
        Ok(self.vmm.hosts()?.into_iter().filter(ours).collect())
    }

    /// The service's VM where the operation makes no sense without one.
    pub fn vm(&self) -> Result<Host> {
        self.locate()?.ok_or_else(|| {
            let text = format!(
                "VMmanager has no VM of service {} (recorded id {}, mark \"{}\")",
                self.service.id,
                self.service.param("panelid").unwrap_or("none"),
                self.mark
            );
            Error::new(Kind::Vm6NotFound, format!("service {}", self.service.id), text)
                .cure("if it was deleted there, close the service, or run reopen to create it again")
        })
    }

    /// Records that the VM is complete, whatever the journal knew of it.
    pub fn journal_ready(&self, host: &Host) -> Result<()> {
        let (item, account) = (self.service.id, host.account.as_ref().map(|account| account.id));
        let mark = self.mark.to_string();
        self.journal.complete(item, self.service.client.id, &mark, account, host.id, &host.create_date)
    }
}

/// Refuses unless `host` is proved to be the service's; restores a missing mark, unless somebody only asks.
pub fn prove(job: &Job, host: &Host) -> Result<()> {
    let record = job.journal.find(job.service.id)?;
    match Proof::of(&job.service, &job.mark, record.as_ref(), host).verdict() {
        Verdict::Marked => Ok(()),
        Verdict::Journalled if job.asks_only => Ok(()),
        Verdict::Journalled => {
            log::warn!("service {}: VM {} has lost its mark in the comment; it is put back", job.service.id, host.id);
            write_mark(job, host)
        }
        Verdict::OtherMark | Verdict::Unknown | Verdict::OtherOwner => Err(refusal(job, host, record.as_ref())),
    }
}

/// Adds the service's mark to the VM's comment; what the client wrote there stays.
pub fn write_mark(job: &Job, host: &Host) -> Result<()> {
    let comment = match host.comment.trim() {
        "" => job.mark.to_string(),
        text => format!("{text} {}", job.mark),
    };
    match job.vmm.set_comment(host.id, &comment) {
        // The mark is a help for later; an unknown outcome is looked at by the next proof.
        Ok(()) | Err(Failure::Unknown(_)) => Ok(()),
        Err(Failure::Refused(error)) => Err(error),
    }
}

fn refusal(job: &Job, host: &Host, record: Option<&Record>) -> Error {
    let owner =
        host.account.as_ref().map_or_else(|| "nobody".to_owned(), |a| format!("{} (account {})", a.email, a.id));
    let journal = match record {
        Some(Record { vm: Some(id), vm_created, .. }) => format!("VM {id} created {vm_created}"),
        _ => "nothing".to_owned(),
    };
    let text = format!(
        "VM {} is not proved to be service {}: expected owner {} and mark \"{}\"; found name \"{}\", owner {owner}, comment \
         \"{}\", created {}; our journal holds {journal}; nothing was changed",
        host.id, job.service.id, job.service.client.email, job.mark, host.name, host.comment, host.create_date
    );
    Error::new(Kind::Vm6Foreign, format!("VM {}", host.id), text)
        .cure(format!("if it is the right VM, run: pmvmmanager6 link --item {}", job.service.id))
}
