//! A service for an operator command: read like for a panel command, and under the same tickets when it is changed.

use std::cell::RefCell;
use std::rc::Rc;

use crate::cli::Invocation;
use crate::command::{self, Context};
use crate::config::Config;
use crate::dry_run::Plan;
use crate::error::{Error, Kind, Result};
use crate::panel::Panel;
use crate::service::job::Job;

/// Looks at a service without changing anything.
pub fn look<T>(config: &Config, item: u64, command: &str, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
    with_context(config, &Panel::new(config), &Invocation::default(), |context| context.with_job(item, command, work))
}

/// Changes a service: alone, and in the handler's queue.
pub fn change<T>(config: &Config, item: u64, command: &str, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
    if config.do_nothing() {
        let text = "etc/billmgr.DoNothing exists: this is a copied or test installation, nothing may be changed";
        return Err(Error::new(Kind::NotSupported, command, text));
    }
    with_context(config, &Panel::new(config), &Invocation::default(), |context| context.with_turn(item, command, work))
}

/// Plans what BILLmanager would call; the operation's own error, if it has one.
pub fn dry_run(config: &Config, call: &Invocation, plan: &Rc<Plan>) -> Result<Option<Error>> {
    let command = command::find(&call.command)?;
    with_context(config, &Panel::new(config).dry_run(plan), call, |context| context.dry_run(command, plan))
}

fn with_context<T>(
    config: &Config,
    panel: &Panel,
    call: &Invocation,
    work: impl FnOnce(&Context) -> Result<T>,
) -> Result<T> {
    work(&Context { config, call, panel, handler: RefCell::new(None) })
}
