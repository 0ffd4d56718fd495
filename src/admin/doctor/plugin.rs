//! The plugin's XML: installed, and saying what this program does.

use std::collections::BTreeSet;

use crate::admin::finding::Finding;
use crate::command::{TABLE, features};
use crate::config::{Config, MODULE};
use crate::error::Kind;
use crate::wire::{self, Element};

/// The file that belongs to this program.
const OURS: &str = include_str!("../../../xml/billmgr_mod_pmvmmanager6.xml");
const CHECK: &str = "plugin XML";
const CURE: &str = "install the module again, then restart BILLmanager with \"mgrctl -m billmgr -R\"";

/// What the panel shows of the module, as it is installed.
pub fn installed(config: &Config) -> Finding {
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

/// What this program needs and the file does not have: fields of the handler's form, texts of errors, selects for the
/// commands that fill them.
fn missing(plugin: &Element) -> Vec<String> {
    let form = |name: &str| named(plugin, "metadata", name);
    let fields = fields(form(&format!("processing.edit.{MODULE}")));
    let wanted = features::PARAMS.iter().filter(|param| !fields.contains(param.name));
    let mut missing: Vec<String> = wanted.map(|param| format!("the field {}", param.name)).collect();
    let is_command = |name: &str| TABLE.iter().any(|command| command.feature && command.name == name);
    if is_command("pricelist_dynamic_settings_tune") && form(&format!("pricelist.{MODULE}")).is_none() {
        missing.push("the form of a tariff".to_owned());
    }
    let texts = texts(plugin);
    let untold = Kind::ALL.iter().map(|kind| format!("msg_error_{}", kind.name())).filter(|text| !texts.contains(text));
    missing.extend(untold.map(|text| format!("the text {text}")));
    missing
}

fn named<'a>(parent: &'a Element, tag: &'a str, name: &str) -> Option<&'a Element> {
    parent.all(tag).find(|child| child.get("name") == Some(name))
}

/// Names of the fields on the pages of a form.
fn fields(form: Option<&Element>) -> BTreeSet<&str> {
    let pages = form.into_iter().flat_map(|form| form.all("form")).flat_map(|form| form.all("page"));
    pages.flat_map(|page| page.all("field")).filter_map(|field| field.get("name")).collect()
}

/// Names of the English texts of errors.
fn texts(plugin: &Element) -> BTreeSet<String> {
    let sections = named(plugin, "lang", "en").into_iter().flat_map(|lang| lang.all("messages"));
    let texts =
        sections.filter(|section| section.get("name") == Some("msgerror")).flat_map(|section| section.all("msg"));
    texts.filter_map(|text| text.get("name")).map(str::to_owned).collect()
}
