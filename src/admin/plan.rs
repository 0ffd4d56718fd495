//! `pmvmmanager6 plan --item N [--command NAME]`: what an operation would send to VMmanager and call in BILLmanager.
//!
//! The plan is the operation itself, run without sending ([`crate::dry_run`]): both platforms are asked, neither is changed, and
//! the journal is a copy in memory. No ticket is taken: an operation that runs meanwhile may change what was planned.
//!
//! The shape of `--json` is in [`HELP`]. Exit status 1 when the operation would fail.

use std::io::Write;
use std::rc::Rc;

use anstyle::Style;
use serde::Serialize;
use serde_json::{Value, json};

use super::output::{Verdict, write, write_json};
use crate::command::{self, Context, Invocation};
use crate::config::Config;
use crate::dry_run::{Party, Plan, Step};
use crate::error::{Error, Kind, Result};
use crate::id::{OperationId, ServiceId};
use crate::log;
use crate::panel::{Panel, ServiceStatus};
use crate::text::{LONGEST, clean};

/// Operations that can be planned: those that need no further arguments.
pub(crate) const COMMANDS: [&str; 11] =
    ["open", "reopen", "setparam", "suspend", "resume", "close", "start", "stop", "reboot", "hardreboot", "sync_item"];

/// The shape of `--json`, for the help.
pub(crate) const HELP: &str = r#"--json prints one object:

  {"service": 4711, "command": "setparam", "chosen": "the service is active",
   "steps": [{"number": 1, "to": "VMmanager", "request": "POST /vm/v3/host/217/resource",
              "body": {"ram_mib": 4096}, "why": "memory 2048 → 4096 MiB, …"}],
   "restart": false, "error": null, "unpredictable": null}

"chosen" says why the command was taken, null when it was given. "to" is VMmanager or BILLmanager; "body" is null where
there is none, secrets in it are ***, and what does not exist yet has a name in angle brackets. "error" is
{"type", "object", "text", "cure"} where the operation would fail (exit status 1); "unpredictable" is a text where
nobody can know how the operation goes on after the steps."#;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// Service id in BILLmanager
    #[arg(long)]
    item: ServiceId,
    /// Operation; without it the one that BILLmanager runs, or that fits the service's status
    #[arg(long, value_parser = COMMANDS)]
    command: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the operation without sending anything and shows what it would send.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    log::dry_run();
    if config.do_nothing() {
        let text = "etc/billmgr.DoNothing exists: this is a copied or test installation, operations do nothing here";
        return Err(Error::new(Kind::NotSupported, "plan", text));
    }
    let plan = Rc::new(Plan::default());
    let choice = choose(config, options)?;
    let error = dry_run(config, &call(options.item, &choice, &plan), &plan)?;
    let error = error.map(|error| error.reworded(|text| plan.named(text)));
    let shown = Shown { item: options.item, choice, steps: plan.steps(), error, unpredictable: plan.ended() };
    if let (Some(error), []) = (&shown.error, shown.steps.as_slice())
        && (error.kind.is_connection() || matches!(error.kind, Kind::Db | Kind::Mgrctl))
    {
        return Err(error.clone());
    }
    if options.json {
        write_json(out, &shown.document())?;
    } else {
        write(out, &shown.text())?;
    }
    Ok(if shown.error.is_some() { Verdict::Findings } else { Verdict::Fine })
}

/// The operation's own error, if it has one.
fn dry_run(config: &Config, call: &Invocation, plan: &Rc<Plan>) -> Result<Option<Error>> {
    let panel = Panel::new(config).dry_run(plan);
    Context::new(config, &panel, call).dry_run(command::find(&call.command)?, plan)
}

/// The operation to plan.
struct Choice {
    command: String,
    /// Why it was taken; nothing when it was given.
    reason: Option<String>,
    /// The running operation of BILLmanager that asks for it.
    operation: Option<OperationId>,
}

/// What was asked for, else what BILLmanager is about to run, else what the service's status asks for.
fn choose(config: &Config, options: &Options) -> Result<Choice> {
    let (status, running) = Panel::new(config).standing(options.item)?;
    let operation = |wanted: &str| running.iter().find(|(_, command)| command == wanted).map(|(id, _)| *id);
    if let Some(command) = &options.command {
        return Ok(Choice { command: command.clone(), reason: None, operation: operation(command) });
    }
    let pending = running.iter().find(|(_, command)| COMMANDS.contains(&command.as_str()));
    let (command, reason) = match (pending, status) {
        (Some((id, command)), _) => (command.as_str(), format!("BILLmanager runs it as operation {id}")),
        (None, ServiceStatus::Ordered | ServiceStatus::Opening) => ("open", "the service is not open yet".to_owned()),
        (None, ServiceStatus::Active) => ("setparam", "the service is active".to_owned()),
        (None, ServiceStatus::Suspended) => ("resume", "the service is suspended".to_owned()),
        (None, ServiceStatus::Deleted) => ("close", "the service is closed".to_owned()),
        (None, ServiceStatus::Other(other)) => {
            let text = format!("service {} has the unknown status {other}", options.item);
            return Err(Error::new(Kind::BadArgument, "command", text).cure("name an operation with --command"));
        }
    };
    Ok(Choice { command: command.to_owned(), reason: Some(reason), operation: operation(command) })
}

/// What BILLmanager would call. It names the user whose change of the tariff may have to be taken back.
fn call(item: ServiceId, choice: &Choice, plan: &Plan) -> Invocation {
    let user = (choice.command == "setparam").then(|| ("userid", plan.placeholder("user who ordered it")));
    let operation = choice.operation.map(|id| ("runningoperation", id.get()));
    let arguments: Vec<(&str, u64)> = [("item", item.get())].into_iter().chain(user).chain(operation).collect();
    Invocation::new(&choice.command, &arguments)
}

/// A plan with what was asked for.
struct Shown {
    item: ServiceId,
    choice: Choice,
    steps: Vec<Step>,
    error: Option<Error>,
    unpredictable: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    service: ServiceId,
    command: &'a str,
    chosen: Option<&'a str>,
    steps: Vec<Value>,
    restart: bool,
    error: Option<Value>,
    unpredictable: Option<&'a str>,
}

impl Shown {
    fn document(&self) -> Document<'_> {
        let step = |(at, step): (usize, &Step)| {
            json!({
                "number": at + 1, "to": step.to.name(), "request": step.request, "body": step.body, "why": step.why,
            })
        };
        let error = |error: &Error| {
            json!({
                "type": error.kind.name(), "object": error.object, "text": error.text, "cure": error.cure,
            })
        };
        Document {
            service: self.item,
            command: &self.choice.command,
            chosen: self.choice.reason.as_deref(),
            steps: self.steps.iter().enumerate().map(step).collect(),
            restart: self.restarts(),
            error: self.error.as_ref().map(error),
            unpredictable: self.unpredictable.as_deref(),
        }
    }

    fn restarts(&self) -> bool {
        self.steps.iter().any(|step| step.request.ends_with("/restart"))
    }

    fn text(&self) -> String {
        let bold = Style::new().bold();
        let reason = self.choice.reason.as_ref().map(|reason| format!(", because {reason}")).unwrap_or_default();
        let step = |(at, step): (usize, &Step)| {
            let Step { to, request, body, why } = step;
            let title = format!("{:2}. {}: {bold}{request}{bold:#}\n", at + 1, to.name());
            [title, line(&values(body)), line(&format!("why: {why}"))].concat()
        };
        let title = format!("Plan for service {}: {bold}{}{bold:#}{reason}\n\n", self.item, self.choice.command);
        let steps = self.steps.iter().enumerate().map(step);
        std::iter::once(title).chain(steps).chain([self.conclusion()]).collect()
    }

    fn conclusion(&self) -> String {
        let is_sent = |part: &str| self.steps.iter().any(|step| step.request.contains(part));
        let is_told = self.steps.iter().any(|step| step.to == Party::Vmmanager);
        let goes_on = self.error.is_none() && self.unpredictable.is_none();
        let power = match (self.restarts(), is_told) {
            (true, _) => "The VM would be restarted once.\n",
            (false, true) if goes_on && (is_sent("/resource") || is_sent("/disk/")) => {
                "The VM would not be restarted.\n"
            }
            (false, true) => "",
            (false, false) if goes_on => "VMmanager would be sent nothing: the VM is as it should be.\n",
            (false, false) => "VMmanager would be sent nothing.\n",
        };
        let blank = if self.steps.is_empty() { "" } else { "\n" };
        let error = self.error.as_ref().map(|error| format!("The operation would fail: {error}\n"));
        let end = self
            .unpredictable
            .as_ref()
            .map(|why| format!("From here on the plan cannot be predicted: {}.\n", clean(why, LONGEST)));
        let parts = [blank, power, &error.unwrap_or_default(), &end.unwrap_or_default(), "Nothing was sent.\n"];
        parts.concat()
    }
}

/// Indented below a step.
fn line(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("    {}\n", clean(text, LONGEST)) }
}

/// `name=vps5 cluster=1`, without what is always the same.
fn values(body: &Value) -> String {
    let bare = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let shown = body.as_object().into_iter().flatten().filter(|(name, _)| *name != "sok");
    shown.map(|(name, value)| format!("{name}={}", bare(value))).collect::<Vec<_>>().join(" ")
}
