//! `pmvmmanager6 reinstall --item N [--os NAME] [--recipe NAME] --yes`: installs a service's VM again.
//!
//! Everything on the disk is lost, so no panel command leads here and `--yes` is required.

use std::io::Write;

use super::output::write;
use super::service;
use crate::config::Config;
use crate::error::Result;
use crate::id::ServiceId;
use crate::service::vm::access;
use crate::text::{LONGEST, clean};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Service id in BILLmanager
    #[arg(long)]
    item: ServiceId,
    /// OS template instead of the ordered one, named as in BILLmanager
    #[arg(long)]
    os: Option<String>,
    /// Recipe to run after the installation, named as in BILLmanager
    #[arg(long)]
    recipe: Option<String>,
    /// Do it
    #[arg(long)]
    yes: bool,
}

/// Says what would be lost; does it with `--yes`. The new root password is saved crypted in BILLmanager and not shown.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<()> {
    if !options.yes {
        return service::read(config, options.item, |job| {
            let host = job.vm()?;
            let os = options.os.as_deref().or(job.service.param("ostempl")).unwrap_or("no OS template is ordered");
            let text = format!(
                "VM {} ({}) of {} would be installed again with {os}; everything on its disk would be lost.",
                host.id, host.name, job.service.client.email
            );
            let next = "Nothing was changed. Run it again with --yes to do it.";
            write(out, &format!("{}\n{next}\n", clean(&text, LONGEST)))
        });
    }
    service::change(config, options.item, "reinstall", |job| {
        access::reinstall(job, options.os.as_deref(), options.recipe.as_deref())?;
        write(
            out,
            &format!("Service {} is installed again; the new root password is saved in BILLmanager.\n", options.item),
        )
    })
}
