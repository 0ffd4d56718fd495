//! What a provider sets up before he sells: handlers, tariffs with add-ons, and the clients who come.

use anyhow::{Context, Result, bail};

use super::model::{Addon, Handler, Tariff, addontype, billtype};
use super::store::{Store, Value, values};
use super::{Bill, base};

/// Tables of a handler's settings.
pub(super) const PLAIN: &str = "processingparam";
pub(super) const CRYPTED: &str = "processingcryptedparam";
/// Settings that say to whom the password goes, and how surely.
const CONNECTION: [&str; 4] = ["url", "username", "tls_verify", "tls_fingerprint"];

impl Bill {
    /// Adds a handler; answers its id.
    pub fn add_handler(&self, handler: &Handler) -> u64 {
        let password = self.encrypt(&handler.password);
        self.change(|store| {
            let id = handler_row(store, &handler.name, &handler.module, handler.datacenter)?;
            let own = [("url", &handler.url), ("username", &handler.username), ("cluster", &handler.cluster)];
            let extra = handler.extra.iter().map(|(name, value)| (name.as_str(), value));
            for (name, value) in own.into_iter().chain(extra) {
                put_setting(store, PLAIN, id, name, value)?;
            }
            put_setting(store, CRYPTED, id, "password", &password)?;
            Ok(id)
        })
    }

    /// Changes a plain setting of a handler as the form does: where it leads to another VMmanager, the password is
    /// entered again, and so is encrypted anew.
    pub fn set_handler(&self, handler: u64, name: &str, value: &str) {
        self.slip_into_handler(handler, name, value);
        if CONNECTION.contains(&name) {
            let sql = "SELECT value FROM processingcryptedparam WHERE processingmodule = ? AND intname = 'password'";
            if let Some(crypted) = self.ask(|store| store.text(sql, values![handler])) {
                self.set_handler_password(handler, &self.decrypt(&crypted));
            }
        }
    }

    /// Changes a plain setting of a handler past the form: nobody has entered the password.
    pub fn slip_into_handler(&self, handler: u64, name: &str, value: &str) {
        self.change(|store| put_setting(store, PLAIN, handler, name, value));
    }

    /// Adds a client: an account with one user; answers the account's id.
    pub fn add_client(&self, name: &str, email: &str) -> u64 {
        self.change(|store| {
            let account = store.insert("account", &[("name", name.into())])?;
            let user: [(&str, Value); 6] = [
                ("account", account.into()),
                ("name", email.into()),
                ("email", email.into()),
                ("realname", name.into()),
                ("phone", "+31 20 000 0000".into()),
                ("language", "en".into()),
            ];
            store.insert("user", &user)?;
            Ok(account)
        })
    }

    /// Adds a parameter to what orders of `vds` ask for, stored encrypted or in clear.
    pub fn add_order_param(&self, name: &str, crypted: bool) {
        self.change(|store| {
            let row: [(&str, Value); 6] = [
                ("intname", name.into()),
                ("name", name.into()),
                ("itemtype", base::VDS.into()),
                ("inputtype", 0.into()),
                ("ordervisible", true.into()),
                ("crypted", crypted.into()),
            ];
            store.insert("itemtypeparam", &row)
        });
    }

    /// Adds a tariff with its add-ons; answers its id.
    pub fn add_tariff(&self, tariff: &Tariff) -> u64 {
        self.change(|store| add_tariff(store, tariff))
    }
}

/// The row of a new handler; its id.
pub(super) fn handler_row(store: &mut Store, name: &str, module: &str, datacenter: u64) -> Result<u64> {
    let row: [(&str, Value); 6] = [
        ("orderpriority", 1.into()),
        ("name", name.into()),
        ("module", module.into()),
        ("datacenter", datacenter.into()),
        ("department", base::DEPARTMENT.into()),
        ("active", true.into()),
    ];
    store.insert("processingmodule", &row)
}

/// A setting of a handler, new or in place of the old one.
pub(super) fn put_setting(store: &mut Store, table: &str, handler: u64, name: &str, value: &str) -> Result<()> {
    let sql = format!("DELETE FROM {table} WHERE processingmodule = ? AND intname = ?");
    store.exec(&sql, values![handler, name])?;
    let row = [("processingmodule", handler.into()), ("intname", name.into()), ("value", value.into())];
    store.insert(table, &row).map(drop)
}

fn add_tariff(store: &mut Store, tariff: &Tariff) -> Result<u64> {
    let row: [(&str, Value); 7] = [
        ("name", (&tariff.name).into()),
        ("intname", (&tariff.intname).into()),
        ("project", base::PROJECT.into()),
        ("itemtype", base::VDS.into()),
        ("billtype", billtype::ORDERED.into()),
        ("active", true.into()),
        ("orderpriority", 1.into()),
    ];
    let id = store.insert("pricelist", &row)?;
    for (name, value) in &tariff.params {
        let row = [("pricelist", id.into()), ("intname", name.into()), ("value", value.into())];
        store.insert("pricelistparam", &row)?;
    }
    let mut compounds: Vec<(&str, u64)> = Vec::new();
    for addon in &tariff.addons {
        let compound = match &addon.compound {
            None => None,
            Some(name) => {
                Some(compounds.iter().find_map(|(known, id)| (known == name).then_some(*id)).with_context(|| {
                    format!("add-on {} is part of {name}, which must stand before it", addon.intname)
                })?)
            }
        };
        let child = add_addon(store, id, addon, compound)?;
        if addon.billtype == billtype::COMPOUND {
            compounds.push((&addon.intname, child));
        }
    }
    for (place, handler) in (1_i64..).zip(&tariff.handlers) {
        let row = [("processingmodule", (*handler).into()), ("pricelist", id.into()), ("orderpriority", place.into())];
        store.insert("processingmodule2pricelist", &row)?;
    }
    Ok(id)
}

fn add_addon(store: &mut Store, tariff: u64, addon: &Addon, compound: Option<u64>) -> Result<u64> {
    let (itemtype, exact) = addon_type(store, &addon.intname)?;
    let measure = match &addon.measure {
        None => None,
        Some(intname) => Some(base::measure(store, intname)?.with_context(|| format!("there is no unit {intname}"))?),
    };
    let (enumeration, default) = add_choices(store, addon)?;
    let row: [(&str, Value); 16] = [
        ("name", (&addon.intname).into()),
        ("intname", if exact { "".into() } else { (&addon.intname).into() }),
        ("project", base::PROJECT.into()),
        ("itemtype", itemtype.into()),
        ("parent", tariff.into()),
        ("billtype", addon.billtype.into()),
        ("addontype", addon.addontype.into()),
        ("active", addon.active.into()),
        ("measure", measure.into()),
        ("addonlimit", addon.limit.into()),
        ("addonmax", addon.max.or(addon.limit.filter(|_| addon.billtype == billtype::STAT)).into()),
        ("addonmaxtrial", addon.max_trial.into()),
        ("addonbool", addon.switch.into()),
        ("enumeration", enumeration.into()),
        ("enumerationitem", default.into()),
        ("compound", compound.into()),
    ];
    store.insert("pricelist", &row)
}

/// The child item type of an add-on, and whether its name is exactly that of the type.
fn addon_type(store: &mut Store, intname: &str) -> Result<(u64, bool)> {
    let known = store.rows("SELECT id, intname FROM itemtype WHERE parent = ?", values![base::VDS])?;
    let mut by_word = None;
    for row in known {
        let [Some(id), Some(name)] = row.as_slice() else {
            bail!("an item type without a name");
        };
        if name == intname {
            return Ok((id.parse()?, true));
        }
        if name.split_whitespace().any(|word| word == intname) {
            by_word = Some(id.parse()?);
        }
    }
    match by_word {
        Some(id) => Ok((id, false)),
        None => Ok((base::addon_type(store, intname)?, true)),
    }
}

fn add_choices(store: &mut Store, addon: &Addon) -> Result<(Option<u64>, Option<u64>)> {
    if addon.addontype != addontype::ENUM {
        return Ok((None, None));
    }
    let name = &addon.intname;
    let enumeration = store.insert("enumeration", &[("intname", name.into()), ("name", name.into())])?;
    let mut default = None;
    for choice in &addon.choices {
        let row = [("enumeration", enumeration.into()), ("intname", choice.into()), ("name", choice.into())];
        let id = store.insert("enumerationitem", &row)?;
        default = default.or(Some(id));
    }
    Ok((Some(enumeration), default))
}
