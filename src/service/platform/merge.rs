//! Staff say that two platforms are one `VMmanager`. What was recorded on both may contradict that.

use crate::error::{Error, Kind, Result};
use crate::id::PlatformId;
use crate::journal::{Journal, RecordedVm, Tie};

/// Refuses two platforms that cannot be one: `VMmanager` never gives an id of a VM again, and an account has one owner.
pub(crate) fn refuse_different(journal: &Journal, from: PlatformId, into: PlatformId) -> Result<()> {
    if from == into {
        return Err(Error::new(Kind::BadArgument, "platform", "both are the same number"));
    }
    let Some(why) = different_vm(journal, from, into)?.or(different_owner(journal, from, into)?) else { return Ok(()) };
    let text = format!("platforms {from} and {into} are not one VMmanager: {why}; nothing was moved");
    Err(Error::new(Kind::Vm6Platform, format!("platform {from}"), text))
}

fn different_vm(journal: &Journal, from: PlatformId, into: PlatformId) -> Result<Option<String>> {
    let [moved, kept] = [from, into].map(|platform| journal.recorded_vms(platform));
    let (moved, kept) = (moved?, kept?);
    let other = |vm: &RecordedVm| kept.iter().find(|other| other.vm == vm.vm && other.created != vm.created).cloned();
    Ok(moved.iter().find_map(|vm| Some((vm, other(vm)?))).map(|(vm, other)| {
        format!(
            "VM {} was created {} for service {}, and {} for service {}",
            vm.vm, vm.created, vm.item, other.created, other.item
        )
    }))
}

fn different_owner(journal: &Journal, from: PlatformId, into: PlatformId) -> Result<Option<String>> {
    let ties = journal.ties()?;
    let is_other = |tie: &Tie, other: &Tie| {
        (tie.platform, other.platform, tie.account) == (from, into, other.account) && tie.client != other.client
    };
    Ok(ties.iter().find_map(|tie| Some((tie, ties.iter().find(|other| is_other(tie, other))?))).map(|(tie, other)| {
        format!("account {} belongs to client {}, and to client {}", tie.account, tie.client, other.client)
    }))
}
