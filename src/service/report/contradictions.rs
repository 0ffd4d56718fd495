//! What cannot be true together: found by comparing the parts of a report that could be read.

use super::{BillingPart, JournalPart, PlatformPart, Report};
use crate::journal::Phase;
use crate::panel::ServiceStatus;
use crate::vmm::{Host, HostState};

/// Sentences, the most serious first.
pub(super) fn find(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    if let (Ok(bill), Ok(platform)) = (&report.bill, &report.platform) {
        found.extend(identity(bill, platform));
        if !report.is_under_way() {
            found.extend(existence(bill, platform));
            found.extend(proved(platform).iter().flat_map(|host| differences(bill, host)));
        }
    }
    if let (Ok(bill), Ok(journal)) = (&report.bill, &report.journal) {
        found.extend(records(bill, journal));
        found.extend(
            journal.record.as_ref().filter(|_| !report.is_under_way()).and_then(|record| left_over(record.phase)),
        );
    }
    if let Ok(BillingPart { order: Err(error), .. }) = &report.bill {
        found.push(format!("the order cannot be read: {error}"));
    }
    found
}

/// The VM, if it is the service's.
fn proved(platform: &PlatformPart) -> Option<&Host> {
    platform.vm.as_ref().filter(|(_, facts)| facts.judge().is_ok()).map(|(host, _)| host)
}

fn identity(bill: &BillingPart, platform: &PlatformPart) -> Vec<String> {
    // The number of a deleted service's VM may be another's by now.
    let unproved =
        platform.vm.iter().filter(|(_, facts)| facts.judge().is_err() && bill.service.status != ServiceStatus::Deleted);
    let unproved = unproved.map(|(host, _)| {
        format!("VM {} is not proved to be the service's: every operation on it is refused as vm6_foreign", host.id)
    });
    let others =
        platform.others.iter().map(|host| format!("VM {} ({}) has the service's mark too", host.id, host.name));
    unproved.chain(others).collect()
}

fn existence(bill: &BillingPart, platform: &PlatformPart) -> Option<String> {
    match (bill.service.status, proved(platform)) {
        (ServiceStatus::Active | ServiceStatus::Suspended, None) if platform.vm.is_none() => {
            Some("the service is open, but VMmanager has no VM of it".to_owned())
        }
        (ServiceStatus::Deleted, Some(host)) => {
            Some(format!("the service is deleted, but VM {} still exists", host.id))
        }
        (ServiceStatus::Suspended, Some(host)) if host.state == HostState::Running => {
            Some(format!("the service is suspended, but VM {} runs: sync_item stops it", host.id))
        }
        _ => None,
    }
}

/// What was ordered and what the VM is, or is to be after its next stop.
fn differences(bill: &BillingPart, host: &Host) -> Vec<String> {
    let Ok(order) = &bill.order else { return Vec::new() };
    let pending = |new: Option<u64>, now: Option<u64>| new.filter(|&new| new > 0).or(now);
    let disk = host.disk.as_ref().and_then(|disk| pending(disk.size_mib_new, disk.size_mib));
    let sizes = [
        ("cores", order.sizes.cpu_number, pending(host.cpu_number_new, host.cpu_number)),
        ("MiB of memory", order.sizes.ram_mib, pending(host.ram_mib_new, host.ram_mib)),
        // A disk never shrinks: a larger one than ordered is no mistake.
        ("MiB of disk", order.sizes.hdd_mib.filter(|&ordered| disk.is_some_and(|disk| disk < ordered)), disk),
    ];
    let sizes = sizes.into_iter().filter_map(|(what, ordered, has)| {
        let (ordered, has) = (ordered?, has?);
        (ordered != has).then(|| format!("{ordered} {what} are ordered, VM {} has {has}", host.id))
    });
    let slots = bill.slots.iter().filter(|slot| !slot.free).filter_map(|slot| slot.address.as_deref());
    let strange = slots
        .filter(|ip| !host.has_address(ip))
        .map(|ip| format!("a slot holds {ip}, which VM {} does not have", host.id));
    sizes.chain(strange).collect()
}

fn records(bill: &BillingPart, journal: &JournalPart) -> Option<String> {
    let named = match bill.service.named_vm() {
        Ok(named) => named?,
        Err(text) => return Some(format!("panelid is \"{text}\", not the id of a VM")),
    };
    let recorded = journal.record.as_ref()?.vm?;
    (named != recorded).then(|| format!("BILLmanager names VM {named}, our journal VM {recorded}"))
}

fn left_over(phase: Phase) -> Option<String> {
    let what = match phase {
        Phase::Intended | Phase::Requested | Phase::Accepted => "an opening",
        Phase::Deleting => "a removal",
        Phase::Ready | Phase::Refused | Phase::Deleted => return None,
    };
    Some(format!(
        "{what} was interrupted (\"{}\" in the journal), and no operation goes on with it: start it again",
        phase.name()
    ))
}
