//! The module's plugin XML as the panel reads it: what belongs on which page of a form, and every text [protocol 6].

use std::fs;

use anyhow::{Context, Result};

use super::{MODULE, root::Root};
use crate::xml::Node;

/// The file that the package installs.
const INSTALLED: &str = include_str!("../../../../xml/billmgr_mod_pmvmmanager6.xml");
const FILE: &str = "etc/xml/billmgr_mod_pmvmmanager6.xml";

/// The plugin of the module under test.
pub(super) struct Plugin(Node);

/// A field of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name of the setting.
    pub name: String,
    /// Its caption.
    pub caption: String,
    /// It must be filled in.
    pub required: bool,
    /// A change of it asks the module again.
    pub asks: bool,
    /// A list; the values that the plugin itself names.
    pub select: Option<Vec<String>>,
    /// Ticked or not.
    pub checkbox: bool,
}

/// Puts the file into a new installation.
pub(super) fn install(root: &Root) -> Result<()> {
    root.write(FILE, INSTALLED)
}

impl Plugin {
    pub(super) fn read(root: &Root) -> Result<Self> {
        let file = root.path().join(FILE);
        let text = fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        Node::parse(&text).map(Self).with_context(|| format!("{} is not XML", file.display()))
    }

    /// The product types that the module serves; none when the plugin is of another group.
    pub(super) fn products(&self) -> Vec<String> {
        let plugin = self
            .0
            .named("plugin", MODULE)
            .filter(|plugin| plugin.find("group").is_some_and(|group| group.text.trim() == "processing_module"));
        let params = plugin.and_then(|plugin| plugin.find("params")).into_iter();
        params.flat_map(|params| params.all("type")).filter_map(|kind| Some(kind.get("name")?.to_owned())).collect()
    }

    /// The module's name in the list of modules.
    pub(super) fn title(&self) -> String {
        self.message("label_processing_modules", MODULE).unwrap_or_else(|| MODULE.to_owned())
    }

    /// The module's fields on a page of the handler's form, in order.
    pub(super) fn page(&self, name: &str) -> Vec<Field> {
        let form = self.0.named("metadata", &format!("processing.edit.{MODULE}")).and_then(|form| form.find("form"));
        let page = form.and_then(|form| form.named("page", name)).into_iter();
        page.flat_map(|page| page.all("field")).filter_map(|field| self.field(field)).collect()
    }

    fn field(&self, field: &Node) -> Option<Field> {
        let name = field.get("name")?.to_owned();
        let input = field.children.iter().find(|input| input.get("name") == Some(&name))?;
        let is = |attribute: &str| input.get(attribute) == Some("yes");
        let choices = || input.all("msg").map(|choice| choice.text.trim().to_owned()).collect();
        Some(Field {
            caption: self.form_message(&name).unwrap_or_else(|| unnamed(&name)),
            required: is("required"),
            asks: is("setvalues"),
            select: (input.name == "select").then(choices),
            checkbox: input.get("type") == Some("checkbox"),
            name,
        })
    }

    /// How an entry of a list is shown: a `val` as it is, of a `msg` the message of that name [protocol A11].
    pub(super) fn shown(&self, entry: &Node) -> String {
        let text = entry.text.trim();
        match entry.name.as_str() {
            "val" => text.to_owned(),
            _ if text == "null" => "--".to_owned(),
            _ => self.form_message(text).unwrap_or_else(|| unnamed(text)),
        }
    }

    fn form_message(&self, name: &str) -> Option<String> {
        self.message(&format!("processing.edit.{MODULE}"), name)
    }

    fn message(&self, section: &str, name: &str) -> Option<String> {
        let section = self.0.named("lang", "en")?.named("messages", section)?;
        section.named("msg", name).map(|message| message.text.clone())
    }
}

/// A message that is not there.
fn unnamed(name: &str) -> String {
    format!("** {name} **")
}
