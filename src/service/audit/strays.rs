//! VMs that no service answers for.

use super::drift::{DriftKind, Finding, Remedy};
use super::reading::Reading;
use crate::error::Result;
use crate::id::{ServiceId, VmId};
use crate::panel::ServiceStatus;
use crate::service::handler::HandlerJob;
use crate::service::job::mark::FoundMark;
use crate::vmm::{Host, HostState};

/// Every VM that has no service, or that has a mark that another VM should have.
pub(super) fn vms(job: &HandlerJob, reading: &Reading) -> Result<Vec<Finding>> {
    let mut found = without_service(job, reading)?;
    let own = reading.marked.iter().filter(|(item, vms)| vms.len() > 1 && reading.open.contains_key(*item));
    found.extend(own.flat_map(|(item, vms)| duplicates(job, reading, *item, vms)));
    found.extend(reading.in_cluster().filter(|host| is_unsold(reading, host)).map(|host| unsold(job, host)));
    Ok(found)
}

/// VMs with the mark of a service that is closed or unknown. Services of other handlers have theirs judged there.
fn without_service(job: &HandlerJob, reading: &Reading) -> Result<Vec<Finding>> {
    let others: Vec<ServiceId> =
        reading.marked.keys().copied().filter(|item| !reading.open.contains_key(item)).collect();
    let statuses = job.panel.statuses(&others)?;
    let mut found = Vec::new();
    for item in others {
        let status = statuses.get(&item);
        if status.is_some_and(|status| *status != ServiceStatus::Deleted) {
            continue;
        }
        for vm in &reading.marked[&item] {
            // The service that names it has it now: a transferred service is a copy with a new number, and it is linked.
            if reading.claims.get(vm).is_some_and(|claims| claims.iter().any(|other| *other != item)) {
                continue;
            }
            let (is, remedy) = if status.is_some() {
                (format!("service {item} is closed"), Remedy::Module(format!("--command close --item {item}")))
            } else {
                let text = format!("delete VM {vm} in VMmanager, or take \"{}\" out of its comment", job.mark(item));
                (format!("BILLmanager has no service {item}"), Remedy::ByHand(text))
            };
            let should = "a service, or no VM".to_owned();
            found.push(Finding { kind: DriftKind::NoService, service: Some(item), vm: Some(*vm), is, should, remedy });
        }
    }
    Ok(found)
}

/// One finding for each VM that is not the one BILLmanager names; for all of them when it names none of them.
fn duplicates(job: &HandlerJob, reading: &Reading, item: ServiceId, vms: &[VmId]) -> Vec<Finding> {
    let named = reading.open.get(&item).copied().flatten().filter(|vm| vms.contains(vm));
    let list = vms.iter().map(VmId::to_string).collect::<Vec<_>>().join(", ");
    let finding = |vm: VmId| Finding {
        kind: DriftKind::DuplicateMark,
        service: Some(item),
        vm: Some(vm),
        is: format!("VMs {list} have the mark of service {item}"),
        should: named.map_or_else(|| "one VM with this mark".to_owned(), |vm| format!("the mark on VM {vm} alone")),
        remedy: Remedy::ByHand(format!("in VMmanager take \"{}\" out of the comment of VM {vm}", job.mark(item))),
    };
    vms.iter().filter(|vm| Some(**vm) != named).map(|vm| finding(*vm)).collect()
}

/// A client's VM, complete, of which neither a service, nor a mark, nor the journal speaks.
fn is_unsold(reading: &Reading, host: &Host) -> bool {
    let of_client = host.account.as_ref().is_some_and(|owner| !reading.staff.contains(&owner.id));
    let known = reading.claims.contains_key(&host.id) || reading.journalled.contains_key(&host.id);
    of_client && !known && host.state != HostState::Creating && FoundMark::all(&host.comment).is_empty()
}

fn unsold(job: &HandlerJob, host: &Host) -> Finding {
    let owner = host.account.as_ref().map_or("", |owner| owner.email.as_str());
    Finding {
        kind: DriftKind::UnsoldVm,
        service: None,
        vm: Some(host.id),
        is: format!("{} of {owner} has no service", host.name),
        should: "a service, if the VM is to be sold".to_owned(),
        remedy: Remedy::Module(format!("--command import --module {} --searchstring {}", job.handler.id, host.id)),
    }
}
