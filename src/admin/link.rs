//! `pmvmmanager6 link --item N [--vm ID] [--yes]`: gives a service a VM that another module made.
//!
//! Without `--yes` both sides are shown and nothing is changed.

use std::io::Write;

use super::output::write;
use super::{service, table};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::{ServiceId, VmId};
use crate::service::job::Job;
use crate::service::vm::link::{self, Proposal};

/// What can be asked for.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Service id in BILLmanager
    #[arg(long)]
    item: ServiceId,
    /// VM id in VMmanager, when BILLmanager does not name it
    #[arg(long)]
    vm: Option<VmId>,
    /// Write the mark and record the link
    #[arg(long)]
    yes: bool,
}

/// Shows the proposal; carries it out with `--yes`. What speaks against the link is an error.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<()> {
    let show = |job: &Job, out: &mut dyn Write| {
        let proposal = link::propose(job, options.vm)?;
        write(out, &text(&proposal))?;
        if proposal.obstacles.is_empty() {
            return Ok(proposal);
        }
        let object = format!("VM {}", proposal.host.id);
        Err(Error::new(Kind::Vm6Foreign, object, format!("not linked: {}", proposal.obstacles.join("; "))))
    };
    if !options.yes {
        return service::read(config, options.item, |job| {
            let proposal = show(job, out)?;
            let linked = "The VM has this service's mark already.\n";
            write(
                out,
                if proposal.linked { linked } else { "Nothing was changed. Run it again with --yes to link them.\n" },
            )
        });
    }
    service::change(config, options.item, "link", |job| {
        let proposal = show(job, out)?;
        link::link(job, &proposal)?;
        write(out, &format!("Service {} is linked to VM {}.\n", options.item, proposal.host.id))
    })
}

fn text(proposal: &Proposal) -> String {
    table::table(["", "BILLmanager", "VMmanager"], &proposal.facts)
}
