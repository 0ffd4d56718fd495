//! Functions about the panel itself: `paramlist`, `problems.register` [protocol 1.2, 3.30].

use serde_json::{Map, Value as Json};

use super::answer::{Answer, Refusal};
use super::request::Request;

/// Kinds of problems that processing modules register.
const PROBLEMS: &[&str] =
    &["processingmodule_connect", "processingmodule_getnextmodule", "nameserver_connect", "ipmgr_connect"];

/// Every option of the panel, one per list element.
pub(super) fn options(request: &mut Request) -> Result<Answer, Refusal> {
    let options = request
        .root
        .options()?
        .into_iter()
        .map(|(name, value)| if name == "Option" { vec![(value, "on".to_owned())] } else { vec![(name, value)] });
    Ok(Answer::list(options.collect()))
}

/// A problem for the staff's list.
pub(super) fn register_problem(request: &mut Request) -> Result<Answer, Refusal> {
    let name = request.required("name")?;
    if !PROBLEMS.contains(&name) {
        return Err(Refusal::value("name", name));
    }
    let level = request.required("level")?;
    if !["error", "warning"].contains(&level) {
        return Err(Refusal::value("level", level));
    }
    let params: Map<String, Json> = request
        .free()
        .filter_map(|(name, value)| Some((name.strip_prefix("param_")?.to_owned(), value.into())))
        .collect();
    let row = [
        ("name", name.into()),
        ("object", request.required("id")?.into()),
        ("level", level.into()),
        ("params", Json::from(params).to_string().into()),
    ];
    request.store.insert("problem", &row)?;
    Ok(Answer::done())
}
