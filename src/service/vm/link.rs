//! Linking a service to a VM that was not made by this module: the service keeps its VM, the VM gets our mark.
//!
//! Looking is separate from doing, so that a person can compare both sides first. The VM itself is not changed but for
//! its comment. The client must be its owner, and no other service may claim it.

use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::log;
use crate::service::job::Job;
use crate::service::job::identity::Mark;
use crate::vmm::Host;

/// Both sides of a link, and what speaks against it.
pub struct Proposal {
    /// The VM.
    pub host: Host,
    /// What BILLmanager and VMmanager say of the same thing: name, theirs, ours.
    pub facts: Vec<[String; 3]>,
    /// Reasons not to link; empty when it may be done.
    pub obstacles: Vec<String>,
    /// The VM has the service's mark already.
    pub linked: bool,
}

/// Compares a service with the VM that BILLmanager names, or with `vm`.
pub fn propose(job: &Job, vm: Option<VmId>) -> Result<Proposal> {
    let id = vm.map_or_else(|| job.recorded_vm(), |id| Ok(Some(id)))?.ok_or_else(|| {
        let text = format!("service {} names no VM (panelid is empty)", job.service.id);
        Error::new(Kind::MissingParam, "panelid", text).cure("say which one with --vm")
    })?;
    let host = job
        .vmm
        .host(id)?
        .ok_or_else(|| Error::new(Kind::Vm6NotFound, format!("VM {id}"), format!("VMmanager has no VM {id}")))?;
    let marks = Mark::find_all(&host.comment);
    let mut obstacles = Vec::new();
    let owner = host.account.as_ref().map(|account| account.email.clone()).unwrap_or_default();
    let is_owner = |email: &str| !email.is_empty() && owner.eq_ignore_ascii_case(email);
    if !is_owner(&job.service.client.email) && !job.service.param("username").is_some_and(is_owner) {
        obstacles.push(format!("the VM belongs to \"{owner}\", the service to \"{}\"", job.service.client.email));
    }
    if let Some(mark) = marks.iter().find(|mark| **mark != job.mark) {
        obstacles.push(format!("the VM has the mark of another service: {mark}"));
    }
    for item in job.panel.services_with_vm(id, job.handler.id)?.into_iter().filter(|item| *item != job.service.id) {
        obstacles.push(format!("service {item} names the same VM"));
    }
    if let Some(other) = job.locate_marked()?.into_iter().find(|other| other.id != id) {
        obstacles.push(format!("VM {} ({}) has this service's mark already", other.id, other.name));
    }
    Ok(Proposal { facts: facts(job, &host, &owner), linked: marks.contains(&job.mark), host, obstacles })
}

fn facts(job: &Job, host: &Host, owner: &str) -> Vec<[String; 3]> {
    let param = |name: &str| job.service.param(name).unwrap_or_default().to_owned();
    let addresses: Vec<&str> = host.addresses().map(|address| address.ip.as_str()).collect();
    let size = format!(
        "{} cores, {} MiB, disk {} MiB",
        host.cpu_number.unwrap_or_default(),
        host.ram_mib.unwrap_or_default(),
        host.disk.as_ref().and_then(|disk| disk.size_mib).unwrap_or_default()
    );
    let row = |name: &str, panel: String, vm: String| [name.to_owned(), panel, vm];
    vec![
        row("VM", param("panelid"), format!("{} ({})", host.id, host.name)),
        row("owner", job.service.client.email.clone(), owner.to_owned()),
        row("domain", param("domain"), host.domain.clone()),
        row("addresses", param("ip"), addresses.join(" ")),
        row("size", job.service.tariff_name.clone(), size),
        row("state", format!("status {}", job.service.status), host.state.clone()),
        row("created", String::new(), host.create_date.clone()),
        row("comment", job.mark.to_string(), host.comment.clone()),
    ]
}

/// Writes the mark and records the link.
pub fn link(job: &Job, proposal: &Proposal) -> Result<()> {
    let host = &proposal.host;
    if !proposal.obstacles.is_empty() {
        return Err(Error::new(Kind::Vm6Foreign, format!("VM {}", host.id), proposal.obstacles.join("; ")));
    }
    if !proposal.linked {
        crate::service::job::locate::write_mark(job, host)?;
    }
    job.journal_ready(host)?;
    job.panel.save(job.service.id, "panelid", &host.id.to_string())?;
    job.panel.save(job.service.id, "serverid", &host.name)?;
    log::info!("service {}: linked to VM {} ({})", job.service.id, host.id, host.name);
    Ok(())
}
