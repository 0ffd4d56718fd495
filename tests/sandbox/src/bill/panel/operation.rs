//! Running operations and the tasks that replace them when a human has to look [protocol 3.30].

use quick_xml::Reader;
use quick_xml::events::Event;

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::store::{Value, values};

/// Task types by operation: setup, change, delete, suspend, resume. Others have none.
const TASK_TYPES: &[(&str, i64)] =
    &[("open", 1), ("reopen", 1), ("setparam", 2), ("close", 3), ("suspend", 4), ("resume", 5)];

/// With `sok=ok` stores the error document or the manual flag; without it shows the operation.
pub(super) fn edit(request: &mut Request) -> Result<Answer, Refusal> {
    let operation = request.row_of("runningoperation", "elid")?;
    if request.given("sok").is_none() {
        return show(request, operation);
    }
    request.confirmed()?;
    if let Some(document) = request.given("errorxml") {
        if !is_document(document) {
            return Err(Refusal::value("errorxml", document));
        }
        let sql = "UPDATE runningoperation SET errorxml = ? WHERE id = ?";
        request.store.exec(sql, values![document, operation])?;
    }
    match request.given("manual") {
        None => {}
        Some(flag @ ("on" | "off")) => {
            request.store.exec("UPDATE runningoperation SET manual = ? WHERE id = ?", values![flag, operation])?;
        }
        Some(other) => return Err(Refusal::value("manual", other)),
    }
    Ok(Answer::done())
}

fn show(request: &mut Request, operation: u64) -> Result<Answer, Refusal> {
    let names = ["intname", "item", "trycount", "manual", "errorxml"];
    let sql = "SELECT intname, item, trycount, manual, errorxml FROM runningoperation WHERE id = ?";
    let row = request.store.row(sql, values![operation])?.unwrap_or_default();
    let answer = Answer::default().with("elid", operation.to_string());
    Ok(names.into_iter().zip(row).fold(answer, |answer, (name, value)| answer.with(name, value.unwrap_or_default())))
}

/// The panel stops repeating the operation.
pub(super) fn set_manual(request: &mut Request) -> Result<Answer, Refusal> {
    let operation = request.row_of("runningoperation", "elid")?;
    request.store.exec("UPDATE runningoperation SET manual = 'on' WHERE id = ?", values![operation])?;
    Ok(Answer::done())
}

/// The operation is dropped without any effect on the service.
pub(super) fn delete(request: &mut Request) -> Result<Answer, Refusal> {
    let operation = request.row_of("runningoperation", "elid")?;
    request.store.exec("DELETE FROM runningoperation WHERE id = ?", values![operation])?;
    Ok(Answer::done())
}

/// A task for an operation, made by the panel itself.
pub(super) fn create_task(request: &mut Request) -> Result<Answer, Refusal> {
    let operation = request.row_of("runningoperation", "elid")?;
    let sql = "SELECT intname, item FROM runningoperation WHERE id = ?";
    let row = request.store.row(sql, values![operation])?.unwrap_or_default();
    let command = row.first().cloned().flatten().unwrap_or_default();
    let item = row.get(1).cloned().flatten();
    insert_task(request, operation, item, kind_of(&command), "")?;
    Ok(Answer::done())
}

/// The type of task for an operation; may be empty.
pub(super) fn task_type(request: &mut Request) -> Result<Answer, Refusal> {
    let command = request.required("operation")?;
    if request.optional("item").is_some() {
        request.row_of("item", "item")?;
    }
    let kind = kind_of(command).filter(|_| !request.behaviour.no_task_type);
    Ok(Answer::default().with("task_type", kind.map(|kind| kind.to_string()).unwrap_or_default()))
}

fn kind_of(command: &str) -> Option<i64> {
    TASK_TYPES.iter().find(|(known, _)| *known == command).map(|(_, kind)| *kind)
}

/// A new task about an operation on a service.
pub(super) fn edit_task(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.row_of("item", "item")?;
    let operation = request.row_of("runningoperation", "runningoperation")?;
    let sql = "SELECT item FROM runningoperation WHERE id = ?";
    if request.store.id(sql, values![operation])? != Some(item) {
        return Err(Refusal::value("runningoperation", &operation.to_string()));
    }
    let kind = request.required("type")?;
    let known = TASK_TYPES.iter().map(|(_, it)| *it).find(|it| it.to_string() == kind);
    if known.is_none() {
        return Err(Refusal::value("type", kind));
    }
    let params = request.given("params").unwrap_or_default();
    insert_task(request, operation, Some(item.to_string()), known, params)
}

fn insert_task(
    request: &mut Request,
    operation: u64,
    item: Option<String>,
    kind: Option<i64>,
    params: &str,
) -> Result<Answer, Refusal> {
    if request.store.id("SELECT id FROM task WHERE runningoperation = ?", values![operation])?.is_some() {
        return Err(Refusal::new("exists", "task", &operation.to_string(), "The operation has a task already"));
    }
    let row: [(&str, Value); 5] = [
        ("type", kind.into()),
        ("item", item.into()),
        ("runningoperation", operation.into()),
        ("status", 0.into()),
        ("params", params.into()),
    ];
    let id = request.store.insert("task", &row)?;
    Ok(Answer::done().with("id", id.to_string()))
}

/// A well-formed document with one root element, `doc`.
fn is_document(text: &str) -> bool {
    let mut reader = Reader::from_str(text);
    let mut roots: Vec<String> = Vec::new();
    let mut depth = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                if depth == 0 {
                    roots.push(tag.name().as_ref().to_owned());
                }
                depth += 1;
            }
            Ok(Event::Empty(tag)) if depth == 0 => roots.push(tag.name().as_ref().to_owned()),
            Ok(Event::End(_)) => depth -= 1,
            Ok(Event::Eof) => return depth == 0 && roots == ["doc"],
            Ok(_) => {}
            Err(_) => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_document_is_xml_with_one_root_doc() {
        assert!(is_document("<?xml version=\"1.0\"?><doc><error type=\"x\"/></doc>"));
        for text in ["", "text", "<doc>", "<error/>", "<doc/><doc/>", "<doc><error></doc>"] {
            assert!(!is_document(text), "{text}");
        }
    }
}
