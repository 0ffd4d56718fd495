//! `--command pricelist_dynamic_settings_tune --module N [--itemtype vds]` [protocol 3.23]: the module's fields of a
//! tariff get their lists: cluster, VM configuration, IP pool. An empty cluster means the handler's.

use super::context::Context;
use super::form;
use crate::error::Result;
use crate::id::HandlerId;
use crate::log;
use crate::service::handler::form_lists::Choices;
use crate::service::platform::connection;
use crate::wire::Element;

/// The form as it came, with the lists: those kept with the handler, else VMmanager's own.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let choices = match context.call.optional_id("module")? {
        Some(handler) => choices(context, handler).unwrap_or_else(|error| {
            log::warn!("the tariff form has no lists: {error}");
            Choices::default()
        }),
        None => Choices::default(),
    };
    let mut output = input.clone();
    for (select, list) in [("cluster", choices.clusters), ("preset", choices.presets), ("ippool", choices.pools)] {
        form::fill_optional(&mut output, select, &list);
    }
    Ok(output)
}

fn choices(context: &Context, id: HandlerId) -> Result<Choices> {
    let handler = context.panel.handler(id)?;
    if let Some(kept) = form::from_cache(&context.panel.cached_lists(id)?) {
        return Ok(kept);
    }
    Choices::read(&connection::client(&context.config.impatient(), &handler)?)
}
