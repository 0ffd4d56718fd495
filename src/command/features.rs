//! `--command features` [protocol 3.1, 4]: what the module can do and which settings it has. Static: BILLmanager reads
//! it at its start and keeps it until the next.

use super::TABLE;
use crate::queue::settings::PARAMETERS;
use crate::wire::Element;

/// A setting of the handler's form.
#[derive(Clone, Copy, Debug)]
pub struct Param {
    /// Its name in the form and in the database.
    pub name: &'static str,
    /// What an empty one means; empty when there is no default.
    pub default: &'static str,
    /// Stored encrypted.
    pub crypted: bool,
}

/// Settings of the form.
pub const PARAMS: [Param; 8] = [
    plain_param("url", ""),
    plain_param("username", ""),
    Param { crypted: true, ..plain_param("password", "") },
    plain_param("cluster", ""),
    plain_param("use_recipes", "off"),
    plain_param("additional_interface", "off"),
    plain_param("tls_verify", "system"),
    plain_param("tls_fingerprint", ""),
];

const fn plain_param(name: &'static str, default: &'static str) -> Param {
    Param { name, default, crypted: false }
}

/// Names of the settings that are stored in clear.
pub fn plain() -> impl Iterator<Item = &'static str> {
    PARAMS.iter().filter(|param| !param.crypted).map(|param| param.name)
}

/// The product that the module serves.
pub const ITEM_TYPE: &str = "vds";

/// Features that are no commands: handlers stand in data centers, tariffs have fields of the module's own.
pub const WORDS: [&str; 2] = ["datacenter", "pricelist_dynamic_settings"];

/// The whole answer.
pub fn answer() -> Element {
    let itemtypes = Element::new("itemtypes").child(Element::new("itemtype").attribute("name", ITEM_TYPE));
    let param = |param: Param| {
        let element = Element::new("param").attribute("name", param.name);
        if param.crypted { element.attribute("crypted", "yes") } else { element }
    };
    let custom = |(name, default): (&str, &str)| {
        Element::new("customparam").attribute("name", name).attribute("unique", "yes").attribute("defval", default)
    };
    let params = Element::new("params").children(PARAMS.map(param)).children(PARAMETERS.map(custom));
    let feature = |name: &str| Element::new("feature").attribute("name", name);
    let features = TABLE.iter().filter(|command| command.feature).map(|command| feature(command.name));
    let features = Element::new("features").children(features).children(WORDS.map(feature));
    Element::new("doc").child(itemtypes).child(params).child(features)
}
