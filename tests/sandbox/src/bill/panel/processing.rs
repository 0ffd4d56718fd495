//! Functions about a handler [protocol 3.17, 3.19, 3.29].

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::store::values;

/// Keeps a text of the module's own with the handler.
pub(super) fn set_config(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "elid")?;
    let config = request.given("config").ok_or_else(|| Refusal::missed("config"))?;
    request.store.exec("UPDATE processingmodule SET config = ? WHERE id = ?", values![config, handler])?;
    Ok(Answer::done())
}

/// Shows a handler with its settings, the secret ones in plain text. Changing it is the administrator's business.
pub(super) fn edit(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "elid")?;
    if request.given("sok").is_some() {
        return Err(Refusal::new(
            "access",
            "processing.edit",
            "",
            "The settings of a handler are not changed this way",
        ));
    }
    let mut answer = Answer::default().with("elid", handler.to_string());
    let sql = "SELECT name, module, datacenter, department, orderpriority FROM processingmodule WHERE id = ?";
    if let Some(row) = request.store.row(sql, values![handler])? {
        for (name, value) in ["name", "module", "datacenter", "department", "orderpriority"].into_iter().zip(row) {
            answer = answer.with(name, value.unwrap_or_default());
        }
    }
    let key = request.key()?;
    for (table, crypted) in [("processingparam", false), ("processingcryptedparam", true)] {
        let sql = format!("SELECT intname, value FROM {table} WHERE processingmodule = ? ORDER BY id");
        for row in request.store.rows(&sql, values![handler])? {
            let [name, value] = [0, 1].map(|column: usize| row[column].clone().unwrap_or_default());
            let value = if crypted { key.decrypt(&value)? } else { value };
            answer = answer.with(&name, value);
        }
    }
    Ok(answer)
}

/// Saves a plain setting of a handler.
pub(super) fn save_param(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "elid")?;
    let name = request.required("param")?;
    let value = request.given("value").ok_or_else(|| Refusal::missed("value"))?;
    let old = "DELETE FROM processingparam WHERE processingmodule = ? AND intname = ?";
    request.store.exec(old, values![handler, name])?;
    let row = [("processingmodule", handler.into()), ("intname", name.into()), ("value", value.into())];
    request.store.insert("processingparam", &row)?;
    Ok(Answer::done())
}

/// The statistics of a handler are complete up to a day.
pub(super) fn post_stat(request: &mut Request) -> Result<Answer, Refusal> {
    let handler = request.row_of("processingmodule", "elid")?;
    let date = request.date("date")?;
    request.store.exec("UPDATE processingmodule SET laststatdate = ? WHERE id = ?", values![date, handler])?;
    Ok(Answer::done())
}
