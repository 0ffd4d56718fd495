//! Bringing services in that exist on the remote side: `processing.import.service`, `.assign` [protocol 3.20].

use super::answer::{Answer, Refusal};
use super::post::status;
use super::request::Request;
use crate::bill::base;
use crate::bill::store::{Value, values};

/// Parameters of the call that are not parameters of the service.
const OWN: &[&str] = &[
    "module",
    "import_pricelist_intname",
    "import_itemtype_intname",
    "import_service_name",
    "status",
    "expiredate",
    "period",
    "service_status",
];

/// Adds a service that belongs to nobody yet.
pub(super) fn service(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "module")?;
    let itemtype = request.required("import_itemtype_intname")?;
    if itemtype != "vds" {
        return Err(Refusal::value("import_itemtype_intname", itemtype));
    }
    let status = request.required("status")?;
    if ![status::ACTIVE, status::SUSPENDED].map(|it| it.to_string()).contains(&status.to_owned()) {
        return Err(Refusal::value("status", status));
    }
    let pricelist = match request.optional("import_pricelist_intname") {
        None => None,
        Some(intname) => {
            let sql = "SELECT id FROM pricelist WHERE intname = ? AND itemtype = ? AND parent IS NULL";
            let found = request.store.id(sql, values![intname, base::VDS])?;
            Some(found.ok_or_else(|| Refusal::value("import_pricelist_intname", intname))?)
        }
    };
    let period = request.optional("period").map_or(Ok(1), str::parse::<i64>);
    let row: [(&str, Value); 7] = [
        ("pricelist", pricelist.into()),
        ("processingmodule", handler.into()),
        ("name", request.required("import_service_name")?.into()),
        ("status", status.into()),
        ("period", period.map_err(|_| Refusal::value("period", "not a number"))?.into()),
        ("expiredate", request.date("expiredate")?.into()),
        ("createdate", jiff::Zoned::now().date().to_string().into()),
    ];
    let item = request.store.insert("item", &row)?;
    let params: Vec<(&str, &str)> = request.free().filter(|(name, _)| !OWN.contains(name)).collect();
    for (name, value) in params {
        let sql = "SELECT crypted FROM itemtypeparam WHERE itemtype = ? AND intname = ?";
        let crypted = request.store.text(sql, values![base::VDS, name])?.as_deref() == Some("on");
        request.save(item, name, value, crypted)?;
    }
    Ok(Answer::done().with("service_id", item.to_string()))
}

/// Gives an imported service to a client, on a tariff.
pub(super) fn assign(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let account = request.row_of("account", "account")?;
    let tariff = request.row_of("pricelist", &format!("pricelist_{}", item.id))?;
    if item.account.is_some() {
        return Err(Refusal::state("account", &format!("Service #{} belongs to a client already", item.id)));
    }
    request.store.exec("UPDATE item SET account = ?, pricelist = ? WHERE id = ?", values![account, tariff, item.id])?;
    Ok(Answer::done())
}
