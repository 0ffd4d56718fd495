//! Linking a service to a VM that was not made by this module: the service keeps its VM, the VM gets our mark.
//!
//! Looking is separate from doing, so that a person can compare both sides first. The VM itself is not changed but for
//! its comment. The client must be its owner, and no other service may claim it.

use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::journal::{Phase, Tie};
use crate::log;
use crate::panel::ServiceStatus;
use crate::service::job::Job;
use crate::service::job::evidence::{Owner, Recorded};
use crate::service::job::mark::FoundMark;
use crate::vmm::Host;

/// Both sides of a link, and what speaks against it.
pub(crate) struct Proposal {
    pub host: Host,
    /// What BILLmanager and VMmanager say of the same thing: name, theirs, ours.
    pub facts: Vec<[String; 3]>,
    /// Reasons not to link; empty when it may be done.
    pub obstacles: Vec<String>,
    /// It is linked already.
    pub linked: bool,
}

/// Compares a service with the VM that BILLmanager names, or with `vm`.
pub(crate) fn propose(job: &Job, vm: Option<VmId>) -> Result<Proposal> {
    let id = vm.map_or_else(|| job.recorded_vm(), |id| Ok(Some(id)))?.ok_or_else(|| {
        let text = format!("service {} names no VM (panelid is empty)", job.service.id);
        Error::new(Kind::MissingParam, "panelid", text).cure("say which one with --vm")
    })?;
    let host = job
        .vmm
        .host(id)?
        .ok_or_else(|| Error::new(Kind::Vm6NotFound, format!("VM {id}"), format!("VMmanager has no VM {id}")))?;
    let owner = host.account.as_ref().map(|account| account.email.clone()).unwrap_or_default();
    let obstacles = obstacles(job, &host, &owner)?;
    Ok(Proposal { facts: facts(job, &host, &owner), linked: is_linked(job, &host)?, host, obstacles })
}

/// The journal knows the VM as the service's, and its mark is right.
fn is_linked(job: &Job, host: &Host) -> Result<bool> {
    Ok(job.mark.is_in(&host.comment) && job.facts(host)?.row == Recorded::Here)
}

fn obstacles(job: &Job, host: &Host, owner: &str) -> Result<Vec<String>> {
    let (facts, mut found) = (job.facts(host)?, Vec::new());
    if facts.row == Recorded::Elsewhere {
        found.push("the service lives on another VMmanager; \"pmvmmanager6 platform\" lists them".to_owned());
    }
    if facts.owner == Owner::Other {
        let email = &job.service.client.email;
        found.push(format!(
            "the VM belongs to \"{owner}\", the service to \"{email}\": give it to the client in VMmanager first"
        ));
    }
    found.extend(job.claims(host)?.iter().map(|item| format!("service {item} names the same VM")));
    found.extend(known_as_others(job, host)?);
    found.extend(marks_of_others(job, host)?);
    if let Some(other) = job.locate_marked()?.into_iter().find(|other| other.id != host.id) {
        found.push(format!("VM {} ({}) has this service's mark already", other.id, other.name));
    }
    Ok(found)
}

/// A service that was handed to another client is a copy with a new number: the row of the closed one is no obstacle.
fn known_as_others(job: &Job, host: &Host) -> Result<Vec<String>> {
    let others = job.journal.others_with_vm(job.platform()?, host.id, job.service.id)?;
    let statuses = job.panel.statuses(&others)?;
    let live =
        others.into_iter().filter(|item| statuses.get(item).is_some_and(|status| *status != ServiceStatus::Deleted));
    Ok(live.map(|item| format!("our journal knows the VM as service {item}'s")).collect())
}

/// Marks of live services, and of other installations. A mark without the right tag is text, unless the journal knows
/// nothing of its service: the first release wrote such.
fn marks_of_others(job: &Job, host: &Host) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for mark in FoundMark::all(&host.comment).into_iter().filter(|mark| !job.mark.is_of_service(mark)) {
        let is_here = mark.installation == job.marker.installation;
        let is_text = is_here && !job.marker.made(&mark) && job.journal.find(mark.item)?.is_some();
        let is_closed =
            is_here && job.panel.statuses(&[mark.item])?.get(&mark.item).is_none_or(|it| *it == ServiceStatus::Deleted);
        if !is_text && !is_closed {
            found.push(format!("the VM has the mark of another service: {mark}"));
        }
    }
    Ok(found)
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
        row("state", format!("status {}", job.service.status.number()), host.state.to_string()),
        row("created", String::new(), host.create_date.clone()),
        row("comment", job.mark.to_string(), host.comment.clone()),
    ]
}

/// Writes the mark and records the link.
pub(crate) fn link(job: &Job, proposal: &Proposal) -> Result<()> {
    let host = &proposal.host;
    if !proposal.obstacles.is_empty() {
        return Err(Error::new(Kind::Vm6Foreign, format!("VM {}", host.id), proposal.obstacles.join("; ")));
    }
    let platform = job.platform()?;
    for old in job.journal.others_with_vm(platform, host.id, job.service.id)? {
        job.journal.step(old, Phase::Deleted)?;
    }
    if !proposal.linked {
        job.write_mark(host);
    }
    if let Some(owner) = &host.account {
        let tie = Tie { platform, account: owner.id, client: job.service.client.id, item: None };
        job.journal.tie(&tie)?;
    }
    job.journal_ready(host)?;
    job.panel.save(job.service.id, "panelid", &host.id.to_string())?;
    job.panel.save(job.service.id, "serverid", &host.name)?;
    job.panel.save(job.service.id, "vmmanager_url", &job.vmm.base())?;
    // A copy of another client's service still names his account.
    if let Some(owner) = host.account.as_ref().filter(|owner| !owner.email.is_empty()) {
        job.panel.save(job.service.id, "username", &owner.email)?;
    }
    log::info!("service {}: linked to VM {} ({})", job.service.id, host.id, host.name);
    Ok(())
}
