//! Parameters of a service: `service.saveparam` in both calling forms, `service.dropparam` [protocol 3.28].

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::control::SaveParam;

/// Form A `name=… value=…` (without `value`: delete), form B `<param>=<value>…`; `crypted=on` encrypts in both.
pub(super) fn save(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let crypted = match request.given("crypted") {
        None | Some("" | "off") => false,
        Some("on") => true,
        Some(other) => return Err(Refusal::value("crypted", other)),
    };
    let form_a = match request.behaviour.saveparam {
        SaveParam::Both => request.given("name").is_some(),
        SaveParam::FormA => true,
        SaveParam::FormB => false,
    };
    if form_a {
        let name = request.required("name")?;
        match request.given("value") {
            Some(value) => request.save(item.id, name, value, crypted)?,
            None => {
                request.drop_param(item.id, name)?;
            }
        }
        return Ok(Answer::done());
    }
    let params: Vec<(&str, &str)> = request.free().collect();
    if params.is_empty() {
        return Err(Refusal::missed("name"));
    }
    for (name, value) in params {
        request.save(item.id, name, value, crypted)?;
    }
    Ok(Answer::done())
}

/// Deletes one parameter, which need not be there.
pub(super) fn drop(request: &mut Request) -> Result<Answer, Refusal> {
    let item = request.service()?;
    let name = request.required("name")?;
    request.drop_param(item.id, name)?;
    Ok(Answer::done())
}
