//! `pmvmmanager6 reinstall --item N [--os NAME] [--recipe NAME] --yes`: installs a service's VM anew.
//!
//! Everything on the disk is lost, so no panel command leads here and `--yes` is required.

use std::io::Write;

use super::{service, write};
use crate::config::Config;
use crate::error::Result;
use crate::service::vm::access::{self, Reinstall};

/// What the person asked for.
#[derive(Clone, Debug)]
pub struct Task {
    /// Service.
    pub item: u64,
    /// OS and recipe.
    pub choice: Reinstall,
    /// Do it.
    pub yes: bool,
}

/// Says what would be lost; does it with `--yes`. The new root password is saved crypted in BILLmanager and not shown.
pub fn run(config: &Config, task: &Task, out: &mut dyn Write) -> Result<()> {
    if !task.yes {
        return service::look(config, task.item, "reinstall", |job| {
            let host = job.vm()?;
            let os = task.choice.os.as_deref().or(job.service.param("ostempl")).unwrap_or("no OS template is ordered");
            let text = format!(
                "VM {} ({}) of {} would be installed anew with {os}; everything on its disk would be lost.\nNothing was \
                 changed. Run it again with --yes to do it.\n",
                host.id, host.name, job.service.client.email
            );
            write(out, &text)
        });
    }
    service::change(config, task.item, "reinstall", |job| {
        access::reinstall(job, &task.choice)?;
        write(
            out,
            &format!("Service {} is installed anew; the new root password is saved in BILLmanager.\n", task.item),
        )
    })
}
