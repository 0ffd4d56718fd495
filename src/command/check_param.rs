//! `--command check_param [--item N] --param NAME --value VALUE` [protocol 3.22]. The document on standard input has no
//! known shape and is not needed.

use super::context::Context;
use crate::error::Result;
use crate::service::vm::check_addon;
use crate::wire::Element;

/// `<doc><ok/></doc>` unless the value is certainly impossible.
pub(super) fn answer(context: &Context) -> Result<Element> {
    let text = |name| context.call.text(name).unwrap_or_default();
    check_addon::param(text("param"), text("value"))?;
    Ok(Element::new("doc").child(Element::new("ok")))
}
