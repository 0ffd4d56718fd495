//! `--command tune_connection` [protocol 3.3]: the handler's form is drawn, or one of its fields was changed.
//!
//! The form must open whatever VMmanager does, or nobody could correct a wrong address in it. Only a step of the
//! creation wizard that is being submitted is refused, with the reason.

use std::collections::BTreeMap;

use super::context::Context;
use super::form;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::Handler;
use crate::service::handler::check_connection;
use crate::service::handler::form_lists::{self, Choice};
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::{self, HandlerSettings, Place, Setting};
use crate::wire::Element;

/// What of the handler's form a document holds [protocol A1, A2].
#[derive(Clone, Copy, PartialEq, Eq)]
enum Page {
    /// The third step of the wizard: how VMmanager is reached.
    Connect,
    /// The fourth step: how VMs are made.
    Settings,
    /// A handler that exists: everything.
    Both,
}

/// The form as it came, with the list of clusters.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let page = Page::of(input);
    let stored = stored(context, input);
    let settings = HandlerSettings::read(&page.values(input, stored.as_ref()));
    let password = Password::choose(page.password(input), &settings, stored.as_ref());
    if page.is_submitted(input) {
        match page {
            Page::Settings => submit_settings(context, &settings, password.as_ref().ok())?,
            _ => try_out(context, &settings, password.as_ref().map_err(Clone::clone)?)?,
        }
    }
    let mut output = input.clone();
    if page != Page::Connect || input.find("cluster").is_some() {
        let live = password.and_then(|password| live(context, &settings, &password));
        let live = live.inspect_err(|error| log::info!("the form has no live list of clusters: {error}")).ok();
        let clusters = live.or_else(|| cached_lists(context, stored.as_ref()?));
        form::fill(&mut output, "cluster", &clusters.unwrap_or_default());
    }
    Ok(output)
}

/// The handler that is edited; a new one has none, and one that cannot be read is no reason to refuse the form.
fn stored(context: &Context, input: &Element) -> Option<Handler> {
    let id = input.value("elid").parse().ok()?;
    context.panel.handler(id).inspect_err(|error| log::warn!("the handler of the form is not known: {error}")).ok()
}

impl Page {
    fn of(input: &Element) -> Self {
        match form::func(input) {
            "processing.add.settings" => Page::Settings,
            func if func.starts_with("processing.add") => Page::Connect,
            _ => Page::Both,
        }
    }

    fn shows(self, place: Place) -> bool {
        match self {
            Page::Connect => place == Place::Connect,
            Page::Settings => place == Place::Settings,
            Page::Both => true,
        }
    }

    /// The settings in clear. What is not on the page was asked for on the one before, or is stored; the third step does
    /// not know what the fourth will be, nor judge what it was before a step back.
    fn values(self, input: &Element, stored: Option<&Handler>) -> BTreeMap<String, String> {
        let value = |setting: &Setting| {
            let entered = if self.shows(setting.place) {
                input.find(setting.name).map(|field| field.text.as_str())
            } else {
                form::anywhere(input, setting.name)
            };
            let kept = || stored.and_then(|handler| handler.params.get(setting.name)).map(String::as_str);
            Some((setting.name.to_owned(), entered.or_else(kept)?.to_owned()))
        };
        let known = |setting: &&Setting| !setting.crypted && (self != Page::Connect || self.shows(setting.place));
        settings::form().filter(known).filter_map(value).collect()
    }

    /// The password that was typed; empty when none was.
    fn password(self, input: &Element) -> &str {
        match self {
            Page::Settings => form::anywhere(input, "password").unwrap_or_default(),
            _ => input.find("password").map_or("", |field| field.text.as_str()),
        }
    }

    /// The step of the wizard is being sent, and not left backwards. A fourth step that comes by "Next" has only opened.
    fn is_submitted(self, input: &Element) -> bool {
        let is_sent = input.value("sok") == "ok";
        match (self, input.value("clicked_button")) {
            (Page::Both, _) | (_, "back" | "cancel") | (Page::Settings, "next") => false,
            (Page::Settings, button) => {
                input.find("cluster").is_some() && (is_sent || matches!(button, "ok" | "finish"))
            }
            (Page::Connect, button) => is_sent || matches!(button, "ok" | "next" | "finish"),
        }
    }
}

/// The fourth step. A panel that keeps the third to itself leaves nothing to try out here: `check_connection` does it
/// before the handler is stored.
fn submit_settings(context: &Context, settings: &HandlerSettings, password: Option<&Password>) -> Result<()> {
    if settings.cluster.clone()?.is_none() {
        return Err(Error::new(Kind::MissingParam, "cluster", "no cluster is chosen").cure("choose one"));
    }
    match password {
        Some(password) if settings.url.is_ok() && settings.username.is_ok() => try_out(context, settings, password),
        _ => {
            log::info!("the fourth step of the wizard does not say how VMmanager is reached; it is not tried out yet");
            Ok(())
        }
    }
}

fn try_out(context: &Context, settings: &HandlerSettings, password: &Password) -> Result<()> {
    check_connection::check(&connection::connect(&context.config.impatient(), settings, password)?, settings)
}

fn live(context: &Context, settings: &HandlerSettings, password: &Password) -> Result<Vec<Choice>> {
    form_lists::clusters(&connection::connect(&context.config.impatient(), settings, password)?)
}

fn cached_lists(context: &Context, handler: &Handler) -> Option<Vec<Choice>> {
    let kept = context.panel.cached_lists(handler.id).ok()?;
    form::from_cache(&kept).map(|choices| choices.clusters)
}
