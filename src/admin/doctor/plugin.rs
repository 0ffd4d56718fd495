//! The plugin's XML: installed, and saying what this program does.

use std::collections::BTreeSet;

use crate::admin::finding::Finding;
use crate::command::TABLE;
use crate::config::{Config, MODULE};
use crate::error::Kind;
use crate::settings;
use crate::wire::{self, Element};

/// The file that belongs to this program.
const OURS: &str = include_str!("../../../xml/billmgr_mod_pmvmmanager6.xml");
const CHECK: &str = "plugin XML";
const CURE: &str = "install the module again, then restart BILLmanager with \"mgrctl -m billmgr -R\"";

/// What the panel shows of the module, as it is installed.
pub(super) fn installed(config: &Config) -> Finding {
    let path = config.root.join("etc/xml").join(format!("billmgr_mod_{MODULE}.xml"));
    let shown = path.display();
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) => return Finding::error(CHECK, format!("{shown} cannot be read: {error}"), CURE),
    };
    let Ok(plugin) = wire::parse(text.as_bytes()) else {
        return Finding::error(CHECK, format!("{shown} is not XML"), CURE);
    };
    let missing = missing(&plugin);
    if !missing.is_empty() {
        return Finding::error(CHECK, format!("{shown} lacks {}", missing.join(", ")), CURE);
    }
    if text != OURS {
        return Finding::warning(CHECK, format!("{shown} is of another version than this program"), CURE);
    }
    Finding::ok(CHECK, format!("{shown} is this program's"))
}

/// Commands that fill lists, with the form and the names of the lists.
const FILLED: [(&str, &str, &[&str]); 2] = [
    ("tune_connection", "processing.edit", &["cluster"]),
    ("pricelist_dynamic_settings_tune", "pricelist", &["cluster", "preset", "ippool"]),
];

/// What this program needs and the file does not have: fields of the handler's form, lists that its commands fill,
/// texts of parameters and of errors.
fn missing(plugin: &Element) -> Vec<String> {
    let form = |name: &str| named(plugin, "metadata", &format!("{name}.{MODULE}"));
    let known = fields(form("processing.edit"));
    let unknown = settings::form().filter(|setting| !known.iter().any(|field| is(field, setting.name)));
    let mut missing: Vec<String> = unknown.map(|setting| format!("the field {}", setting.name)).collect();
    let declared = |name: &str| TABLE.iter().any(|command| command.feature && command.name == name);
    for (_, name, lists) in FILLED.iter().filter(|(command, ..)| declared(command)) {
        let known = fields(form(name));
        let has = |list: &str| known.iter().any(|field| is(field, list) && field.find("select").is_some());
        missing.extend(lists.iter().filter(|list| !has(list)).map(|list| format!("the list {list} of {name}")));
    }
    let parameters = texts(plugin, &format!("processing.customparam.names.{MODULE}"));
    let untold = settings::custom().filter(|setting| !parameters.contains(setting.name));
    missing.extend(untold.map(|setting| format!("the text of the parameter {}", setting.name)));
    let errors = texts(plugin, "msgerror");
    let names = Kind::ALL.iter().map(|kind| format!("msg_error_{}", kind.name()));
    missing.extend(names.filter(|name| !errors.contains(name.as_str())).map(|name| format!("the text {name}")));
    missing
}

fn is(element: &Element, name: &str) -> bool {
    element.get("name") == Some(name)
}

fn named<'a>(parent: &'a Element, tag: &'a str, name: &str) -> Option<&'a Element> {
    parent.all(tag).find(|child| is(child, name))
}

/// The fields of a form, on its pages or without.
fn fields(form: Option<&Element>) -> Vec<&Element> {
    let forms = form.into_iter().flat_map(|form| form.all("form"));
    forms.flat_map(|form| form.all("page").chain([form])).flat_map(|page| page.all("field")).collect()
}

/// Names of the English texts of a section.
fn texts<'a>(plugin: &'a Element, section: &str) -> BTreeSet<&'a str> {
    let sections = named(plugin, "lang", "en").into_iter().flat_map(|lang| lang.all("messages"));
    let texts = sections.filter(|messages| is(messages, section)).flat_map(|messages| messages.all("msg"));
    texts.filter_map(|text| text.get("name")).collect()
}
