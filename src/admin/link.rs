//! `pmvmmanager6 link --item N [--vm ID] [--yes]`: gives a service a VM that another module made.
//!
//! Without `--yes` both sides are shown and nothing is changed.

use std::io::Write;

use super::{service, table, write};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::vm::link::{self, Proposal};

/// What the person asked for.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// Service.
    pub item: u64,
    /// VM, when BILLmanager does not name it.
    pub vm: Option<u64>,
    /// Do it.
    pub yes: bool,
}

/// Shows the proposal; carries it out with `--yes`. What speaks against the link is an error.
pub fn run(config: &Config, task: &Task, out: &mut dyn Write) -> Result<()> {
    let show = |job: &Job, out: &mut dyn Write| {
        let proposal = link::propose(job, task.vm)?;
        write(out, &text(&proposal))?;
        if proposal.obstacles.is_empty() {
            return Ok(proposal);
        }
        let object = format!("VM {}", proposal.host.id);
        Err(Error::new(Kind::Vm6Foreign, object, format!("not linked: {}", proposal.obstacles.join("; "))))
    };
    if !task.yes {
        return service::look(config, task.item, "link", |job| {
            let proposal = show(job, out)?;
            let linked = "The VM bears this service's mark already.\n";
            write(
                out,
                if proposal.linked { linked } else { "Nothing was changed. Run it again with --yes to link them.\n" },
            )
        });
    }
    service::change(config, task.item, "link", |job| {
        let proposal = show(job, out)?;
        link::link(job, &proposal)?;
        write(out, &format!("Service {} is linked to VM {}.\n", task.item, proposal.host.id))
    })
}

fn text(proposal: &Proposal) -> String {
    table::table(["", "BILLmanager", "VMmanager"], &proposal.facts)
}
