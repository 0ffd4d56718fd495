//! `--command get_suitable_module` [protocol 3.4]: BILLmanager looks for a handler for an order.

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::service::handler::suitability;
use crate::wire::Element;

/// The handlers of `/doc/item/pricelist`, best first, without those of `/doc/skip_modules`; an empty list means none.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let tariff = input.find("item").map(|item| item.value("pricelist")).unwrap_or_default();
    let tariff = number("pricelist", tariff)?;
    let skipped = input.value("skip_modules").split(',').map(str::trim).filter(|id| !id.is_empty());
    let skipped = skipped.map(|id| number("skip_modules", id)).collect::<Result<Vec<_>>>()?;
    let ranked = suitability::rank(context.config, context.panel, tariff, &skipped)?;
    let module = |id: HandlerId| Element::new("module").attribute("id", id.to_string());
    Ok(Element::new("doc").child(Element::new("modules").children(ranked.into_iter().map(module))))
}

fn number<T: From<u64>>(name: &str, text: &str) -> Result<T> {
    text.parse::<u64>().map(T::from).map_err(|_| {
        let text = format!("the document has \"{text}\" where an id is needed ({name})");
        Error::new(Kind::BadInputXml, name, text)
    })
}
