//! `--command check_addon [--item N] --param NAME --value VALUE` [protocol 3.22].

use super::context::Context;
use crate::error::Result;
use crate::log;
use crate::service::vm::check_addon;
use crate::wire::Element;

/// `<doc><ok/></doc>` unless the value is certainly impossible. A VMmanager that is away is no reason to refuse, and
/// while a service is being ordered it has no number yet.
pub(super) fn answer(context: &Context) -> Result<Element> {
    let text = |name| context.call.text(name).unwrap_or_default();
    if let Ok(Some(item)) = context.call.optional_id("item") {
        match context.turns.with_job(item, |job| check_addon::addon(job, text("param"), text("value"))) {
            Ok(None) => {}
            Ok(Some(impossible)) => return Err(impossible),
            Err(error) => log::warn!("the add-on could not be checked and is accepted: {error}"),
        }
    }
    Ok(Element::new("doc").child(Element::new("ok")))
}
