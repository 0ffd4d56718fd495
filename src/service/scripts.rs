//! The scripts (recipes) of a new VM: the service counts as ready after they have ended.
//!
//! The name of their task is not documented [api 3.3], so two documented facts are used: several tasks may share the
//! number of the creation, all of which must be final [api 3.5]; and the VM's own history lists what runs on it.

use std::time::Instant;

use super::{Job, look};
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::vmm::Task;

/// Words of which one is in the name of such a task.
const WORDS: [&str; 2] = ["recipe", "script"];

/// Waits until the scripts of a VM that is being made have ended. A script that failed does not take the VM with it.
pub fn wait(job: &Job, vm: u64, creation: Option<&Task>) -> Result<()> {
    let (started, limit) = (Instant::now(), job.limits().create);
    if let Some(Task { consul, .. }) = creation {
        job.vmm.wait(&Task { consul: *consul, name: None }, limit).map_err(|error| advised(error, vm))?;
    }
    loop {
        let Some(history) = job.vmm.history(vm)? else {
            log::warn!("VMmanager does not tell what runs on VM {vm}: its scripts are taken as ended");
            return Ok(());
        };
        let script = |name: &str| WORDS.iter().any(|word| name.contains(word));
        let scripts = history.iter().filter(|past| script(&past.name));
        let ended: Vec<Option<bool>> = scripts.map(crate::vmm::Past::ended).collect();
        if ended.contains(&Some(false)) {
            let text = format!("a script of VM {vm} failed; VMmanager's history of the VM shows it");
            return Err(advised(Error::new(Kind::Vm6Task, format!("VM {vm}"), text), vm));
        }
        if !ended.contains(&None) {
            return Ok(());
        }
        if started.elapsed() >= limit {
            let text =
                format!("a script of VM {vm} still runs after {} s; the next try goes on waiting", limit.as_secs());
            return Err(Error::new(Kind::Vm6Timeout, format!("VM {vm}"), text));
        }
        std::thread::sleep(look::pause(started.elapsed()));
    }
}

fn advised(error: Error, vm: u64) -> Error {
    if error.kind != Kind::Vm6Task {
        return error;
    }
    error.and(format!(
        "VM {vm} itself is installed and is kept: \"reopen\" accepts it as it is, \"pmvmmanager6 reinstall\" runs the \
         recipe again"
    ))
}
