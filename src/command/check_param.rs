//! `--command check_param [--item N] --param NAME --value VALUE` [protocol 3.22]. The document on standard input has no
//! known shape and is not needed.

use secrecy::ExposeSecret;

use super::context::Context;
use crate::error::Result;
use crate::service::vm::check_addon;
use crate::wire::Element;

/// `<doc><ok/></doc>` unless the value is certainly impossible. Whether the value of an encrypted parameter comes in clear is
/// open: what can be decrypted is.
pub(super) fn answer(context: &Context) -> Result<Element> {
    let text = |name| context.call.text(name).unwrap_or_default();
    let (name, value) = (text("param"), text("value"));
    let opened = (value.len() >= SHORTEST_CRYPTED).then(|| context.panel.decrypt(name, value).ok()).flatten();
    check_addon::param(name, opened.as_ref().map_or(value, ExposeSecret::expose_secret))?;
    Ok(Element::new("doc").child(Element::new("ok")))
}

/// What a key of 1024 bits makes of any value.
const SHORTEST_CRYPTED: usize = 172;
