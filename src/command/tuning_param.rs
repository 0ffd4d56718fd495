//! `--command tuning_param` [protocol 3.25]: the handler's table of custom parameters, shown and checked.
//!
//! The panel sends what it knows as `session_params/param` (name, value) and gets the document back with these
//! rewritten. A value that cannot be used is refused here, so the stored one stays.

use std::collections::BTreeMap;

use super::context::Context;
use crate::error::{Error, Kind, Result};
use crate::id::HandlerId;
use crate::panel::HandlerParam;
use crate::settings::{custom, validate};
use crate::wire::Element;

/// Answers the subcommand of the call.
pub(super) fn answer(context: &Context, input: &Element) -> Result<Element> {
    let subcommand = context.call.text("subcommand").unwrap_or_default();
    reply(subcommand, input, &mut |handler| context.panel.handler_params(handler))
}

/// Answers a subcommand; `stored` reads the rows of a handler and is asked only by `List`.
fn reply(
    subcommand: &str,
    input: &Element,
    stored: &mut dyn FnMut(HandlerId) -> Result<Vec<HandlerParam>>,
) -> Result<Element> {
    let mut params = session_params(input);
    let mut output = input.clone();
    output.children.retain(|child| child.name != "session_params");
    match subcommand {
        "List" => list(&mut output, stored(handler(&params)?)?),
        "TableFormTune" => tune_form(&mut output),
        "TableGet" => show(&mut params),
        "TableSet" => set(&mut params)?,
        other => {
            let text = format!("tuning_param has no subcommand \"{other}\"");
            return Err(Error::new(Kind::NotSupported, other, text));
        }
    }
    let param = |(name, value)| Element::new("param").attribute("name", name).attribute("value", value);
    let params = params.iter().map(|(name, value)| param((name.as_str(), value.as_str())));
    Ok(output.child(Element::new("session_params").children(params)))
}

fn session_params(input: &Element) -> BTreeMap<String, String> {
    let attribute = |param: &Element, name: &str| param.get(name).unwrap_or_default().to_owned();
    let params = input.all("session_params").flat_map(|params| &params.children);
    params.map(|param| (attribute(param, "name"), attribute(param, "value"))).collect()
}

fn handler(params: &BTreeMap<String, String>) -> Result<HandlerId> {
    let elid = params.get("elid").map_or("", |value| value.trim());
    elid.parse::<u64>().map(HandlerId::from).map_err(|_| {
        Error::new(Kind::BadInputXml, "elid", format!("session_params must name the handler in elid, not \"{elid}\""))
    })
}

/// Rows that the panel put into the document already are not repeated.
fn list(output: &mut Element, stored: Vec<HandlerParam>) {
    for HandlerParam { id, name, value } in stored {
        let id = id.to_string();
        let is_listed = output.all("elem").any(|elem| elem.value("id") == id);
        if is_ours(&name) && !is_listed {
            let cells = [("id", id), ("param", name), ("value", value)];
            let cells = cells.map(|(cell, text)| Element::with_text(cell, text));
            output.children.push(Element::new("elem").children(cells));
        }
    }
}

/// The choices of the parameters that are not free text.
fn tune_form(output: &mut Element) {
    for setting in custom().filter(|setting| !setting.choices.is_empty()) {
        let choices = setting.choices.iter().map(|choice| Element::with_text("msg", *choice));
        output.children.push(Element::new("slist").attribute("name", setting.name).children(choices));
    }
}

/// A parameter without a value shows its default.
fn show(params: &mut BTreeMap<String, String>) {
    let name = params.get("param").cloned().unwrap_or_default();
    if let Some(setting) = custom().find(|setting| setting.name == name) {
        let value = params.entry("value".to_owned()).or_default();
        if value.trim().is_empty() {
            setting.default.clone_into(value);
        }
    }
}

fn set(params: &mut BTreeMap<String, String>) -> Result<()> {
    let text = |name: &str| params.get(name).cloned().unwrap_or_default();
    let checked = validate(&text("param"), &text("value"))?;
    params.insert("value".to_owned(), checked);
    Ok(())
}

fn is_ours(name: &str) -> bool {
    custom().any(|setting| setting.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::parse;

    fn ask(subcommand: &str, params: &[(&str, &str)]) -> Result<Element> {
        let params = params.iter().map(|(n, v)| Element::new("param").attribute("name", *n).attribute("value", *v));
        let input = Element::new("doc")
            .child(Element::with_text("kept", "as it was"))
            .child(Element::new("session_params").children(params));
        let row = |id, name: &str, value: &str| HandlerParam { id, name: name.to_owned(), value: value.to_owned() };
        let mut stored = |handler| {
            assert_eq!(handler, HandlerId::from(7));
            Ok(vec![row(3, "url", "https://vm"), row(4, "queue_key", "a<b"), row(5, "session_ttl", "60")])
        };
        let answer = reply(subcommand, &input, &mut stored)?;
        let answer = parse(answer.document().as_bytes()).unwrap();
        assert_eq!(answer.value("kept"), "as it was");
        assert_eq!(answer.all("session_params").count(), 1);
        Ok(answer)
    }

    #[test]
    fn lists_the_stored_custom_parameters_only() {
        let answer = ask("List", &[("elid", "7")]).unwrap();
        let rows: Vec<_> = answer.all("elem").map(|e| (e.value("id"), e.value("param"), e.value("value"))).collect();
        assert_eq!(rows, [("4", "queue_key", "a<b"), ("5", "session_ttl", "60")]);
        assert_eq!(ask("List", &[("elid", "x")]).unwrap_err().kind, Kind::BadInputXml);
    }

    #[test]
    fn a_good_value_is_stored_in_its_plain_form() {
        let answer = ask("TableSet", &[("param", "session_ttl"), ("value", " 060 "), ("elid", "5")]).unwrap();
        let params = session_params(&answer);
        assert_eq!(
            (params["value"].as_str(), params["param"].as_str(), params["elid"].as_str()),
            ("60", "session_ttl", "5")
        );
    }

    #[test]
    fn a_bad_value_is_refused_with_the_reason() {
        for (name, value) in [
            ("session_ttl", "1 hour"),
            ("queue_count", "0"),
            ("queue_key", ""),
            ("queue_key", "__ID__"),
            ("queue_enabled", "maybe"),
            ("url", "https://vm"),
        ] {
            let error = ask("TableSet", &[("param", name), ("value", value)]).unwrap_err();
            assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, name), "{error}");
        }
    }

    #[test]
    fn an_empty_value_shows_the_default_and_unknown_subcommands_are_refused() {
        let answer = ask("TableGet", &[("param", "queue_count")]).unwrap();
        assert_eq!(session_params(&answer)["value"], "1");
        let answer = ask("TableGet", &[("param", "queue_count"), ("value", "3")]).unwrap();
        assert_eq!(session_params(&answer)["value"], "3");
        let answer = ask("TableFormTune", &[]).unwrap();
        let choices = |list: &Element| list.all("msg").map(|choice| choice.text.clone()).collect::<Vec<_>>().join(" ");
        let lists: Vec<_> = answer.all("slist").map(|list| (list.get("name"), choices(list))).collect();
        let switch = |name| (Some(name), "on off".to_owned());
        let unknown = (Some("unknown_addons"), "report refuse".to_owned());
        let expected = [switch("queue_enabled"), unknown, switch("resold_accounts"), switch("secret_arguments")];
        assert_eq!(lists, expected);
        assert_eq!(ask("TableDrop", &[]).unwrap_err().kind, Kind::NotSupported);
    }
}
