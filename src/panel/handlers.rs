//! What is kept with a handler in addition to its settings, and services that are brought in through it [protocol 3.17, 3.20].

use super::connection::Panel;
use super::database::{Param, Row};
use super::value::Value;
use crate::config::MODULE;
use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, ServiceId, TariffId};
use crate::log;

/// A VM to be offered as a service.
pub struct Import<'a> {
    /// Shown to the staff, who choose by it.
    pub name: &'a str,
    /// Paid until, `YYYY-MM-DD`; BILLmanager asks for one.
    pub paid_until: &'a str,
    /// Parameters of the service.
    pub params: &'a [(&'a str, &'a str)],
}

/// A handler that may make a service.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// `processingmodule.id`.
    pub id: HandlerId,
    /// `processingmodule.ipmgr`: who gives out its addresses.
    pub ip_manager: Option<u64>,
}

/// One of our handlers, as a list shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// `processingmodule.id`.
    pub id: HandlerId,
    /// Name shown in BILLmanager.
    pub name: String,
    pub active: bool,
}

impl Panel {
    pub fn handlers(&self) -> Result<Vec<Listed>> {
        let sql = "SELECT id, name, active FROM processingmodule WHERE module = ? ORDER BY id";
        let rows = self.rows(sql, &[Param::Text(MODULE)])?;
        let listed =
            |row: &Row| Some(Listed { id: row.id(0)?, name: row.text(1).to_owned(), active: row.text(2) == "on" });
        Ok(rows.iter().filter_map(listed).collect())
    }

    /// Our active handlers of a tariff, in the panel's own order [protocol 3.4].
    pub fn candidates(&self, tariff: TariffId) -> Result<Vec<Candidate>> {
        let sql = "SELECT pm.id, pm.ipmgr FROM processingmodule2pricelist t JOIN processingmodule pm \
                   ON t.processingmodule = pm.id WHERE t.pricelist = ? AND pm.active = 'on' AND pm.module = ? \
                   ORDER BY pm.orderpriority, pm.ipmgr, pm.id";
        let rows = self.rows(sql, &[Param::Id(tariff.get()), Param::Text(MODULE)])?;
        Ok(rows.iter().filter_map(|row| Some(Candidate { id: row.id(0)?, ip_manager: row.id(1) })).collect())
    }

    /// Asks for another handler of a service than `from`; nothing when BILLmanager has none. It may be another module's.
    pub fn next_handler(&self, item: ServiceId, from: HandlerId) -> Result<Option<HandlerId>> {
        let moved = || Ok(self.owner(item)?.handler.filter(|now| *now != from));
        let id = item.to_string();
        let has_moved = || Ok(moved()?.is_some());
        match self.call_once("service.getnextmodule", &[("elid", Value::Plain(&id))], &has_moved) {
            Err(error) if error.is_unreachable_panel() => return Err(error),
            Err(none) => log::info!("service {item}: {none}"),
            Ok(_) => {}
        }
        moved()
    }

    /// The text that the module keeps with a handler; empty when there is none.
    pub fn cached_lists(&self, handler: HandlerId) -> Result<String> {
        let rows = self.rows("SELECT config FROM processingmodule WHERE id = ?", &[Param::Id(handler.get())])?;
        Ok(rows.first().map(|row| row.text(0).to_owned()).unwrap_or_default())
    }

    /// Keeps a text with a handler.
    pub fn cache_lists(&self, handler: HandlerId, text: &str) -> Result<()> {
        let handler = handler.to_string();
        let params = [("elid", Value::Plain(&handler)), ("config", Value::Private(text)), ("sok", Value::Plain("ok"))];
        self.call("processing.setconfig", &params).map(drop)
    }

    /// Adds a service that belongs to nobody yet, active; its id.
    pub fn import(&self, handler: HandlerId, import: &Import) -> Result<ServiceId> {
        let vm = import.params.iter().find(|(name, _)| *name == "panelid").map_or("", |(_, value)| value);
        let id = handler.to_string();
        let mut params = vec![
            ("module", Value::Plain(&id)),
            ("import_pricelist_intname", Value::Plain("")),
            ("import_itemtype_intname", Value::Plain("vds")),
            ("import_service_name", Value::Private(import.name)),
            ("status", Value::Plain("2")),
            ("expiredate", Value::Plain(import.paid_until)),
            ("period", Value::Plain("1")),
            ("sok", Value::Plain("ok")),
        ];
        params.extend(import.params.iter().map(|(name, value)| (*name, Value::Private(value))));
        let imported = || self.imported(handler, vm);
        let answer = self.call_once("processing.import.service", &params, &|| Ok(imported()?.is_some()))?;
        let named = answer.value("service_id").parse().ok().map_or_else(imported, |item: u64| Ok(Some(item.into())))?;
        named.ok_or_else(|| {
            let text = format!("processing.import.service named no service for \"{}\"", import.name);
            Error::new(Kind::Mgrctl, "service_id", text)
        })
    }

    /// The live service of a handler that names this VM.
    fn imported(&self, handler: HandlerId, vm: &str) -> Result<Option<ServiceId>> {
        let sql = "SELECT i.id FROM item i JOIN itemparam p ON p.item = i.id WHERE i.processingmodule = ? \
                   AND p.intname = 'panelid' AND p.value = ? AND i.status <> 4 ORDER BY i.id";
        let rows = self.rows(sql, &[Param::Id(handler.get()), Param::Text(vm)])?;
        Ok(rows.first().and_then(|row| row.id(0)))
    }
}
