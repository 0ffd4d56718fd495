//! One look at everything: VMmanager's lists, the journal, and what BILLmanager has of a whole handler.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::error::Result;
use crate::id::{AccountId, ServiceId, VmId};
use crate::journal::{Cap, Phase, Record};
use crate::queue;
use crate::service::handler::HandlerJob;
use crate::service::job::identity::Mark;
use crate::service::order::Placement;
use crate::service::platform::catalogue;
use crate::vmm::{Host, Preset};

/// What both sides hold, but for the services themselves, which are read and judged part by part.
pub struct Reading {
    /// Services with an operation under way when the reading began.
    pub busy: BTreeSet<ServiceId>,
    /// Active and suspended services, each with the VM that BILLmanager names.
    pub open: BTreeMap<ServiceId, Option<VmId>>,
    /// The services that name a VM.
    pub claims: HashMap<VmId, Vec<ServiceId>>,
    /// VMs named by a service of any module.
    pub named_anywhere: BTreeSet<VmId>,
    /// Every VM of the platform.
    pub hosts: HashMap<VmId, Host>,
    /// VMs that have a mark of this installation, by the service.
    pub marked: BTreeMap<ServiceId, Vec<VmId>>,
    /// Accounts.
    pub accounts: HashSet<AccountId>,
    /// Their e-mails in lower case.
    pub emails: HashSet<String>,
    /// Accounts of administrators.
    pub staff: HashSet<AccountId>,
    /// OS templates, named as in BILLmanager.
    pub templates: HashMap<u64, String>,
    /// VM configurations.
    pub presets: Vec<Preset>,
    /// Our journal.
    pub records: HashMap<ServiceId, Record>,
    /// VMs that the journal knows as a service's.
    pub journalled: HashSet<VmId>,
    /// Speeds that are capped.
    pub caps: HashMap<ServiceId, Cap>,
    /// The handler's settings.
    pub place: Placement,
}

impl Reading {
    /// Reads. What belongs to an operation under way is asked for first, so that one that ends meanwhile is known.
    pub fn take(job: &HandlerJob, show: &dyn Fn(&str)) -> Result<Self> {
        let place = Placement::read(&job.settings, &BTreeMap::new())?;
        let (busy, open) = (busy(job)?, job.panel.open_services(job.handler.id)?);
        show("reading VMmanager's lists");
        let hosts = job.vmm.hosts()?;
        let accounts = job.vmm.accounts()?;
        let records = job.journal.records()?;
        Ok(Reading {
            busy,
            claims: claims(&open),
            open,
            named_anywhere: job.panel.vms_named_anywhere()?,
            marked: marked(job, &hosts),
            hosts: hosts.into_iter().map(|host| (host.id, host)).collect(),
            staff: accounts.iter().filter(|account| account.is_staff()).map(|account| account.id).collect(),
            accounts: accounts.iter().map(|account| account.id).collect(),
            emails: accounts.into_iter().map(|account| account.email.to_lowercase()).collect(),
            templates: job.vmm.os_list()?.into_iter().map(|os| (os.id, catalogue::os_title(&os))).collect(),
            presets: job.vmm.presets()?,
            journalled: records
                .values()
                .filter(|record| record.phase != Phase::Deleted)
                .filter_map(|record| record.vm)
                .collect(),
            records,
            caps: job.journal.caps()?.into_iter().collect(),
            place,
        })
    }

    /// VMs of the handler's cluster.
    pub fn in_cluster(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().filter(|host| host.cluster.as_ref().is_some_and(|at| at.id == self.place.cluster))
    }
}

/// Services with an operation under way: in BILLmanager's list or in our queue.
pub fn busy(job: &HandlerJob) -> Result<BTreeSet<ServiceId>> {
    let mut found = job.panel.under_operation()?;
    found.extend(queue::list(&job.config.runtime_dir())?.into_iter().filter_map(|entry| entry.label.item));
    Ok(found)
}

fn claims(open: &BTreeMap<ServiceId, Option<VmId>>) -> HashMap<VmId, Vec<ServiceId>> {
    let mut found: HashMap<VmId, Vec<ServiceId>> = HashMap::new();
    for (item, vm) in open {
        if let Some(vm) = vm {
            found.entry(*vm).or_default().push(*item);
        }
    }
    found
}

fn marked(job: &HandlerJob, hosts: &[Host]) -> BTreeMap<ServiceId, Vec<VmId>> {
    let mut found: BTreeMap<ServiceId, Vec<VmId>> = BTreeMap::new();
    for host in hosts {
        let marks = Mark::find_all(&host.comment).into_iter();
        let items: BTreeSet<ServiceId> =
            marks.filter(|mark| mark.installation == job.installation).map(|mark| mark.item).collect();
        for item in items {
            found.entry(item).or_default().push(host.id);
        }
    }
    found
}
