//! The rows that every BILLmanager installation has before anything is sold: item types with their parameters and
//! rules [protocol 5.5], measures [protocol 5.7], data centres, languages, the provider's project.

use anyhow::Result;

use super::store::{Store, Value, values};

/// Id of the item type `vds` in a real installation [protocol 5.5].
pub const VDS: u64 = 99;
/// The data centre that handlers use: it has no external id.
pub const DATACENTER: u64 = 1;
/// A data centre that belongs to an external system and must be refused.
pub const EXTERNAL_DATACENTER: u64 = 2;
/// The provider's project.
pub const PROJECT: u64 = 1;
/// The department that gets the tasks of handlers.
pub const DEPARTMENT: u64 = 1;

/// `(intname, relation, lessmeasure)`: one unit is `relation` units of `lessmeasure`.
const MEASURES: &[(&str, i64, Option<&str>)] = &[
    ("byte", 1, None),
    ("kib", 1024, Some("byte")),
    ("mib", 1024, Some("kib")),
    ("gib", 1024, Some("mib")),
    ("tib", 1024, Some("gib")),
    ("kbit/s", 1, None),
    ("mbit/s", 1000, Some("kbit/s")),
    ("gbit/s", 1000, Some("mbit/s")),
    ("mhz", 1, None),
    ("piece", 1, None),
    ("iops", 1, None),
];

/// Child item types of `vds`: internal name, add-on type, bill type, default measure, checked by the module.
const ADDONS: &[(&str, i64, i64, &str, bool)] = &[
    ("ncpu", 2, 2, "piece", false),
    ("mem", 2, 2, "mib", false),
    ("disk disc", 2, 2, "mib", true),
    ("ip", 2, 2, "piece", false),
    ("ipv6", 2, 2, "piece", false),
    ("ipv6subnet_prefix", 2, 2, "piece", false),
    ("privateip", 2, 2, "piece", false),
    ("in out", 2, 3, "gib", false),
    ("inbound", 2, 2, "kbit/s", false),
    ("outbound", 2, 2, "kbit/s", false),
    ("cpu", 2, 2, "mhz", false),
    ("iolimit", 2, 2, "mib", false),
    ("iopslimit", 2, 2, "iops", false),
    ("cpu_mode", 3, 2, "", false),
    ("cpu_custom_model", 3, 2, "", false),
    ("backup_schedule", 3, 2, "", false),
];

/// Parameters of `vds`: name, validator, and the columns of `itemtypeparam` that are `on` [protocol 5.5].
const PARAMS: &[(&str, &str, &[&str])] = &[
    ("ip", "ip", &["openvisible", "needmodulecheck", "needsetparam", "required"]),
    ("domain", "domain", &["ordervisible", "openvisible", "needmodulecheck", "needsetparam"]),
    ("password", "", &["openvisible", "crypted"]),
    ("username", "", &["openvisible", "needmodulecheck"]),
    ("userpassword", "", &["openvisible", "crypted"]),
    ("panelid", "", &["openvisible", "needmodulecheck"]),
    ("serverid", "", &["openvisible", "needmodulecheck"]),
    ("ssh_key", "", &["ordervisible", "openvisible", "crypted"]),
    ("ostempl", "", &["ordervisible", "required"]),
    ("recipe", "", &["ordervisible"]),
];

/// Parameters whose value is one of a list.
const LISTS: &[&str] = &["ostempl", "recipe"];

/// Columns of `itemtypeparam` that are flags.
const FLAGS: &[&str] =
    &["ordervisible", "openvisible", "editvisible", "required", "needmodulecheck", "needsetparam", "crypted"];

/// Fills an empty database.
pub(super) fn fill(store: &mut Store) -> Result<()> {
    for language in ["en", "ru"] {
        store.insert("locale", &[("langcode", language.into())])?;
    }
    measures(store)?;
    item_types(store)?;
    params(store)?;
    provider(store)
}

fn measures(store: &mut Store) -> Result<()> {
    for (intname, relation, less) in MEASURES {
        let less = match less {
            Some(less) => measure(store, less)?,
            None => None,
        };
        let row = [("intname", (*intname).into()), ("relation", (*relation).into()), ("lessmeasure", less.into())];
        store.insert("measure", &row)?;
    }
    Ok(())
}

/// Id of a measure by its internal name.
pub(super) fn measure(store: &mut Store, intname: &str) -> Result<Option<u64>> {
    store.id("SELECT id FROM measure WHERE intname = ?", values![intname])
}

fn item_types(store: &mut Store) -> Result<()> {
    let vds: [(&str, Value); 7] = [
        ("id", VDS.into()),
        ("orderpriority", 1.into()),
        ("name", "Virtual private servers".into()),
        ("intname", "vds".into()),
        ("embedded", true.into()),
        ("open_duration_limit", 10.into()),
        ("need_processing", true.into()),
    ];
    store.insert("itemtype", &vds)?;
    for (intname, addontype, billtype, unit, check) in ADDONS {
        let child = addon_type(store, intname)?;
        let unit = measure(store, unit)?;
        let rule: [(&str, Value); 7] = [
            ("itemtype", child.into()),
            ("billtype", (*billtype).into()),
            ("addontype", (*addontype).into()),
            ("measure", unit.into()),
            ("intname", (*intname).into()),
            ("needmodulecheck", (*check).into()),
            ("create_default", false.into()),
        ];
        store.insert("itemtyperule", &rule)?;
    }
    Ok(())
}

/// Adds a child item type of `vds`; answers its id.
pub(super) fn addon_type(store: &mut Store, intname: &str) -> Result<u64> {
    let row: [(&str, Value); 5] = [
        ("name", intname.into()),
        ("intname", intname.into()),
        ("embedded", true.into()),
        ("parent", VDS.into()),
        ("need_processing", false.into()),
    ];
    store.insert("itemtype", &row)
}

fn params(store: &mut Store) -> Result<()> {
    for (place, (name, validator, on)) in (1_i64..).zip(PARAMS) {
        let mut row: Vec<(&str, Value)> = vec![
            ("orderpriority", place.into()),
            ("intname", (*name).into()),
            ("name", (*name).into()),
            ("embedded", true.into()),
            ("itemtype", VDS.into()),
            ("inputtype", i64::from(LISTS.contains(name)).into()),
            ("editwritelevel", (if *name == "panelid" { 29 } else { 16 }).into()),
            ("validator", (*validator).into()),
        ];
        row.extend(FLAGS.iter().map(|flag| (*flag, (on.contains(flag) || *flag == "editvisible").into())));
        store.insert("itemtypeparam", &row)?;
    }
    Ok(())
}

fn provider(store: &mut Store) -> Result<()> {
    let account = store.insert("account", &[("name", "Provider".into())])?;
    let project: [(&str, Value); 5] = [
        ("name", "Example hosting".into()),
        ("account", account.into()),
        ("site", "https://hosting.example.net".into()),
        ("billurl", "https://my.hosting.example.net/billmgr".into()),
        ("active", true.into()),
    ];
    store.insert("project", &project)?;
    store.insert("department", &[("name", "Technical support".into())])?;
    let plain = [("orderpriority", 1.into()), ("name", "Amsterdam".into())];
    store.insert("datacenter", &plain)?;
    let external = [("orderpriority", 2.into()), ("name", "Elsewhere".into()), ("external_id", "ext-7".into())];
    store.insert("datacenter", &external)?;
    Ok(())
}
