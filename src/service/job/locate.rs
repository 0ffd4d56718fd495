//! The way from a service to its VM: which VMs may be it, and that there is none.
//!
//! The VM that BILLmanager names is looked at first, then the journal's, then the mark is searched for. That a VM is gone
//! is believed only on the service's own platform, after our role was seen in this run, from a list read to its end.

use super::assignment::Job;
use super::mark::FoundMark;
use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::journal::{Phase, Record};
use crate::service::platform::interfaces;
use crate::vmm::{Glimpse, Host};

impl Job<'_> {
    /// The journal's row of the service while its VM may exist.
    pub fn living_record(&self) -> Result<Option<Record>> {
        Ok(self.journal.find(self.service.id)?.filter(Record::is_living))
    }

    /// The VM that BILLmanager or our journal names.
    pub fn recorded_vm(&self) -> Result<Option<VmId>> {
        match self.named_vm()? {
            Some(vm) => Ok(Some(vm)),
            None => self.journalled_vm(),
        }
    }

    fn journalled_vm(&self) -> Result<Option<VmId>> {
        Ok(self.living_record()?.and_then(|record| record.vm))
    }

    /// The VM that BILLmanager names.
    fn named_vm(&self) -> Result<Option<VmId>> {
        self.service.named_vm().map_err(|value| {
            let text = format!("the VM id (panelid) of service {} is \"{value}\", not a number", self.service.id);
            Error::new(Kind::BadParam, "panelid", text)
        })
    }

    /// A VM with the addresses that are sold.
    pub fn host(&self, id: VmId) -> Result<Option<Host>> {
        self.vmm.host(id)?.map(|host| interfaces::main_only(&self.vmm, || self.place(), host)).transpose()
    }

    /// The service's VM, proved to be its own. Nothing when VMmanager itself says that there is none; `vm6_foreign` when
    /// what was found is not the service's, `vm6_platform` when the service lives elsewhere.
    pub fn locate(&self) -> Result<Option<Host>> {
        let (named, journalled) = (self.named_vm()?, self.journalled_vm()?);
        for id in named.into_iter().chain(journalled.filter(|id| Some(*id) != named)) {
            if let Some(host) = self.host(id)? {
                self.prove(&host)?;
                return Ok(Some(host));
            }
        }
        self.locate_by_mark()
    }

    /// The same before a VM is asked for: for a new order nothing but the name is asked, however many VMs there are. Staff may
    /// have brought back the whole machine as it was: then a VM of that name is looked at, with all others.
    pub fn locate_first(&self) -> Result<Option<Host>> {
        let is_new = self.service.status.is_unopened() && self.named_vm()?.is_none();
        if is_new
            && self.journal.was_never_asked(self.service.id, || self.panel.newest_order())?
            && self.vmm.lacks_vm_named(&self.vm_name())?
        {
            // An administrator without his role sees no VMs, and the address may lead elsewhere.
            return self.platform().map(|_| None);
        }
        self.locate()
    }

    /// The name with which a VM is asked for.
    pub fn vm_name(&self) -> String {
        format!("vps{}", self.service.id)
    }

    /// The one VM that has our mark.
    pub fn locate_by_mark(&self) -> Result<Option<Host>> {
        let hosts = self.vmm.glimpses()?;
        self.confirm_absence(&hosts)?;
        let mut found = self.marked(&hosts)?;
        if found.len() > 1 {
            return Err(self.several(&found));
        }
        let Some(found) = found.pop() else { return self.refuse_look_alike(&hosts).map(|()| None) };
        let host = self.host(found.id)?.ok_or_else(|| self.hidden(found))?;
        self.prove(&host)?;
        Ok(Some(host))
    }

    /// VMs with our mark that the journal does not know as another service's: an owner can copy the mark.
    fn marked<'a>(&self, hosts: &'a [Glimpse]) -> Result<Vec<&'a Glimpse>> {
        let mut found = Vec::new();
        for host in hosts.iter().filter(|host| self.mark.is_in(&host.comment)) {
            if self.journal.others_with_vm(self.platform()?, host.id, self.service.id)?.is_empty() {
                found.push(host);
            }
        }
        Ok(found)
    }

    /// VMs with our mark, whatever else speaks for or against them.
    pub fn locate_marked(&self) -> Result<Vec<Host>> {
        let marked = self.vmm.glimpses()?.into_iter().filter(|host| self.mark.is_in(&host.comment));
        let found: Result<Vec<Option<Host>>> = marked.map(|host| self.vmm.host(host.id)).collect();
        Ok(found?.into_iter().flatten().collect())
    }

    /// A VM of the client's own account that looks like the service's but has no valid mark may be it: the first release
    /// wrote marks without a tag, and a client may have changed the comment. Asking for another VM would make two.
    fn refuse_look_alike(&self, hosts: &[Glimpse]) -> Result<()> {
        for glimpse in hosts {
            if !self.looks_like(glimpse)? {
                continue;
            }
            let is_free = self.journal.others_with_vm(self.platform()?, glimpse.id, self.service.id)?.is_empty();
            let Some(host) = self.vmm.host(glimpse.id)?.filter(|_| is_free) else { continue };
            if self.is_clients(&host)? && !self.is_claimed(&host)? {
                return Err(self.refusal(&host, "it looks like the service's VM, but its mark is not valid"));
            }
        }
        Ok(())
    }

    /// The name counts only where a VM was asked for and its id never arrived here.
    fn looks_like(&self, host: &Glimpse) -> Result<bool> {
        let is_asked = self.living_record()?.is_some_and(|record| record.phase == Phase::Requested);
        let has_mark = FoundMark::all(&host.comment).iter().any(|found| self.mark.is_of_service(found));
        Ok(has_mark || is_asked && host.name == self.vm_name())
    }

    /// It is in the list and not where its id leads: neither there nor gone.
    fn hidden(&self, found: &Glimpse) -> Error {
        let text = format!(
            "VMmanager lists VM {} ({}) with the mark of service {}, but does not show it; the next try looks again",
            found.id, found.name, self.service.id
        );
        Error::new(Kind::Vm6Busy, format!("VM {}", found.id), text)
    }

    fn several(&self, found: &[&Glimpse]) -> Error {
        let names: Vec<String> = found.iter().map(|host| format!("{} ({})", host.id, host.name)).collect();
        let text =
            format!("several VMs have the mark \"{}\" of service {}: {}", self.mark, self.service.id, names.join(", "));
        let error = Error::new(Kind::Vm6Foreign, self.mark.to_string(), text);
        error.cure("nothing was changed, remove the mark from the wrong ones")
    }

    /// The service's VM where the operation makes no sense without one. One that VMmanager has accepted may not be listed yet.
    pub fn vm(&self) -> Result<Host> {
        let found = match self.locate()? {
            None if self.living_record()?.is_some_and(|record| record.phase == Phase::Accepted) => self.appear()?,
            found => found,
        };
        found.ok_or_else(|| {
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
}
