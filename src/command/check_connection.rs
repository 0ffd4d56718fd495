//! `--command check_connection` [protocol 3.2]: the settings form or its test button asks whether the settings work.

use super::context::Context;
use super::form;
use crate::error::{Error, Kind, Result};
use crate::panel::Handler;
use crate::service::handler::check_connection;
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::HandlerSettings;
use crate::wire::Element;

/// `<doc><ok/></doc>` when the settings of `/doc/processingmodule` work.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let entered = input.find("processingmodule").ok_or_else(|| {
        Error::new(Kind::BadInputXml, "processingmodule", "the document has no element /doc/processingmodule")
    })?;
    let settings = HandlerSettings::read(&form::settings(entered));
    let stored = stored(context, entered)?;
    stored.as_ref().map_or(Ok(()), connection::refuse_external)?;
    // An empty password on an existing handler means that it was not changed.
    let typed = entered.find("password").map_or("", |field| field.text.as_str());
    let password = Password::choose(typed, &settings, stored.as_ref())?;
    check_connection::check(&connection::connect(context.config, &settings, &password)?, &settings)?;
    Ok(Element::new("doc").child(Element::new("ok")))
}

/// The handler as it is stored, when the form edits an existing one.
fn stored(context: &Context, form: &Element) -> Result<Option<Handler>> {
    match form.value("id").parse() {
        Ok(id) => context.panel.handler(id).map(Some),
        Err(_) => Ok(None),
    }
}
