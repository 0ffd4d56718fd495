//! `pmvmmanager6 account`: which client of BILLmanager each account of VMmanager belongs to, as we made it or staff said.
//! `confirm` is for what only staff can know; without `--yes` it shows both sides and changes nothing.
//!
//! `--json` prints `[{"platform": 1, "account": 5, "client": 12, "service": null}]`.

use std::io::Write;

use serde_json::json;

use super::handler_site::HandlerSite;
use super::output::{write, write_json};
use super::table::{or_dash, table};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::{AccountId, ClientId, HandlerId, ServiceId};
use crate::journal::{Journal, Tie};
use crate::panel::{Customer, Panel};
use crate::service::vm::account::checked;
use crate::vmm::Account;

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// The account is the client's; shows both and changes nothing without --yes
    Confirm(Confirm),
}

#[derive(Debug, clap::Args)]
struct Confirm {
    /// Handler id in BILLmanager
    #[arg(long)]
    module: HandlerId,
    /// Client id in BILLmanager
    #[arg(long)]
    client: ClientId,
    /// Account id in VMmanager
    #[arg(long)]
    account: AccountId,
    /// The one service that the account is for: a reseller's client must not enter another one
    #[arg(long)]
    item: Option<ServiceId>,
    /// The client who loses the account
    #[arg(long, value_name = "CLIENT")]
    from: Option<ClientId>,
    /// Record it
    #[arg(long)]
    yes: bool,
}

/// Lists, or records what staff say.
pub(crate) fn run(config: &Config, options: &Options, out: &mut dyn Write) -> Result<()> {
    if let Some(Action::Confirm(asked)) = &options.action {
        return confirm(config, asked, out);
    }
    let ties = Journal::existing(config)?.map_or_else(|| Ok(Vec::new()), |journal| journal.ties())?;
    if options.json { write_json(out, &document(&ties)) } else { write(out, &text(&ties)) }
}

fn document(ties: &[Tie]) -> Vec<serde_json::Value> {
    let object = |tie: &Tie| json!({ "platform": tie.platform, "account": tie.account, "client": tie.client, "service": tie.item });
    ties.iter().map(object).collect()
}

fn text(ties: &[Tie]) -> String {
    if ties.is_empty() {
        return "No account is known to be a client's.\n".to_owned();
    }
    let row =
        |tie: &Tie| [tie.platform.to_string(), tie.account.to_string(), tie.client.to_string(), or_dash(tie.item)];
    table(["PLATFORM", "ACCOUNT", "CLIENT", "SERVICE"], &ties.iter().map(row).collect::<Vec<_>>())
}

fn confirm(config: &Config, asked: &Confirm, out: &mut dyn Write) -> Result<()> {
    let panel = Panel::new(config);
    let client = panel.client(asked.client)?;
    refuse_others_service(&panel, asked)?;
    let opened = HandlerSite::open(config, &panel, asked.module, asked.yes)?;
    let (platform, address) = (opened.site().recognise(None)?, opened.vmm.base());
    let account = opened.vmm.account(asked.account)?.ok_or_else(|| {
        let text = format!("VMmanager at {address} has no account {}", asked.account);
        Error::new(Kind::Vm6NotFound, "account", text)
    })?;
    let recorded = opened.journal.tie_of(platform, account.id)?;
    write(out, &facts(asked, &client, &account, recorded.as_ref()))?;
    checked(&account)?;
    refuse_owned(asked, recorded.as_ref())?;
    if !asked.yes {
        return write(
            out,
            "Nothing was changed. Run it again with --yes to record that the account is the client's.\n",
        );
    }
    let tie = Tie { platform, account: account.id, client: client.id, item: asked.item };
    opened.journal.confirm_tie(&tie)?;
    write(out, &format!("Account {} on platform {platform} is client {}'s.\n", account.id, client.id))
}

fn facts(asked: &Confirm, client: &Customer, account: &Account, recorded: Option<&Tie>) -> String {
    let owner = recorded.map(|tie| match tie.item {
        Some(item) => format!("client {}, service {item}", tie.client),
        None => format!("client {}", tie.client),
    });
    let rows = [
        ["id".to_owned(), client.id.to_string(), account.id.to_string()],
        ["name".to_owned(), client.name.clone(), "-".to_owned()],
        ["e-mail".to_owned(), client.email.clone(), account.email.clone()],
        ["roles".to_owned(), "-".to_owned(), account.roles.join(", ")],
        ["service".to_owned(), or_dash(asked.item), "-".to_owned()],
        ["recorded as".to_owned(), "-".to_owned(), or_dash(owner)],
    ];
    table(["", "CLIENT", "ACCOUNT"], &rows)
}

fn refuse_others_service(panel: &Panel, asked: &Confirm) -> Result<()> {
    let Some(item) = asked.item else { return Ok(()) };
    let owner = panel.service(item)?.client.id;
    if owner == asked.client {
        return Ok(());
    }
    let text = format!("service {item} belongs to client {owner}, not to client {}", asked.client);
    Err(Error::new(Kind::BadArgument, "item", text))
}

/// An account of somebody else changes hands only by his name.
fn refuse_owned(asked: &Confirm, recorded: Option<&Tie>) -> Result<()> {
    let owner = recorded.map(|tie| tie.client).filter(|owner| *owner != asked.client);
    if owner == asked.from {
        return Ok(());
    }
    let (object, account) = (format!("account {}", asked.account), asked.account);
    let Some(owner) = owner else {
        let text = format!("account {account} is not recorded as another client's");
        return Err(Error::new(Kind::BadArgument, "from", text).cure("leave --from out"));
    };
    let text = format!("account {account} is recorded as client {owner}'s");
    let cure = format!("to take it from client {owner}, add --from {owner}");
    Err(Error::new(Kind::AccountTaken, object, text).cure(cure))
}
