//! `pmvmmanager6 audit`: where BILLmanager's services and VMmanager's VMs have drifted apart, and what to do about it.
//!
//! The exit status is 0 when nothing is wrong (notes alone are nothing), 1 when something is, or when a handler could
//! not be audited: what was found at the others is shown nevertheless. `--json` prints one object:
//!
//! ```json
//! {"partial": false,
//!  "handlers": [{"handler": 3, "name": "Amsterdam", "services": 120, "vms": 121, "skipped": 1, "error": null}],
//!  "findings": [{"kind": "no_vm", "note": false, "service": 12, "vm": 217, "handler": 3, "is": "VMmanager has no VM 217",
//!                "should": "a VM of the service", "command": "/usr/local/mgr5/processing/pmvmmanager6 --command reopen --item 12",
//!                "advice": null}]}
//! ```
//!
//! `service` and `vm` are null where there is none. Of `command` and `advice` one is null: either a line to be pasted,
//! or what a person has to do in one of the panels. `error` says why a handler was not audited.
//!
//! `--repair KIND` shows what would be repaired, with `--yes` it is done, one service after the other, each under its
//! tickets and proved again like in any operation.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Write;

use anstyle::{AnsiColor, Style};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;

use super::last_audit;
use super::output::{Verdict, write, write_json};
use super::service;
use super::table::{Cell, counted, or_dash, table};
use crate::config::Config;
use crate::error::Result;
use crate::id::{HandlerId, ServiceId, VmId};
use crate::log;
use crate::panel::{Panel, refuse_foreign};
use crate::service::audit::{self, Audit, DriftKind, Finding, Remedy};
use crate::service::handler::HandlerJob;
use crate::text::{LONGEST, clean};

const GRAVE: Style = AnsiColor::Red.on_default();
const NOTE: Style = Style::new().dimmed();

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = help())]
pub struct Options {
    /// Handler id (processing module) instead of all handlers
    #[arg(long)]
    module: Option<HandlerId>,
    /// Print JSON
    #[arg(long, conflicts_with = "repair")]
    json: bool,
    /// Show what would be repaired of one kind of findings
    #[arg(long, value_name = "KIND", value_parser = safe_kind())]
    repair: Option<DriftKind>,
    /// Service id instead of all services
    #[arg(long, requires = "repair")]
    item: Option<ServiceId>,
    /// Repair it
    #[arg(long, requires = "repair")]
    yes: bool,
}

/// The kinds that are repaired; clap names them to a person who asks for another.
fn safe_kind() -> impl TypedValueParser<Value = DriftKind> {
    PossibleValuesParser::new(DriftKind::SAFE.map(DriftKind::name))
        .try_map(|name| DriftKind::safe(&name).ok_or("no safe kind"))
}

/// The kinds, for `--help`.
pub(crate) fn help() -> String {
    let mut text = "Kinds (* repaired by --repair, which creates, deletes and restarts nothing):\n".to_owned();
    for (kind, name, meaning) in DriftKind::ALL {
        let safe = if DriftKind::SAFE.contains(&kind) { "*" } else { " " };
        _ = writeln!(text, " {safe}{name:<18} {meaning}");
    }
    text + r#"
Exit status: 0 nothing is wrong (notes aside), 1 findings, or a handler could not be audited.

--json prints one object, in which one of "command" and "advice" is null and "skipped" counts services with an
operation under way:
{"partial", "handlers": [{"handler", "name", "services", "vms", "skipped", "error"}],
 "findings": [{"kind", "note", "service", "vm", "handler", "is", "should", "command", "advice"}]}"#
}

/// Audits, and repairs when that is asked for.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let Some(kind) = options.repair else {
        let document = Document::of(config, options.module)?;
        document.keep_numbers(config, options.module.is_none());
        let written = if options.json { write_json(out, &document) } else { write(out, &document.text()) };
        return written.map(|()| document.verdict());
    };
    if let (Some(item), true) = (options.item, options.yes) {
        return repair(config, kind, &[item], out);
    }
    let module = match options.item {
        Some(item) => Some(handler_of(config, item)?),
        None => options.module,
    };
    let mut document = Document::of(config, module)?;
    document.keep(kind, options.item);
    if !options.yes {
        write(out, &(document.text() + document.intention()))?;
        return Ok(document.verdict());
    }
    write(out, &document.text())?;
    let items: BTreeSet<ServiceId> = document.repairable().collect();
    let verdict = repair(config, kind, &items.into_iter().collect::<Vec<_>>(), out)?;
    let rest = document.findings.iter().any(|row| !row.safe) || document.partial;
    Ok(if rest { Verdict::Findings } else { verdict })
}

fn handler_of(config: &Config, item: ServiceId) -> Result<HandlerId> {
    let owner = Panel::new(config).owner(item)?;
    refuse_foreign(&owner.module, &format!("service {item}"))?;
    Ok(owner.handler.unwrap_or_default())
}

/// One after the other; a service that cannot be repaired does not hold up the others.
fn repair(config: &Config, kind: DriftKind, items: &[ServiceId], out: &mut dyn Write) -> Result<Verdict> {
    let mut verdict = Verdict::Fine;
    for item in items {
        let done = service::change(config, *item, "audit", |job| audit::repair(job, kind));
        let text = match done {
            Ok(text) => format!("Service {item}: {text}.\n"),
            Err(error) => {
                log::error!("service {item}: not repaired: {error}");
                verdict = Verdict::Findings;
                format!("Service {item} is not repaired: {error}\n")
            }
        };
        write(out, &text)?;
    }
    Ok(verdict)
}

#[derive(Serialize)]
struct Document {
    partial: bool,
    handlers: Vec<Audited>,
    findings: Vec<Row>,
}

#[derive(Serialize)]
struct Audited {
    handler: HandlerId,
    name: String,
    services: usize,
    vms: usize,
    skipped: usize,
    error: Option<String>,
}

#[derive(Serialize)]
struct Row {
    kind: &'static str,
    note: bool,
    service: Option<ServiceId>,
    vm: Option<VmId>,
    handler: HandlerId,
    is: String,
    should: String,
    command: Option<String>,
    advice: Option<String>,
    #[serde(skip)]
    safe: bool,
}

impl Document {
    /// Audits one handler, which must be ours, or all. A handler that cannot be audited leaves the others.
    fn of(config: &Config, module: Option<HandlerId>) -> Result<Self> {
        let panel = Panel::new(config);
        let ids = match module {
            Some(id) => vec![panel.handler(id)?.id],
            None => panel.handlers()?.into_iter().map(|handler| handler.id).collect(),
        };
        let mut document = Document { partial: false, handlers: Vec::new(), findings: Vec::new() };
        // Handlers of one VMmanager see the same VMs of closed services.
        let mut told = BTreeSet::new();
        for id in ids {
            let mut handler =
                Audited { handler: id, name: String::new(), services: 0, vms: 0, skipped: 0, error: None };
            match audit_one(config, &panel, &mut handler) {
                Ok(audit) => {
                    (handler.services, handler.vms, handler.skipped) = (audit.services, audit.vms, audit.skipped);
                    let new = audit.findings.into_iter().filter(|finding| told.insert(finding.subject()));
                    document.findings.extend(new.map(|finding| Row::new(config, id, finding)));
                }
                Err(error) => {
                    log::error!("handler {id}: not audited: {error}");
                    (handler.error, document.partial) = (Some(error.to_string()), true);
                }
            }
            document.handlers.push(handler);
        }
        Ok(document)
    }

    /// For `metrics`. Whoever reads the audit has it before the eyes: that it cannot be kept is no finding.
    fn keep_numbers(&self, config: &Config, all: bool) {
        let numbers = |handler: HandlerId| {
            let mut findings = BTreeMap::new();
            for row in self.findings.iter().filter(|row| row.handler == handler && !row.note) {
                *findings.entry(row.kind.to_owned()).or_default() += 1;
            }
            findings
        };
        let seen = self.handlers.iter().map(|it| (it.handler, it.error.is_none().then(|| numbers(it.handler))));
        if let Err(error) = last_audit::keep(config, seen.collect(), all) {
            log::warn!("what the audit found is not kept for metrics: {error}");
        }
    }

    fn verdict(&self) -> Verdict {
        let wrong = self.partial || self.findings.iter().any(|row| !row.note);
        if wrong { Verdict::Findings } else { Verdict::Fine }
    }

    /// Forgets all but what a repair is about.
    fn keep(&mut self, kind: DriftKind, item: Option<ServiceId>) {
        self.findings.retain(|row| row.kind == kind.name() && (item.is_none() || row.service == item));
    }

    fn repairable(&self) -> impl Iterator<Item = ServiceId> {
        self.findings.iter().filter(|row| row.safe).filter_map(|row| row.service)
    }

    fn intention(&self) -> &'static str {
        if self.repairable().next().is_some() {
            "Nothing was changed. Run it again with --yes to repair those with a command \"audit --repair\".\n"
        } else {
            "There is nothing to repair.\n"
        }
    }

    fn text(&self) -> String {
        let (notes, findings): (Vec<&Row>, Vec<&Row>) = self.findings.iter().partition(|row| row.note);
        let mut text = list("Findings", GRAVE, &findings) + &list("Notes", NOTE, &notes);
        for handler in &self.handlers {
            text += &handler.text(&self.findings);
        }
        if self.partial {
            text += "The audit is partial: not every handler could be audited.\n";
        }
        text
    }
}

fn list(title: &str, style: Style, rows: &[&Row]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let cells: Vec<_> = rows.iter().map(|row| row.cells(style)).collect();
    let table = table(["KIND", "SERVICE", "VM", "HANDLER", "IS", "SHOULD BE"], &cells);
    let mut lines = table.lines();
    let heading = lines.next().unwrap_or_default();
    let body = lines.zip(rows).map(|(line, row)| format!("{line}\n    {}\n", row.remedy()));
    format!("{title}\n{heading}\n{}\n", body.collect::<String>())
}

impl Audited {
    fn text(&self, rows: &[Row]) -> String {
        let name = if self.name.is_empty() { String::new() } else { format!(" ({})", clean(&self.name, LONGEST)) };
        let title = format!("Handler {}{name}", self.handler);
        if let Some(error) = &self.error {
            return format!("{title}: not audited: {error}\n");
        }
        let count = |note: bool| rows.iter().filter(|row| row.handler == self.handler && row.note == note).count();
        let left_out = match self.skipped {
            0 => String::new(),
            n => format!("; {n} left out, because an operation is under way"),
        };
        let (findings, notes) = (count(false), count(true));
        let compared = format!("{}, {}", counted(self.services, "service"), counted(self.vms, "VM"));
        format!("{title}: {compared}: {}, {}{left_out}\n", counted(findings, "finding"), counted(notes, "note"))
    }
}

impl Row {
    fn new(config: &Config, handler: HandlerId, finding: Finding) -> Self {
        let safe = finding.remedy == Remedy::Safe;
        let (command, advice) = remedy(config, &finding);
        let Finding { kind, service, vm, is, should, .. } = finding;
        let note = kind.is_note();
        Row {
            kind: kind.name(),
            note,
            service,
            vm,
            handler,
            // A program may print them as they are.
            is: clean(&is, LONGEST),
            should: clean(&should, LONGEST),
            command,
            advice,
            safe,
        }
    }

    fn remedy(&self) -> &str {
        self.command.as_deref().or(self.advice.as_deref()).unwrap_or_default()
    }

    fn cells(&self, style: Style) -> [Cell; 6] {
        [
            Cell::styled(style, self.kind),
            or_dash(self.service).into(),
            or_dash(self.vm).into(),
            self.handler.to_string().into(),
            self.is.as_str().into(),
            self.should.as_str().into(),
        ]
    }
}

/// A line to be pasted, or a word of advice.
fn remedy(config: &Config, finding: &Finding) -> (Option<String>, Option<String>) {
    let root = config.root.display();
    let item = finding.service.map(|item| format!(" --item {item}")).unwrap_or_default();
    match &finding.remedy {
        Remedy::Safe => (Some(format!("pmvmmanager6 audit --repair {}{item} --yes", finding.kind.name())), None),
        Remedy::Operator(arguments) => (Some(format!("pmvmmanager6 {arguments}")), None),
        Remedy::Module(arguments) => (Some(format!("{root}/processing/pmvmmanager6 {arguments}")), None),
        Remedy::Panel(call) => (Some(format!("{root}/sbin/mgrctl -m billmgr {call}")), None),
        Remedy::ByHand(advice) => (None, Some(advice.clone())),
    }
}

fn audit_one(config: &Config, panel: &Panel, handler: &mut Audited) -> Result<Audit> {
    let record = panel.handler(handler.handler)?;
    handler.name.clone_from(&record.name);
    audit::run(&HandlerJob::new(config, panel, record, "audit")?)
}
