//! Collects the report of a service, shows or packs it.

use std::io::Write;
use std::path::PathBuf;

use super::{bundle, json, text};
use crate::admin::output::{Verdict, write, write_json};
use crate::config::Config;
use crate::error::Result;
use crate::id::ServiceId;
use crate::service::report::{self, Report};

/// Lines of the log on the page.
const LINES: usize = 20;
/// Lines of the log in a bundle.
const BUNDLED_LINES: usize = 1000;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// Service id in BILLmanager
    #[arg(long)]
    item: ServiceId,
    /// Print JSON
    #[arg(long, conflicts_with = "bundle")]
    json: bool,
    /// Write an archive (tar.gz) for support instead: no passwords, e-mail addresses shortened
    #[arg(long, value_name = "FILE")]
    bundle: Option<PathBuf>,
}

const HELP: &str = "\
Nothing is changed. What cannot be read is named, and the rest is shown. Exit status 1: a part is missing,
or two parts contradict each other.

--json prints one object: service (id), complete (every part could be read), contradictions (sentences),
  billmanager  status, status_name, period_months, client, tariff, handler, parameters, addons, order (what
               the module reads from them), slots, operations (id, command, tries, manual, error)
  journal      phase, mark, account, vm, vm_created, task, restart, stopped_again, changed, ended, traffic,
               speed_cap, backup_schedules; null when the journal does not know the service
  vmmanager    url, mark, vm (with owner, sizes, pending, addresses, proof; null for none), also_marked, tasks
  queue        tickets (as in \"queue --json\", with key), paused (keys), paused_all
  log          lines
A part that cannot be read is {\"error\": \"…\"}, what is not known is null, a secret is \"***\".

The archive of --bundle holds report.txt, report.json, versions.json, log.txt, features.xml, queue.json,
handler.json, vm.json and history.json. An existing file is never overwritten.";

/// Shows the report of a service, or packs it.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let lines = if options.bundle.is_some() { BUNDLED_LINES } else { LINES };
    if let Some(file) = &options.bundle {
        bundle::refuse_place(file)?;
    }
    let report = report::collect(config, options.item, lines)?;
    match &options.bundle {
        Some(file) => {
            bundle::pack(config, &report, file)?;
            let text = "It holds no passwords and tokens; e-mail addresses are shortened. Read it before you send it.";
            write(out, &format!("{}: the report of service {}. {text}\n", file.display(), options.item))?;
        }
        None if options.json => write_json(out, &json::document(&report))?,
        None => write(out, &text::page(&report))?,
    }
    Ok(verdict(&report))
}

fn verdict(report: &Report) -> Verdict {
    if report.is_complete() && report.contradictions().is_empty() { Verdict::Fine } else { Verdict::Findings }
}
