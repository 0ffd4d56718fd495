//! `pmvmmanager6 platform`: each `VMmanager` that this installation has met, and which of them a handler's address was
//! last proved to be. `confirm` and `move` are for what only staff can know; without `--yes` they show what would change.

use std::io::Write;

use serde::Serialize;

use super::handler_site::{HandlerSite, journal};
use super::output::{Verdict, write, write_json};
use super::table::{or_dash, table};
use crate::config::Config;
use crate::error::Result;
use crate::id::{ClusterId, HandlerId, PlatformId};
use crate::journal::{Journal, Platform};
use crate::panel::{Handler, Listed, Panel};
use crate::progress::Progress;
use crate::service::platform::recognise::{Site, unknown};
use crate::service::platform::{connection, merge};

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, after_long_help = HELP)]
pub struct Options {
    /// Ask every handler's VMmanager now
    #[arg(long)]
    check: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The VMmanager at a handler's address is right although it shows other VMs; changes nothing without --yes
    Confirm(Confirm),
    /// Two platforms are one VMmanager; changes nothing without --yes
    Move(Move),
}

#[derive(Debug, clap::Args)]
struct Confirm {
    /// Handler id in BILLmanager
    #[arg(long)]
    module: HandlerId,
    /// The platform that is at the address; without it, one that was never met
    #[arg(long)]
    platform: Option<PlatformId>,
    /// Record it
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, clap::Args)]
struct Move {
    /// The platform whose number is given up
    #[arg(long)]
    from: PlatformId,
    /// The platform that gets its services, accounts and addresses
    #[arg(long)]
    to: PlatformId,
    /// Move them
    #[arg(long)]
    yes: bool,
}

const HELP: &str = "\
Exit status: with --check 1 when a handler's VMmanager is not known to be a platform.

--json prints one object:
  {\"platforms\": [{\"platform\": 1, \"addresses\": [\"https://vm.example.net\"],
    \"clusters\": [{\"cluster\": 1, \"name\": \"kvm\"}], \"services\": 12}],
   \"handlers\": [{\"handler\": 1, \"name\": \"Amsterdam\", \"address\": \"https://vm.example.net\", \"recorded\": 1,
    \"checked\": 1, \"error\": null}]}
addresses: the newest first. recorded: what was last seen at the address. checked, error: what --check has found; both
are null when it found a VMmanager that was never met.";

/// Lists, or does what staff say.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    match &options.action {
        Some(Action::Confirm(asked)) => confirm(config, asked, out).map(|()| Verdict::Fine),
        Some(Action::Move(asked)) => merge_platforms(config, asked, out).map(|()| Verdict::Fine),
        None => list(config, options, out),
    }
}

#[derive(Serialize)]
struct Document {
    platforms: Vec<PlatformRow>,
    handlers: Vec<HandlerRow>,
}

#[derive(Serialize)]
struct PlatformRow {
    platform: PlatformId,
    addresses: Vec<String>,
    clusters: Vec<ClusterRow>,
    services: u64,
}

#[derive(Serialize)]
struct ClusterRow {
    cluster: ClusterId,
    name: String,
}

#[derive(Serialize)]
struct HandlerRow {
    handler: HandlerId,
    name: String,
    address: Option<String>,
    recorded: Option<PlatformId>,
    checked: Option<PlatformId>,
    error: Option<String>,
}

fn list(config: &Config, options: &Options, out: &mut dyn Write) -> Result<Verdict> {
    let panel = Panel::new(config);
    let journal = Journal::copy(config)?;
    // Before the handlers are asked: what the copy meets then is not recorded.
    let known = journal.platforms()?;
    let progress = Progress::new();
    let row = |listed: Listed| {
        progress.show(&format!("handler {} ({}) …", listed.id, listed.name));
        let mut row = HandlerRow::new(&listed);
        row.read(config, &panel.handler(listed.id)?, &journal, options.check)?;
        row.checked = row.checked.filter(|checked| known.iter().any(|platform| platform.id == *checked));
        Ok(row)
    };
    let handlers = panel.handlers()?.into_iter().map(row).collect::<Result<Vec<_>>>()?;
    drop(progress);
    let platforms = known.into_iter().map(PlatformRow::from).collect();
    let document = Document { platforms, handlers };
    let written = if options.json { write_json(out, &document) } else { write(out, &document.text(options.check)) };
    let is_odd = document.handlers.iter().any(|handler| handler.error.is_some());
    written.map(|()| if is_odd { Verdict::Findings } else { Verdict::Fine })
}

impl From<Platform> for PlatformRow {
    fn from(found: Platform) -> Self {
        let clusters = found.clusters.into_iter().map(|(cluster, name)| ClusterRow { cluster, name }).collect();
        PlatformRow { platform: found.id, addresses: found.addresses, clusters, services: found.services }
    }
}

impl HandlerRow {
    fn new(listed: &Listed) -> Self {
        let (handler, name) = (listed.id, listed.name.clone());
        HandlerRow { handler, name, address: None, recorded: None, checked: None, error: None }
    }

    /// A handler that is not filled in has no address: an answer like any other.
    fn read(&mut self, config: &Config, handler: &Handler, journal: &Journal, check: bool) -> Result<()> {
        let vmm = match connection::observer(&config.impatient(), handler) {
            Ok(vmm) => vmm,
            Err(error) => {
                self.error = check.then(|| error.to_string());
                return Ok(());
            }
        };
        self.recorded = journal.platform_at(&vmm.base())?;
        self.address = Some(vmm.base());
        if check {
            match (Site { handler: handler.id, vmm: &vmm, journal }).recognise(None) {
                Ok(platform) => self.checked = Some(platform),
                Err(error) => self.error = Some(error.to_string()),
            }
        }
        Ok(())
    }
}

impl Document {
    fn text(&self, check: bool) -> String {
        let platforms = match &self.platforms[..] {
            [] => "No VMmanager was met yet.\n".to_owned(),
            platforms => platforms_text(platforms),
        };
        format!("{platforms}\n{}", handlers_text(&self.handlers, check))
    }
}

fn platforms_text(platforms: &[PlatformRow]) -> String {
    let row = |row: &PlatformRow| {
        let clusters: Vec<&str> = row.clusters.iter().map(|cluster| cluster.name.as_str()).collect();
        [row.platform.to_string(), row.services.to_string(), clusters.join(", "), row.addresses.join(", ")]
    };
    table(["PLATFORM", "SERVICES", "CLUSTERS", "ADDRESSES"], &platforms.iter().map(row).collect::<Vec<_>>())
}

fn handlers_text(handlers: &[HandlerRow], check: bool) -> String {
    let row = |row: &HandlerRow| {
        [row.handler.to_string(), row.name.clone(), or_dash(row.address.as_ref()), or_dash(row.recorded)]
    };
    if !check {
        let rows: Vec<_> = handlers.iter().map(row).collect();
        return table(["HANDLER", "NAME", "ADDRESS", "PLATFORM"], &rows);
    }
    let now = |row: &HandlerRow| match (&row.error, row.checked) {
        (Some(error), _) => error.clone(),
        (None, Some(platform)) => platform.to_string(),
        (None, None) => "not met yet".to_owned(),
    };
    let checked = |found: &HandlerRow| {
        let [handler, name, address, recorded] = row(found);
        [handler, name, address, recorded, now(found)]
    };
    table(["HANDLER", "NAME", "ADDRESS", "PLATFORM", "NOW"], &handlers.iter().map(checked).collect::<Vec<_>>())
}

fn confirm(config: &Config, asked: &Confirm, out: &mut dyn Write) -> Result<()> {
    let opened = HandlerSite::open(config, &Panel::new(config), asked.module, asked.yes)?;
    let address = opened.vmm.base();
    let recorded = opened.journal.platform_at(&address)?;
    let confirmed = opened.site().confirm(asked.platform)?;
    let about = format!("{}, {address}: ", opened.label());
    let what = match recorded {
        Some(recorded) if recorded == confirmed => format!("is platform {confirmed}, as before"),
        Some(recorded) => format!("is platform {confirmed}, was platform {recorded}"),
        None => format!("is platform {confirmed}, was never met"),
    };
    write(out, &format!("{about}{what}\n{}", ending(asked.yes, "Recorded.")))
}

fn merge_platforms(config: &Config, asked: &Move, out: &mut dyn Write) -> Result<()> {
    let journal = journal(config, asked.yes)?;
    let known = journal.platforms()?;
    let find = |id| known.iter().find(|platform| platform.id == id).cloned().ok_or_else(|| unknown(id));
    let both = [find(asked.from)?, find(asked.to)?];
    merge::refuse_different(&journal, asked.from, asked.to)?;
    write(out, &platforms_text(&both.map(PlatformRow::from)))?;
    journal.merge_platform(asked.from, asked.to)?;
    write(out, &ending(asked.yes, &format!("Both are platform {} now.", asked.to)))
}

/// What was done, or how to have it done.
fn ending(yes: bool, done: &str) -> String {
    if yes { format!("{done}\n") } else { "Nothing was changed. Run it again with --yes to record that.\n".to_owned() }
}
