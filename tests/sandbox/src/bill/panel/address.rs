//! Address slots of a service: `service.ip.add`, `.commit`, `service.ip.del` [protocol 3.13, 5.6].
//!
//! A slot is a row of `ip` that belongs to the service's address add-on: free with status 1, in use with status 2. Adding
//! names the slot, committing makes it used; an address that was not committed is not one.

use std::net::IpAddr;

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::order::{SLOT_FREE, SLOT_USED};
use crate::bill::rows::ItemRow;
use crate::bill::store::values;

struct Slot {
    id: u64,
    address: String,
    status: i64,
    /// Internal name of the add-on's item type: `ip`, `ipv6`, `privateip`.
    family: String,
    service: ItemRow,
}

impl Slot {
    fn of(request: &mut Request) -> Result<Self, Refusal> {
        let id = request.row_of("ip", "elid")?;
        let sql = "SELECT ip.name, ip.status, t.intname, addon.parent FROM ip JOIN item addon ON ip.item = addon.id
                   JOIN pricelist p ON addon.pricelist = p.id JOIN itemtype t ON p.itemtype = t.id WHERE ip.id = ?";
        let row = request.store.row(sql, values![id])?;
        let unknown = || Refusal::value("elid", &id.to_string());
        let [address, status, family, service] =
            row.and_then(|row| <[Option<String>; 4]>::try_from(row).ok()).ok_or_else(unknown)?;
        let number = |text: Option<String>| text.and_then(|text| text.parse().ok()).ok_or_else(unknown);
        let service = u64::try_from(number(service)?).map_err(|_| unknown())?;
        Ok(Self {
            id,
            address: address.unwrap_or_default(),
            status: number(status)?,
            family: family.unwrap_or_default(),
            service: ItemRow::read(request.store, service)?.ok_or_else(unknown)?,
        })
    }
}

/// Gives a free slot its address; the answer names the slot to commit.
pub(super) fn add(request: &mut Request) -> Result<Answer, Refusal> {
    let slot = Slot::of(request)?;
    let text = request.required("ip")?;
    let address: IpAddr = text.parse().map_err(|_| Refusal::value("ip", text))?;
    if request.behaviour.ip_add_refuses || address.is_ipv6() != (slot.family == "ipv6") {
        return Err(Refusal::value("ip", text));
    }
    if slot.status != SLOT_FREE {
        return Err(Refusal::state("ip", &format!("Slot {} holds {} already", slot.id, slot.address)));
    }
    let elsewhere = "SELECT id FROM ip WHERE name = ? AND id <> ?";
    if request.store.id(elsewhere, values![text, slot.id])?.is_some() {
        return Err(Refusal::new("exists", "ip", text, &format!("The address {text} is in use already")));
    }
    request.store.exec("UPDATE ip SET name = ? WHERE id = ?", values![text, slot.id])?;
    Ok(Answer::done().with("ip.id", slot.id.to_string()))
}

/// Makes a named slot a used one.
pub(super) fn commit(request: &mut Request) -> Result<Answer, Refusal> {
    let slot = Slot::of(request)?;
    if slot.address.is_empty() {
        return Err(Refusal::state("ip", &format!("Slot {} has no address to commit", slot.id)));
    }
    request.store.exec("UPDATE ip SET status = ? WHERE id = ?", values![SLOT_USED, slot.id])?;
    request.end_operation(slot.service.id, "addip")?;
    Ok(Answer::done())
}

/// Deletes a slot with its address.
pub(super) fn delete(request: &mut Request) -> Result<Answer, Refusal> {
    let slot = Slot::of(request)?;
    request.store.exec("DELETE FROM ip WHERE id = ?", values![slot.id])?;
    request.end_operation(slot.service.id, "delip")?;
    Ok(Answer::done())
}
