//! Items of enumerations, from which clients choose add-ons: `enumerationitem.edit` [protocol A7].

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::store::values;

/// Adds an item to the enumeration that `plid` names.
pub(super) fn add_item(request: &mut Request) -> Result<Answer, Refusal> {
    let enumeration = request.row_of("enumeration", "plid")?;
    let (intname, name) = (request.required("intname")?, request.required("name")?);
    let sql = "SELECT id FROM enumerationitem WHERE enumeration = ? AND intname = ?";
    if request.store.id(sql, values![enumeration, intname])?.is_some() {
        return Err(Refusal::value("intname", intname));
    }
    let row = [("enumeration", enumeration.into()), ("intname", intname.into()), ("name", name.into())];
    request.store.insert("enumerationitem", &row)?;
    Ok(Answer::done())
}
