//! Functions about a service that are not plain callbacks: `vds.open` and the administrative ones [protocol 3.5, 3.29].

use std::net::IpAddr;

use super::answer::{Answer, Refusal};
use super::post::{self, status};
use super::request::Request;
use crate::bill::base;
use crate::bill::order::move_addons;
use crate::bill::store::values;

/// The form of opening: stores the parameters it shows, then the service is active.
///
/// Parameters that the form does not show are not stored, as in any form. `ip` is required unless it is saved already.
pub(super) fn open(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    post::finish(request, &item, "open", &[status::ORDERED, status::PROCESSING])?;
    let sql = "SELECT intname, validator, crypted FROM itemtypeparam WHERE itemtype = ? AND openvisible = 'on'";
    for row in request.store.rows(sql, values![base::VDS])? {
        let [name, validator, crypted] = [0, 1, 2].map(|column: usize| row[column].as_deref().unwrap_or_default());
        let Some(value) = request.given(name) else {
            continue;
        };
        if request.behaviour.open_refuses.iter().any(|it| it == name) || !is_valid(validator, value) {
            return Err(Refusal::value(name, value));
        }
        request.save(item.id, name, value, crypted == "on")?;
    }
    let saved = "SELECT value FROM itemparam WHERE item = ? AND intname = 'ip' AND value <> ''";
    if request.store.text(saved, values![item.id])?.is_none() {
        return Err(Refusal::missed("ip"));
    }
    let today = jiff::Zoned::now().date().to_string();
    request.store.exec("UPDATE item SET opendate = ? WHERE id = ?", values![today, item.id])?;
    post::set_status(request, item.id, status::ACTIVE)?;
    Ok(Answer::done())
}

/// The validators of item parameters; an empty value is a missing one and checked elsewhere.
fn is_valid(validator: &str, value: &str) -> bool {
    match validator {
        "ip" => value.parse::<IpAddr>().is_ok(),
        "domain" => is_domain(value),
        _ => true,
    }
}

fn is_domain(value: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.chars().all(|it| it.is_ascii_alphanumeric() || it == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    value.len() <= 253 && value.contains('.') && value.split('.').all(label)
}

/// Sets the date a service is paid until.
pub(super) fn set_expire_date(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let date = request.date("expiredate")?;
    request.store.exec("UPDATE item SET expiredate = ? WHERE id = ?", values![date, item.id])?;
    Ok(Answer::done())
}

/// Sets the additional status, which only other item types use.
pub(super) fn set_status(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let status = request.id("service_status")?;
    request.store.exec("UPDATE item SET service_status = ? WHERE id = ?", values![status, item.id])?;
    Ok(Answer::done())
}

/// Moves a service to the tariff's next active handler, by `orderpriority`, then id.
pub(super) fn next_module(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let sql = "SELECT pm.id FROM processingmodule pm JOIN processingmodule2pricelist l ON l.processingmodule = pm.id
               WHERE l.pricelist = ? AND pm.active = 'on' ORDER BY pm.orderpriority, pm.id";
    let handlers = request.store.rows(sql, values![item.pricelist])?;
    let ids: Vec<u64> = handlers.iter().filter_map(|row| row[0].as_deref()).filter_map(|id| id.parse().ok()).collect();
    let here = ids.iter().position(|id| Some(*id) == item.processingmodule);
    let Some(next) = ids.get(here.map_or(0, |place| place + 1)) else {
        let text = format!("No other processing module can take service #{}", item.id);
        return Err(Refusal::new("no_suitable_module", "processingmodule", "", &text));
    };
    request.store.exec("UPDATE item SET processingmodule = ? WHERE id = ?", values![*next, item.id])?;
    Ok(Answer::done())
}

/// Takes a change of tariff back: the previous tariff returns, add-ons with it.
pub(super) fn rollback_tariff(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    if request.given("userid").is_some() {
        request.row_of("user", "userid")?;
    }
    let Some(previous) = item.lastpricelist.filter(|tariff| *tariff > 0) else {
        return Err(Refusal::state("lastpricelist", &format!("Service #{} is not changing its tariff", item.id)));
    };
    let sql = "UPDATE item SET pricelist = ?, lastpricelist = NULL WHERE id = ?";
    request.store.exec(sql, values![previous, item.id])?;
    move_addons(request.store, item.id, previous)?;
    Ok(Answer::done())
}
