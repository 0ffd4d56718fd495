//! `pmvmmanager6 show --item N`: everything that is known of a service on one page.
//!
//! A part that cannot be read is named and the rest is shown. The verdict is about the page: findings when a part is
//! missing or two parts contradict each other. `--json` prints one object; a part that cannot be read is
//! `{"error": "…"}` in its place, what is not known is null:
//!
//! ```json
//! {"service": 4711, "complete": true, "contradictions": [],
//!  "billmanager": {"status": 2, "status_name": "active", "period_months": 1,
//!    "client": {"id": 1, "name": "Alice", "email": "alice@example.com"},
//!    "tariff": {"id": 5, "name": "VPS 2-2-20", "internal_name": "", "parameters": {}},
//!    "handler": {"id": 1, "name": "VMmanager 6", "settings": {"url": "…", "password": "***"}},
//!    "parameters": {"panelid": "215", "password": "***"},
//!    "addons": {"mem": {"value": "2048", "unit": "mib"}},
//!    "order": {"cores": 2, "memory_mib": 2048, "disk_mib": 20480, "in_mbitps": null, "out_mbitps": null, "ipv4": 1,
//!              "ipv6": null, "ipv6_prefix": null, "domain": null, "os": "ISPsystem__Debian 12", "recipe": null,
//!              "preset": null},
//!    "slots": [{"id": 3, "address": "203.0.113.10", "free": false, "ipv6": false}],
//!    "operations": [{"id": 9, "command": "suspend", "tries": 2, "manual": false, "error": "vm6_connect: …"}]},
//!  "journal": {"phase": "ready", "mark": "billmgr:…", "account": 2, "vm": 215, "vm_created": "…",
//!    "task": {"consul_id": 7, "name": "host_create"}, "restart": {"operation": 9, "after": 3, "task": 8},
//!    "stopped_again": 0, "changed": "2025-06-30T12:00:00Z", "ended": null,
//!    "traffic": {"month": "2025-06", "vm": 215, "in_bytes": 1, "out_bytes": 2},
//!    "speed_cap": {"vm": 215, "in_mbitps": 10, "out_mbitps": null, "before_in_mbitps": 100, "before_out_mbitps": 0,
//!                  "settled": true}},
//!  "vmmanager": {"url": "https://vm.example.net", "mark": "billmgr:…", "also_marked": [],
//!    "vm": {"id": 215, "name": "vps4711", "state": "active", "domain": "…", "created": "…", "comment": "billmgr:…",
//!      "owner": {"account": 2, "email": "alice@example.com"}, "cores": 2, "memory_mib": 2048, "disk_mib": 20480,
//!      "in_mbitps": 0, "out_mbitps": 0, "pending": {"cores": null, "memory_mib": null, "disk_mib": null},
//!      "addresses": ["203.0.113.10"],
//!      "proof": {"proved": true, "own_mark": true, "foreign_mark": false, "journal": true, "owner": true}},
//!    "tasks": [{"id": 3, "name": "host_create", "state": "complete", "created": "…", "error": null}]},
//!  "queue": {"tickets": [{"key": "service:4711", "queue": "service:4711-1", "number": 1, "ticket": 7, "command": "open",
//!    "service": 4711, "handler": 1, "pid": 1234, "age_seconds": 3.2, "running_seconds": 3.1}],
//!    "paused": ["12"], "paused_all": false},
//!  "log": ["…"]}
//! ```
//!
//! The whole of "journal" is null when the journal does not know the service, "vm" when VMmanager has none. A ticket is
//! written as by `queue --json`.

mod bundle;
mod json;
mod redact;
mod text;

use std::io::Write;
use std::path::PathBuf;

use super::{Verdict, write, write_json};
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
               speed_cap; null when the journal does not know the service
  vmmanager    url, mark, vm (with owner, sizes, pending, addresses, proof; null for none), also_marked, tasks
  queue        tickets (as in \"queue --json\", with key), paused (keys), paused_all
  log          lines
A part that cannot be read is {\"error\": \"…\"}, what is not known is null, a secret is \"***\".

The archive of --bundle holds report.txt, report.json, versions.json, log.txt, features.xml, queue.json,
handler.json, vm.json and history.json. An existing file is never overwritten.";

/// Tells the report of a service, or packs it.
pub fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let lines = if options.bundle.is_some() { BUNDLED_LINES } else { LINES };
    if let Some(file) = &options.bundle {
        bundle::refuse_existing(file)?;
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

/// Name of an `item.status` [protocol 5.4].
fn status_name(status: i64) -> &'static str {
    match status {
        1 => "ordered",
        2 => "active",
        3 => "suspended",
        4 => "deleted",
        5 => "being opened",
        _ => "unknown",
    }
}
