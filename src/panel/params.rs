//! Parameters of services are stored through `service.saveparam` and read back.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::connection::Panel;
use super::mgrctl;
use super::value::Value;
use crate::error::{Error, Kind, Result};
use crate::id::ServiceId;
use crate::log;

impl Panel {
    /// Stores a plain parameter of a service, if it has another value.
    pub fn save(&self, item: ServiceId, name: &str, value: &str) -> Result<()> {
        let stored = || Ok(self.params(item)?.get(name).is_some_and(|old| old == value));
        self.save_as(item, name, &[&Value::Private(value)], stored)
    }

    /// Stores those of some plain parameters of a service that have another value than in `known`.
    pub fn save_changed(
        &self,
        item: ServiceId,
        known: &BTreeMap<String, String>,
        values: &[(&str, String)],
    ) -> Result<()> {
        let mut changed = values.iter().filter(|(name, value)| known.get(*name) != Some(value));
        changed.try_for_each(|(name, value)| self.save(item, name, value))
    }

    /// Stores a crypted parameter of a service, if it has another value. BILLmanager encrypts it. Only if the handler allows
    /// it, the value may at last go where `ps` shows it.
    pub fn save_secret(&self, item: ServiceId, name: &str, value: &SecretString, may_be_seen: bool) -> Result<()> {
        let stored = || Ok(self.secret(item, name)?.is_some_and(|old| old.expose_secret() == value.expose_secret()));
        let values = [&Value::Secret(value), &Value::Exposed(value)];
        self.save_as(item, name, if may_be_seen { &values } else { &values[..1] }, stored)
    }

    /// Removes a crypted parameter of a service, if it has one.
    pub fn drop_secret(&self, item: ServiceId, name: &str) -> Result<()> {
        let is_gone = || Ok(self.secret(item, name)?.is_none());
        if is_gone()? {
            return Ok(());
        }
        let id = item.to_string();
        let params = [("elid", Value::Plain(&id)), ("name", Value::Plain(name)), ("sok", Value::Plain("ok"))];
        self.call_once("service.dropparam", &params, &is_gone).map(drop)
    }

    /// Tries the calling forms of [protocol 3.28] until the value can be read back.
    fn save_as(&self, item: ServiceId, name: &str, values: &[&Value], stored: impl Fn() -> Result<bool>) -> Result<()> {
        const SAVE: &str = "service.saveparam";
        // Parameters of the call itself that the short form cannot be used for.
        const RESERVED: [&str; 7] = ["name", "value", "func", "elid", "sok", "out", "lang"];
        if stored()? {
            return Ok(());
        }
        let id = item.to_string();
        let (mut last, mut refused) = (None, false);
        for value in values {
            let crypted = Value::Plain(if matches!(value, Value::Private(_)) { "off" } else { "on" });
            if matches!(value, Value::Exposed(_)) {
                log::warn!(
                    "service {item}: this panel takes \"{name}\" on the command line only, where ps can show it"
                );
            }
            refused = true;
            for short in [true, false] {
                if short && RESERVED.contains(&name) {
                    continue;
                }
                let mut params =
                    vec![("elid", Value::Plain(&id)), ("sok", Value::Plain("ok")), ("crypted", crypted.again())];
                if short {
                    params.push((name, value.again()));
                } else {
                    params.extend([("name", Value::Plain(name)), ("value", value.again())]);
                }
                let answer = self.mgrctl.answer(SAVE, &params, &stored);
                if stored()? {
                    return Ok(());
                }
                refused &= answer.is_ok();
                let said = answer.and_then(|answer| mgrctl::checked(SAVE, &params, answer));
                refused &= said.is_err();
                match said {
                    Err(error) if error.is_unreachable_panel() => return Err(error),
                    said => last = said.err().or(last),
                }
            }
            // What was understood and refused is refused on the command line too, where it would only be seen.
            if refused {
                break;
            }
        }
        let error = last.unwrap_or_else(|| {
            let text = format!("service.saveparam said nothing, but \"{name}\" of service {item} was not stored");
            Error::new(Kind::Mgrctl, name, text)
        });
        if refused || !matches!(values, [Value::Secret(_)]) {
            return Err(error);
        }
        Err(error.cure(
            "if this BILLmanager takes secrets on the command line only, set the handler's parameter secret_arguments to \
             \"on\": every local user can then read them with ps while they are saved",
        ))
    }
}
