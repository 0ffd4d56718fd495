//! `--command check_addon [--item N] --param NAME --value VALUE` [protocol 3.22].

use super::Context;
use crate::error::{Kind, Result};
use crate::log;
use crate::service::check;
use crate::wire::Element;

/// `<doc><ok/></doc>` unless the value is certainly impossible. A VMmanager that is away is no reason to refuse.
pub fn answer(context: &Context) -> Result<Element> {
    let text = |name| context.call.text(name).unwrap_or_default();
    if let Some(item) = context.call.optional_id("item")? {
        let checked = context.with_job(item, "check_addon", |job| check::addon(job, text("param"), text("value")));
        match checked {
            Err(error) if matches!(error.kind, Kind::DiskShrink | Kind::BadParam) => return Err(error),
            Err(error) => log::warn!("the add-on could not be checked and is accepted: {error}"),
            Ok(()) => {}
        }
    }
    Ok(Element::new("doc").child(Element::new("ok")))
}
