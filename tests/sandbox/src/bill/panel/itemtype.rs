//! Values of list parameters such as `ostempl`, kept equal to what a handler offers [protocol 3.16].

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::store::{Value, values};

/// Adds a value to a list parameter, if it is new, and connects it with the handler.
pub(super) fn sync_value(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "module")?;
    let itemtype = request.required("itemtype")?;
    let param = request.required("param")?;
    let sql = "SELECT p.id FROM itemtypeparam p JOIN itemtype t ON p.itemtype = t.id
               WHERE t.intname = ? AND p.intname = ? AND p.inputtype = 1";
    let Some(param) = request.store.id(sql, values![itemtype, param])? else {
        return Err(Refusal::value("param", param));
    };
    let intname = request.required("value")?;
    let sql = "SELECT id FROM itemtypeparamvalue WHERE itemtypeparam = ? AND intname = ?";
    let value = match request.store.id(sql, values![param, intname])? {
        Some(value) => value,
        None => add_value(request, param, intname)?,
    };
    let sql = "SELECT 1 FROM processingmodule2itemtypeparamvalue WHERE processingmodule = ? AND itemtypeparamvalue = ?";
    if request.store.row(sql, values![handler, value])?.is_none() {
        let row = [("processingmodule", handler.into()), ("itemtypeparamvalue", value.into())];
        request.store.insert("processingmodule2itemtypeparamvalue", &row)?;
    }
    Ok(Answer::done())
}

fn add_value(request: &mut Request, param: u64, intname: &str) -> Result<u64, Refusal> {
    let row: [(&str, Value); 5] = [
        ("itemtypeparam", param.into()),
        ("intname", intname.into()),
        ("name", request.required("name")?.into()),
        ("name_ru", request.given("name_ru").into()),
        ("disablepricelists", (request.given("disablepricelists") == Some("on")).into()),
    ];
    Ok(request.store.insert("itemtypeparamvalue", &row)?)
}

/// Disconnects a value from a handler that no longer offers it.
pub(super) fn suspend_value(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "elid")?;
    let value = request.row_of("itemtypeparamvalue", "plid")?;
    let sql = "DELETE FROM processingmodule2itemtypeparamvalue WHERE processingmodule = ? AND itemtypeparamvalue = ?";
    if request.store.exec(sql, values![handler, value])? == 0 {
        return Err(Refusal::value("plid", &value.to_string()));
    }
    Ok(Answer::done())
}
