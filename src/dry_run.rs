//! A dry run: an operation that is run for its plan. VMmanager and BILLmanager are asked as always, but what would
//! change something is written into the plan instead of being sent, and answered as if it had been done.
//!
//! The two places where requests leave the program (`vmm::dry_run`, `panel::dry_run`) share one plan; no use-case
//! knows that it is a dry run. What VMmanager would make gets a placeholder number, which the plan shows as a name in
//! angle brackets. What nobody can know before it is tried ends the plan: no plan is better than a wrong one.

use std::cell::RefCell;

use serde_json::Value;

use crate::error::{Error, Kind};

/// No object of VMmanager has ever such a number.
const FIRST_PLACEHOLDER: u64 = 9_000_000_000_000_000;

/// Who would be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Party {
    Vmmanager,
    Billmanager,
}

impl Party {
    /// As people write it.
    pub fn name(self) -> &'static str {
        match self {
            Party::Vmmanager => "VMmanager",
            Party::Billmanager => "BILLmanager",
        }
    }
}

/// One thing that would be sent.
#[derive(Clone, Debug)]
pub struct Step {
    pub to: Party,
    /// `POST /vm/v3/host`, or a function of BILLmanager.
    pub request: String,
    /// Body, or parameters as an object; null when there is none. Without secrets.
    pub body: Value,
    /// A sentence for people.
    pub why: String,
}

/// What a dry run has written so far.
#[derive(Debug, Default)]
pub struct Plan {
    steps: RefCell<Vec<Step>>,
    placeholders: RefCell<Vec<String>>,
    end: RefCell<Option<String>>,
}

impl Plan {
    /// Writes a step, unless the plan has ended. Secrets are left out by the caller.
    pub fn write(&self, to: Party, request: &str, body: &Value, why: &str) {
        if self.end.borrow().is_none() {
            let step = Step { to, request: self.named(request), body: self.named_in(body), why: self.named(why) };
            self.steps.borrow_mut().push(step);
        }
    }

    /// A number for something that does not exist yet; `name` is shown in its place.
    pub fn placeholder(&self, name: &str) -> u64 {
        let mut placeholders = self.placeholders.borrow_mut();
        placeholders.push(format!("<{name}>"));
        FIRST_PLACEHOLDER + placeholders.len() as u64 - 1
    }

    /// Whether a text holds a placeholder number.
    pub fn has_placeholder(&self, text: &str) -> bool {
        self.named(text) != text
    }

    /// What follows cannot be predicted. The error that ends the operation; the first reason stays.
    pub fn end(&self, reason: &str) -> Error {
        let mut end = self.end.borrow_mut();
        let reason = end.get_or_insert_with(|| self.named(reason));
        Error::new(Kind::State, "plan", format!("the plan ends here: {reason}"))
    }

    /// Why the plan ended before the operation did.
    pub fn ended(&self) -> Option<String> {
        self.end.borrow().clone()
    }

    /// The steps so far.
    pub fn steps(&self) -> Vec<Step> {
        self.steps.borrow().clone()
    }

    /// A text with names for placeholder numbers.
    pub fn named(&self, text: &str) -> String {
        let placeholders = self.placeholders.borrow();
        let numbers = (FIRST_PLACEHOLDER..).zip(placeholders.iter());
        numbers.fold(text.to_owned(), |text, (number, name)| text.replace(&number.to_string(), name))
    }

    fn named_in(&self, value: &Value) -> Value {
        match value {
            Value::Number(number) if self.has_placeholder(&number.to_string()) => {
                self.named(&number.to_string()).into()
            }
            Value::String(text) => self.named(text).into(),
            Value::Array(list) => list.iter().map(|element| self.named_in(element)).collect(),
            Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), self.named_in(value))).collect(),
            other => other.clone(),
        }
    }
}
