//! `--command get_suitable_module` [protocol 3.4]: BILLmanager looks for a handler for an order.

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, ServiceId};
use crate::service::handler::suitability::{self, Choice};
use crate::wire::Element;

/// The handlers of `/doc/item/pricelist`, best first, without those of `/doc/skip_modules`; an empty list means none.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let text = |name| input.find("item").map(|item| item.value(name)).unwrap_or_default();
    let skipped = input.value("skip_modules").split(',').map(str::trim).filter(|id| !id.is_empty());
    // A service that is being ordered has neither.
    let service = text("id").parse().ok().filter(|id: &u64| *id > 0).map(ServiceId::from);
    let named = text("processingmodule").parse().ok().filter(|id: &u64| *id > 0).map(HandlerId::from);
    let stored = || context.panel.owner(service?).ok()?.handler;
    let choice = Choice {
        tariff: number("pricelist", text("pricelist"))?,
        skipped: skipped.map(|id| number("skip_modules", id)).collect::<Result<_>>()?,
        service,
        connected: named.or_else(stored),
    };
    let ranked = suitability::rank(context.config, context.panel, &choice)?;
    let module = |id: HandlerId| Element::new("module").attribute("id", id.to_string());
    Ok(Element::new("doc").child(Element::new("modules").children(ranked.into_iter().map(module))))
}

fn number<T: From<u64>>(name: &str, text: &str) -> Result<T> {
    text.parse::<u64>().map(T::from).map_err(|_| {
        let text = format!("the document has \"{text}\" where an id is needed ({name})");
        Error::new(Kind::BadInputXml, name, text)
    })
}
