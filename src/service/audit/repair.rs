//! Repairs of the safe kinds. The service is proved again by then, under its ticket, and only what still differs is
//! done.

use super::drift::DriftKind;
use crate::error::Result;
use crate::log;
use crate::service::job::Job;
use crate::service::order::Order;
use crate::service::platform::catalogue;
use crate::service::vm::{backup_schedule, resize, sync};

/// Repairs one service; what was done, for people. Of the kinds that are not safe nothing is done.
pub(crate) fn repair(job: &Job, kind: DriftKind) -> Result<String> {
    log::info!("service {}: repairing what the audit calls {}", job.service.id, kind.name());
    match kind {
        // The proof writes the mark back.
        DriftKind::LostMark => job.vm().map(|host| format!("VM {} has the mark", host.id)),
        DriftKind::Size => size(job),
        DriftKind::Os => os(job),
        DriftKind::Backup => backup(job),
        DriftKind::SuspendedRunning | DriftKind::Panelid | DriftKind::Addresses | DriftKind::Name => {
            sync::run(job).map(|()| "in line with VMmanager".to_owned())
        }
        _ => Ok("nothing was done: this is no safe kind".to_owned()),
    }
}

fn size(job: &Job) -> Result<String> {
    let host = job.vm()?;
    let host = resize::apply_without_restart(job, &Order::read(&job.service)?, host)?;
    Ok(format!("VM {} has the ordered size", host.id))
}

fn backup(job: &Job) -> Result<String> {
    let host = job.vm()?;
    backup_schedule::apply(job, &Order::read(&job.service)?, &host)?;
    Ok(format!("VM {} is in the ordered backup schedule", host.id))
}

/// BILLmanager's record follows the VM: installing another OS would cost the client his disk.
fn os(job: &Job) -> Result<String> {
    let host = job.vm()?;
    let templates = job.vmm.os_list()?;
    let Some(os) = host.os.and_then(|os| templates.into_iter().find(|template| template.id == os.id)) else {
        return Ok(format!("nothing was done: VMmanager does not name the OS template of VM {}", host.id));
    };
    let title = catalogue::os_title(&os);
    job.panel.save(job.service.id, "ostempl", &title)?;
    Ok(format!("BILLmanager says {title}"))
}
