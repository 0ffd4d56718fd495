//! The script (recipe) of a VM that was just installed: the service counts as ready after it has ended.
//!
//! The name of its task is not documented [api 3.3]. The VM's own history lists what ran on it, and the newest task
//! with a telling name is the script; a script that an administrator has run again counts in the place of the one that
//! failed. Where the history says nothing, all tasks that share the number of the installation must be final
//! [api 3.5].

use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::log;
use crate::service::job::Job;
use crate::service::job::settle::settle;
use crate::vmm::{Past, Task};

/// Words of which one is in the name of such a task.
const WORDS: [&str; 2] = ["recipe", "script"];

/// Waits until the script of a VM has ended; tasks up to the number `after` are of an earlier life. A script that
/// failed does not take the VM with it.
pub(super) fn wait(job: &Job, vm: VmId, installation: Option<&Task>, after: Option<u64>) -> Result<()> {
    let limit = job.limits().create;
    let is_script = |past: &&Past| {
        past.id.unwrap_or_default() > after.unwrap_or_default() && WORDS.iter().any(|word| past.name.contains(word))
    };
    let ended = settle(&format!("VM {vm}: waiting for its script"), limit, || {
        let history = job.history(vm)?.unwrap_or_default();
        let newest = history.iter().filter(is_script).max_by_key(|past| past.id);
        match newest.map(Past::ended) {
            Some(Some(true)) => Ok(Some(())),
            Some(Some(false)) => {
                let text = format!("a script of VM {vm} failed; VMmanager's history of the VM shows it");
                Err(advised(Error::new(Kind::Vm6Task, format!("VM {vm}"), text), vm))
            }
            Some(None) => Ok(None),
            None => all_of(job, vm, installation).map(Some),
        }
    })?;
    ended.ok_or_else(|| {
        let text =
            format!("a script of VM {vm} still runs after {} s; the next try continues to wait", limit.as_secs());
        Error::new(Kind::Vm6Timeout, format!("VM {vm}"), text)
    })
}

fn all_of(job: &Job, vm: VmId, installation: Option<&Task>) -> Result<()> {
    let Some(Task { consul, .. }) = installation else {
        log::warn!("VMmanager does not report what runs on VM {vm}: its script is taken as ended");
        return Ok(());
    };
    let all = Task { consul: *consul, name: None };
    job.finish(Ok(Some(all)), job.limits().create).map(drop).map_err(|failure| advised(failure.into(), vm))
}

fn advised(error: Error, vm: VmId) -> Error {
    if error.kind != Kind::Vm6Task {
        return error;
    }
    error
        .and(format!("VM {vm} itself is installed and is kept"))
        .cure("\"reopen\" accepts it as it is, \"pmvmmanager6 reinstall\" runs the recipe again")
}
