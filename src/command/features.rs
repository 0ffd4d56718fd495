//! `--command features` [protocol 3.1, 4]: what the module can do and which settings it has. Static: BILLmanager reads
//! it at its start and keeps it until the next.

use super::work::Command;
use crate::settings::{self, Setting};
use crate::wire::Element;

/// The product that the module serves.
pub(crate) const ITEM_TYPE: &str = "vds";

/// Features that are no commands: handlers are in data centers, tariffs have fields of the module's own.
pub(crate) const WORDS: [&str; 2] = ["datacenter", "pricelist_dynamic_settings"];

/// The whole answer.
pub(crate) fn answer(commands: &[Command]) -> Element {
    let itemtypes = Element::new("itemtypes").child(Element::new("itemtype").attribute("name", ITEM_TYPE));
    let param = |setting: &Setting| {
        let element = Element::new("param").attribute("name", setting.name);
        if setting.crypted { element.attribute("crypted", "yes") } else { element }
    };
    let custom = |setting: &Setting| {
        let element = Element::new("customparam").attribute("name", setting.name);
        element.attribute("unique", "yes").attribute("defval", setting.default)
    };
    let params = Element::new("params").children(settings::form().map(param)).children(settings::custom().map(custom));
    let feature = |name: &str| Element::new("feature").attribute("name", name);
    let features = commands.iter().filter(|command| command.feature).map(|command| feature(command.name));
    let features = Element::new("features").children(features).children(WORDS.map(feature));
    Element::new("doc").child(itemtypes).child(params).child(features)
}
