//! A service for an operator command: read like for a panel command, and under the same tickets when it is changed.

use std::cell::RefCell;

use crate::cli::Invocation;
use crate::command::Context;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::panel::Panel;
use crate::service::Job;

/// Looks at a service without changing anything.
pub fn look<T>(config: &Config, item: u64, command: &str, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
    with_context(config, |context| context.with_job(item, command, work))
}

/// Changes a service: alone, and in the handler's queue.
pub fn change<T>(config: &Config, item: u64, command: &str, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
    if config.do_nothing() {
        let text = "etc/billmgr.DoNothing exists: this is a copied or test installation, nothing may be changed";
        return Err(Error::new(Kind::NotSupported, command, text));
    }
    with_context(config, |context| context.with_turn(item, command, work))
}

fn with_context<T>(config: &Config, work: impl FnOnce(&Context) -> Result<T>) -> Result<T> {
    let (panel, call) = (Panel::new(config), Invocation::default());
    work(&Context { config, call: &call, panel: &panel, handler: RefCell::new(None) })
}
