//! BILLmanager's picture of a service brought in line with VMmanager; nothing is changed there, with one exception: a
//! suspended service whose VM the client has started is stopped again.

use crate::error::Result;
use crate::log;
use crate::panel::ServiceStatus;
use crate::recorder::{self, Metric};
use crate::service::job::Job;
use crate::service::vm::{addresses, power};
use crate::vmm::{Host, HostState};

/// Reads the VM back: id, name, addresses, state. The suspension is held first: nothing that BILLmanager refuses may
/// keep a VM running that is not paid for.
pub(crate) fn run(job: &Job) -> Result<()> {
    let host = job.vm()?;
    let item = job.service.id;
    hold_suspension(job, &host)?;
    job.panel.save_changed(item, &job.service.params, &shown(job, &host))?;
    addresses::fill_slots(job, &host)?;
    log::info!(
        "service {item}: VM {} is {}, {} cores, {} MiB, disk {} MiB",
        host.id,
        host.state,
        host.cpu_number.unwrap_or_default(),
        host.ram_mib.unwrap_or_default(),
        host.disk.as_ref().and_then(|disk| disk.size_mib).unwrap_or_default()
    );
    Ok(())
}

/// What BILLmanager and the client's letter show of a VM that is proved to be the service's, as parameters of the service.
pub(crate) fn shown(job: &Job, host: &Host) -> Vec<(&'static str, String)> {
    let ip = addresses::main_address(job.service.param("ip"), host).map(|ip| ("ip", ip.to_owned()));
    let owner = host.account.as_ref().filter(|owner| !owner.email.is_empty());
    let username = owner.map(|owner| ("username", owner.email.clone()));
    let own = [("panelid", host.id.to_string()), ("serverid", host.name.clone()), ("vmmanager_url", job.vmm.base())];
    own.into_iter().chain(ip).chain(username).collect()
}

fn hold_suspension(job: &Job, host: &Host) -> Result<()> {
    let item = job.service.id;
    job.journal_ready(host)?;
    if job.service.status != ServiceStatus::Suspended || host.state != HostState::Running {
        return Ok(());
    }
    recorder::count(Metric::StoppedAgain, &[]);
    let times = job.journal.stopped_again(item)?;
    log::warn!("service {item} is suspended, but VM {} was running: it is stopped again (number {times})", host.id);
    power::stop(job, host)
}
