//! IP slots: the rows in which BILLmanager keeps the addresses of a service [protocol 5.6].

use std::collections::BTreeMap;

use super::connection::Panel;
use super::database::among;
use super::database::{Param, Row};
use super::value::Value;
use crate::error::Result;
use crate::id::ServiceId;

const FREE: i64 = 1;

/// A public slot of a service. Slots of private addresses are not ours to fill.
#[derive(Clone, Debug)]
pub struct Slot {
    /// `ip.id`.
    pub id: u64,
    /// The address recorded, if any.
    pub address: Option<String>,
    /// No address has been committed yet.
    pub free: bool,
    /// The slot belongs to an IPv6 add-on.
    pub v6: bool,
}

/// An address as BILLmanager records it; unknown texts are empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Address {
    /// Bare IPv4 or IPv6 literal.
    pub ip: String,
    pub mask: String,
    pub gateway: String,
    pub domain: String,
}

impl Panel {
    /// The public slots of a service in the order of their ids.
    pub fn slots(&self, item: ServiceId) -> Result<Vec<Slot>> {
        let mut slots = self.slots_of(&[item])?.remove(&item).unwrap_or_default();
        if let Some(planned) = self.mgrctl.planned() {
            for slot in &mut slots {
                slot.address = planned.address(slot.id).or(slot.address.take());
                slot.free &= !planned.has_committed(slot.id);
            }
        }
        Ok(slots)
    }

    /// The same of several services.
    pub fn slots_of(&self, items: &[ServiceId]) -> Result<BTreeMap<ServiceId, Vec<Slot>>> {
        let sql = format!(
            "SELECT ip.id, ip.name, ip.status, p.intname, it.intname, a.parent FROM ip JOIN item a ON ip.item = a.id \
             JOIN pricelist p ON a.pricelist = p.id JOIN itemtype it ON p.itemtype = it.id \
             WHERE a.parent {} ORDER BY ip.id",
            among(items)
        );
        let slot = |row: &Row| {
            let words = format!("{} {}", row.text(3), row.text(4)).to_lowercase();
            let is = |name: &str| words.split_whitespace().any(|word| word == name);
            if is("privateip") || !(is("ip") || is("ipv6")) {
                return None;
            }
            let address = row.filled(1).filter(|&name| name != "0").map(str::to_owned);
            let slot = Slot { id: row.id(0)?, address, free: row.number(2) == Some(FREE), v6: is("ipv6") };
            Some((row.id(5)?, slot))
        };
        let mut found: BTreeMap<ServiceId, Vec<Slot>> = BTreeMap::new();
        for (item, slot) in self.rows(&sql, &[])?.iter().filter_map(slot) {
            found.entry(item).or_default().push(slot);
        }
        Ok(found)
    }

    /// Every slot of a service that holds an address, private ones too: a closed service gives all of them back.
    pub fn occupied_slots(&self, item: ServiceId) -> Result<Vec<u64>> {
        let sql = "SELECT ip.id, ip.name FROM ip JOIN item a ON ip.item = a.id WHERE a.parent = ? ORDER BY ip.id";
        let rows = self.rows(sql, &[Param::Id(item.get())])?;
        let occupied = rows.iter().filter(|row| row.filled(1).is_some_and(|name| name != "0"));
        Ok(occupied.filter_map(|row| row.id(0)).collect())
    }

    /// Records an address in a slot: `service.ip.add`, then its commit.
    pub fn fill_slot(&self, slot: u64, address: &Address) -> Result<()> {
        let id = slot.to_string();
        let params = [
            ("elid", Value::Plain(&id)),
            ("ip", Value::Private(&address.ip)),
            ("mask", Value::Private(&address.mask)),
            ("gateway", Value::Private(&address.gateway)),
            ("domain", Value::Private(&address.domain)),
            ("sok", Value::Plain("ok")),
        ];
        let is_in = || Ok(self.holding(&id)?.is_some_and(|(held, _)| held == address.ip));
        let answer = self.call_once("service.ip.add", &params, &is_in)?;
        let added = Some(answer.value("ip.id")).filter(|id| !id.is_empty()).unwrap_or(&id).to_owned();
        crate::fault::point("open.slot_added");
        self.commit(&added)
    }

    /// Says once more that a slot in use has its address.
    pub fn commit_slot(&self, slot: u64) -> Result<()> {
        self.commit(&slot.to_string())
    }

    fn commit(&self, slot: &str) -> Result<()> {
        let is_in_use = || Ok(self.holding(slot)?.is_some_and(|(_, is_free)| !is_free));
        let params = [("elid", Value::Plain(slot)), ("sok", Value::Plain("ok"))];
        self.call_once("service.ip.add.commit", &params, &is_in_use).map(drop)
    }

    /// The address that a slot holds, and whether it waits for its commit.
    fn holding(&self, slot: &str) -> Result<Option<(String, bool)>> {
        let rows = self.rows("SELECT name, status FROM ip WHERE id = ?", &[Param::Text(slot)])?;
        let held = |row: &Row| {
            let name = row.filled(0).filter(|&name| name != "0")?;
            Some((name.to_owned(), row.number(1) == Some(FREE)))
        };
        Ok(rows.first().and_then(held))
    }

    /// Gives a slot back.
    pub fn free_slot(&self, slot: u64) -> Result<()> {
        let id = slot.to_string();
        let is_free = || Ok(self.holding(&id)?.is_none());
        let params = [("elid", Value::Plain(&id)), ("sok", Value::Plain("ok"))];
        self.call_once("service.ip.del", &params, &is_free).map(drop)
    }
}
