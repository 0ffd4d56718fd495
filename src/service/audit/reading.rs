//! One look at everything: VMmanager's lists, the journal, and what BILLmanager has of a whole handler.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use super::backups::Backups;
use crate::error::Result;
use crate::id::{AccountId, PlatformId, ServiceId, VmId};
use crate::journal::{Cap, Record, Tie};
use crate::panel::ServiceStatus;
use crate::queue;
use crate::service::handler::HandlerJob;
use crate::service::job::claims::means_vm;
use crate::service::job::mark::FoundMark;
use crate::service::order::Placement;
use crate::service::platform::catalogue;
use crate::service::vm::unsupported::Tunable;
use crate::vmm::{Glimpse, Host, Preset};

/// What both sides hold, but for the services themselves, which are read and judged part by part.
pub(super) struct Reading {
    /// Services with an operation under way when the reading began.
    pub busy: BTreeSet<ServiceId>,
    /// Active and suspended services, each with the VM that BILLmanager names.
    pub open: BTreeMap<ServiceId, Option<VmId>>,
    /// The platform that was read.
    pub platform: PlatformId,
    /// The live services of any module that name a VM of this platform.
    pub claims: HashMap<VmId, Vec<ServiceId>>,
    /// To whom accounts of this platform are tied.
    pub ties: HashMap<AccountId, Tie>,
    /// Every VM of the platform.
    pub hosts: HashMap<VmId, Host>,
    /// VMs with a mark of this installation and its right tag, by the service.
    pub marked: BTreeMap<ServiceId, Vec<VmId>>,
    pub accounts: HashSet<AccountId>,
    /// Their e-mails in lower case.
    pub emails: HashSet<String>,
    /// Accounts of administrators.
    pub staff: HashSet<AccountId>,
    /// OS templates, named as in BILLmanager.
    pub templates: HashMap<u64, String>,
    pub presets: Vec<Preset>,
    pub records: HashMap<ServiceId, Record>,
    /// VMs of this platform that the journal knows as services'.
    pub journalled: HashMap<VmId, Vec<ServiceId>>,
    /// Services that BILLmanager has closed, among those of the journal.
    pub closed: HashSet<ServiceId>,
    /// Speeds that are capped.
    pub caps: HashMap<ServiceId, Cap>,
    /// Backup schedules.
    pub backups: Backups,
    /// What becomes of limits and modes there.
    pub tunable: Tunable,
    /// The handler's settings.
    pub place: Placement,
}

impl Reading {
    /// Reads. What belongs to an operation under way is asked for first, so that one that ends meanwhile is known.
    pub(super) fn take(job: &HandlerJob, show: &dyn Fn(&str)) -> Result<Self> {
        let place = Placement::read(&job.settings, &BTreeMap::new())?;
        let (busy, open) = (busy(job)?, job.panel.open_services(job.handler.id)?);
        show("reading VMmanager's lists");
        let hosts = job.vmm.hosts()?;
        let platform = job.platform(Some(&hosts.iter().map(Glimpse::from).collect::<Vec<_>>()))?;
        let accounts = job.vmm.accounts()?;
        let records = job.journal.records()?;
        Ok(Reading {
            busy,
            open,
            platform,
            claims: claims(job, platform, &hosts)?,
            ties: ties(job, platform)?,
            marked: marked(job, &hosts),
            hosts: hosts.into_iter().map(|host| (host.id, host)).collect(),
            staff: accounts.iter().filter(|account| account.is_staff()).map(|account| account.id).collect(),
            accounts: accounts.iter().map(|account| account.id).collect(),
            emails: accounts.into_iter().map(|account| account.email.to_lowercase()).collect(),
            templates: job.vmm.os_list()?.into_iter().map(|os| (os.id, catalogue::os_title(&os))).collect(),
            presets: job.vmm.presets()?,
            journalled: journalled(&records, platform),
            closed: closed(job, &records)?,
            records,
            backups: Backups::read(job, platform)?,
            caps: job.journal.caps()?.into_iter().collect(),
            tunable: Tunable::on(&job.journal, platform)?,
            place,
        })
    }

    /// VMs of the handler's cluster.
    pub(super) fn in_cluster(&self) -> impl Iterator<Item = &Host> {
        self.hosts.values().filter(|host| host.cluster.as_ref().is_some_and(|at| at.id == self.place.cluster))
    }
}

/// Services with an operation under way: in BILLmanager's list or in our queue.
pub(super) fn busy(job: &HandlerJob) -> Result<BTreeSet<ServiceId>> {
    let mut found = job.panel.under_operation()?;
    found.extend(queue::list(&job.config.runtime_dir())?.into_iter().filter_map(|entry| entry.label.item));
    Ok(found)
}

fn claims(job: &HandlerJob, platform: PlatformId, hosts: &[Host]) -> Result<HashMap<VmId, Vec<ServiceId>>> {
    let hosts: HashMap<VmId, &Host> = hosts.iter().map(|host| (host.id, host)).collect();
    let mut found: HashMap<VmId, Vec<ServiceId>> = HashMap::new();
    for naming in job.panel.all_naming()? {
        if let Some(host) = hosts.get(&naming.vm)
            && means_vm(&job.journal, Some(platform), &job.vmm.base(), &naming, host)?
        {
            found.entry(naming.vm).or_default().push(naming.item);
        }
    }
    Ok(found)
}

fn ties(job: &HandlerJob, platform: PlatformId) -> Result<HashMap<AccountId, Tie>> {
    let ties = job.journal.ties()?.into_iter().filter(|tie| tie.platform == platform);
    Ok(ties.map(|tie| (tie.account, tie)).collect())
}

fn closed(job: &HandlerJob, records: &HashMap<ServiceId, Record>) -> Result<HashSet<ServiceId>> {
    let living = records.iter().filter(|(_, record)| record.is_living()).map(|(item, _)| *item);
    let statuses = job.panel.statuses(&living.collect::<Vec<_>>())?;
    Ok(statuses.into_iter().filter(|(_, status)| *status == ServiceStatus::Deleted).map(|(item, _)| item).collect())
}

fn journalled(records: &HashMap<ServiceId, Record>, platform: PlatformId) -> HashMap<VmId, Vec<ServiceId>> {
    let mut found: HashMap<VmId, Vec<ServiceId>> = HashMap::new();
    for (item, record) in records {
        let is_here = record.platform.is_none_or(|own| own == platform) && record.is_living();
        if let Some(vm) = record.vm.filter(|_| is_here) {
            found.entry(vm).or_default().push(*item);
        }
    }
    found
}

fn marked(job: &HandlerJob, hosts: &[Host]) -> BTreeMap<ServiceId, Vec<VmId>> {
    let mut found: BTreeMap<ServiceId, Vec<VmId>> = BTreeMap::new();
    for host in hosts {
        let marks = FoundMark::all(&host.comment).into_iter();
        let items: BTreeSet<ServiceId> = marks.filter(|mark| job.marker.made(mark)).map(|mark| mark.item).collect();
        for item in items {
            found.entry(item).or_default().push(host.id);
        }
    }
    found
}
