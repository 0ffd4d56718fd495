//! `--command tune_connection` [protocol 3.3]: the handler's form is drawn, or one of its fields was changed.
//!
//! The form must open whatever VMmanager does, or nobody could correct a wrong address in it. Only a step of the
//! creation wizard that is being submitted is refused, with the reason.

use super::context::Context;
use super::form;
use crate::error::Result;
use crate::log;
use crate::panel::Handler;
use crate::service::handler::check_connection;
use crate::service::handler::form_lists::{self, Choice};
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::HandlerSettings;
use crate::wire::Element;

/// The form as it came, with the list of clusters.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let stored = stored(context, input);
    let settings = HandlerSettings::read(&form::settings(input));
    // This runs while somebody types an address: the stored password is for the stored one alone.
    let typed = input.find("password").map_or("", |field| field.text.as_str());
    let password = Password::choose(typed, &settings, stored.as_ref());
    let submitted = is_submitted_step(input);
    let mut output = input.clone();
    if submitted {
        let vmm = connection::connect(&context.config.impatient(), &settings, &password?)?;
        check_connection::check(&vmm, &settings)?;
        form::fill(&mut output, "cluster", &form_lists::clusters(&vmm)?);
        return Ok(output);
    }
    let live = password.and_then(|password| live(context, &settings, &password));
    let live = live.inspect_err(|error| log::info!("the form has no live list of clusters: {error}")).ok();
    let clusters = live.or_else(|| cached_lists(context, stored.as_ref()?));
    form::fill(&mut output, "cluster", &clusters.unwrap_or_default());
    Ok(output)
}

/// The handler that is edited; a new one has none, and one that cannot be read is no reason to refuse the form.
fn stored(context: &Context, input: &Element) -> Option<Handler> {
    let id = input.value("elid").parse().ok()?;
    context.panel.handler(id).inspect_err(|error| log::warn!("the handler of the form is not known: {error}")).ok()
}

/// "Next" or "Finish" in the wizard, and not "Back".
fn is_submitted_step(input: &Element) -> bool {
    let pressed = |button: &str| input.value("clicked_button") == button;
    let submitted = input.value("sok") == "ok" || ["ok", "next", "finish"].into_iter().any(pressed);
    input.value("func").starts_with("processing.add") && submitted && !pressed("back") && !pressed("cancel")
}

fn live(context: &Context, settings: &HandlerSettings, password: &Password) -> Result<Vec<Choice>> {
    form_lists::clusters(&connection::connect(&context.config.impatient(), settings, password)?)
}

fn cached_lists(context: &Context, handler: &Handler) -> Option<Vec<Choice>> {
    let kept = context.panel.cached_lists(handler.id).ok()?;
    form::from_cache(&kept).map(|choices| choices.clusters)
}
