//! BILLmanager in a dry run: calls go into the plan, and what they would store counts as stored.

use std::cell::RefCell;
use std::fmt::Display;
use std::rc::Rc;

use secrecy::SecretString;
use serde_json::Value as Json;

use super::value::Value;
use crate::dry_run::{Party, Plan};
use crate::error::Result;
use crate::id::ServiceId;
use crate::mask::MASK;
use crate::wire::Element;

/// Functions that only ask.
const QUESTIONS: [&str; 1] = ["paramlist"];

/// The calls so far.
pub(super) struct DryRun {
    plan: Rc<Plan>,
    calls: RefCell<Vec<Call>>,
}

struct Call {
    function: String,
    params: Vec<(String, Text)>,
}

enum Text {
    Plain(String),
    Secret(SecretString),
}

impl Call {
    fn text(&self, name: &str) -> Option<&str> {
        self.params.iter().find_map(|(known, text)| match text {
            Text::Plain(text) if known == name => Some(text.as_str()),
            _ => None,
        })
    }

    fn is_about(&self, function: &str, id: impl Display) -> bool {
        self.function == function && self.text("elid") == Some(id.to_string().as_str())
    }
}

impl DryRun {
    /// Nothing has been called yet.
    pub(super) fn new(plan: &Rc<Plan>) -> Self {
        DryRun { plan: Rc::clone(plan), calls: RefCell::default() }
    }

    /// Whether a function only asks, and is called as always.
    pub(super) fn is_question(function: &str) -> bool {
        QUESTIONS.contains(&function)
    }

    /// Takes a call down; BILLmanager would do it.
    pub(super) fn answer(&self, function: &str, params: &[(&str, Value)]) -> Result<Element> {
        if let Some(reason) = self.plan.ended() {
            return Err(self.plan.end(&reason));
        }
        let why = why(function);
        let shown = params.iter().map(|(name, value)| {
            let text = if value.is_secret() { MASK } else { value.text() };
            ((*name).to_owned(), Json::from(text))
        });
        self.plan.write(Party::Billmanager, function, &Json::Object(shown.collect()), why.unwrap_or_default());
        if why.is_none() {
            let text = format!("what BILLmanager makes of {function} is not known here");
            return Err(self.plan.end(&text));
        }
        let params = params.iter().map(|(name, value)| {
            let text = match value {
                Value::Plain(text) | Value::Private(text) => Text::Plain((*text).to_owned()),
                Value::Secret(secret) | Value::Exposed(secret) => Text::Secret((*secret).clone()),
            };
            ((*name).to_owned(), text)
        });
        self.calls.borrow_mut().push(Call { function: function.to_owned(), params: params.collect() });
        Ok(Element::new("doc"))
    }

    /// Plain parameters that a service would have by now.
    pub(super) fn params(&self, item: ServiceId) -> Vec<(String, String)> {
        let calls = self.calls.borrow();
        let saved = calls.iter().filter(|call| call.is_about(SAVE, item)).flat_map(|call| &call.params);
        saved
            .filter_map(|(name, text)| match text {
                Text::Plain(text) if !OWN.contains(&name.as_str()) => Some((name.clone(), text.clone())),
                _ => None,
            })
            .collect()
    }

    /// A crypted parameter that a service would have by now.
    pub(super) fn secret(&self, item: ServiceId, name: &str) -> Option<SecretString> {
        let calls = self.calls.borrow();
        let saved = calls.iter().filter(|call| call.is_about(SAVE, item)).flat_map(|call| &call.params);
        saved.rev().find_map(|(known, text)| match text {
            Text::Secret(secret) if known == name => Some(secret.clone()),
            _ => None,
        })
    }

    /// The address that a slot would hold by now.
    pub(super) fn address(&self, slot: u64) -> Option<String> {
        let calls = self.calls.borrow();
        let added = calls.iter().rev().find(|call| call.is_about("service.ip.add", slot))?;
        added.text("ip").map(str::to_owned)
    }

    /// Whether the address of a slot would be committed by now.
    pub(super) fn has_committed(&self, slot: u64) -> bool {
        self.calls.borrow().iter().any(|call| call.is_about("service.ip.add.commit", slot))
    }
}

const SAVE: &str = "service.saveparam";
/// Parameters of `service.saveparam` itself.
const OWN: [&str; 3] = ["elid", "sok", "crypted"];

/// Why a function is called; nothing for one that no dry run calls.
fn why(function: &str) -> Option<&'static str> {
    Some(match function {
        SAVE => "BILLmanager does not have this value yet",
        "service.dropparam" => "the value is not right any more",
        "service.ip.add" => "a slot of the service waits for an address",
        "service.ip.add.commit" => "the address is in the slot",
        "service.ip.del" => "the slot holds an address that the service gives back",
        "service.changepricelist.rollback" => "the operation has failed: the change of the tariff is taken back",
        "vds.open" => "the service is open",
        "problems.register" => "something paid is not delivered, and staff have to put it right",
        function if function.starts_with("service.post") => "the operation is done",
        _ => return None,
    })
}
