//! `--command features` [protocol 3.1, 4]: what the module can do and which settings it has. Static: BILLmanager reads
//! it at its start and keeps it until the next.

use super::TABLE;
use crate::queue::settings::PARAMETERS;
use crate::wire::Element;

/// Settings of the form; the flag says "stored encrypted".
pub const PARAMS: [(&str, bool); 8] = [
    ("url", false),
    ("username", false),
    ("password", true),
    ("cluster", false),
    ("use_recipes", false),
    ("additional_interface", false),
    ("tls_verify", false),
    ("tls_fingerprint", false),
];

/// Features that are no commands: handlers stand in data centers, tariffs have fields of the module's own.
const WORDS: [&str; 2] = ["datacenter", "pricelist_dynamic_settings"];

/// The whole answer.
pub fn answer() -> Element {
    let itemtypes = Element::new("itemtypes").child(Element::new("itemtype").attribute("name", "vds"));
    let param = |(name, crypted): (&str, bool)| {
        let param = Element::new("param").attribute("name", name);
        if crypted { param.attribute("crypted", "yes") } else { param }
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
