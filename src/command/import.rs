//! `--command import --module N [--itemtype vds] [--searchstring WORDS]` [protocol 3.20].

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::service::handler::{HandlerJob, import};

/// Offers the VMs without a service that fit one of the words, or all.
pub(super) fn run(context: &Context, job: &HandlerJob) -> Result<()> {
    if let Some(other) = context.call.text("itemtype").filter(|itemtype| *itemtype != "vds") {
        let text = format!("this module serves item type vds, not \"{other}\"");
        return Err(Error::new(Kind::BadArgument, "itemtype", text));
    }
    let search = context.call.text("searchstring").unwrap_or_default();
    let words = search.split(|c: char| c == ',' || c.is_whitespace()).filter(|word| !word.is_empty());
    import::run(job, &words.collect::<Vec<_>>()).map(drop)
}
