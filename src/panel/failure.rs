//! The failure protocol in one place [protocol 3.30]: errorxml for the running operation, a task for staff once the
//! operation was tried ten times, a problem report when VMmanager could not be reached or refused our login.
//!
//! Nothing here may fail loudly: the operation has failed already, and its own error is the one that people must see.

use super::connection::Panel;
use super::database::Param;
use super::value::Value;
use crate::config;
use crate::error::{Error, Result};
use crate::id::{HandlerId, OperationId, ServiceId};
use crate::log;
use crate::text::{LONGEST, clean};
use crate::wire::Element;

const TRIES_BEFORE_STAFF: i64 = 10;
/// Of a document that is one value of the environment: the system takes 128 KiB [protocol 5.1].
const MAX_BYTES: usize = 100 * 1024;

/// A handler that could not make a service, which went on to another one.
#[derive(Clone, Debug)]
pub struct Tried {
    pub handler: HandlerId,
    pub name: String,
    pub error: Error,
}

pub struct Failure<'a> {
    /// The command as the panel named it.
    pub command: &'a str,
    /// `--item`.
    pub item: Option<ServiceId>,
    /// `--runningoperation`.
    pub operation: Option<OperationId>,
    /// The handler, when it was known by then.
    pub handler: Option<(HandlerId, &'a str)>,
    /// Handlers that were tried before it.
    pub tried: &'a [Tried],
    pub error: &'a Error,
}

impl Panel {
    /// Reports a failure to BILLmanager; what cannot be reported is logged.
    pub fn report(&self, failure: &Failure) {
        if let Err(error) = self.send(failure) {
            log::error!("the failure could not be reported to BILLmanager: {error}");
        }
    }

    /// A refused call does not keep the next one from being made; a panel that cannot be reached was waited for once.
    fn send(&self, failure: &Failure) -> Result<()> {
        if let Some(operation) = failure.operation {
            unless_refused(self.record(failure, operation))?;
            if let Some(item) = failure.item {
                unless_refused(self.hand_over(failure, item, operation))?;
            }
        }
        if let (true, Some(handler)) = (failure.error.kind.is_connection(), failure.handler) {
            unless_refused(self.register_problem("processingmodule_connect", handler, failure.error, &[]))?;
        }
        Ok(())
    }

    fn record(&self, failure: &Failure, operation: OperationId) -> Result<()> {
        let xml = errorxml(failure);
        let operation = operation.to_string();
        let params =
            [("elid", Value::Plain(&operation)), ("errorxml", Value::Private(&xml)), ("sok", Value::Plain("ok"))];
        self.call("runningoperation.edit", &params).map(drop)
    }

    /// At the tenth try the operation goes to a person, once; at the first when only a person can go on.
    pub fn is_for_staff(&self, error: &Error, operation: OperationId) -> Result<bool> {
        let (tries, has_task) = self.tries(operation)?;
        Ok(!has_task && (tries >= TRIES_BEFORE_STAFF || error.needs_staff()))
    }

    fn hand_over(&self, failure: &Failure, item: ServiceId, operation: OperationId) -> Result<()> {
        if !self.is_for_staff(failure.error, operation)? {
            return Ok(());
        }
        let has_task = || Ok(self.tries(operation)?.1);
        let (item, operation) = (item.to_string(), operation.to_string());
        let (item, operation) = (Value::Plain(&item), Value::Plain(&operation));
        self.call("runningoperation.setmanual", &[("elid", operation.again()), ("sok", Value::Plain("ok"))])?;
        let asked = [("operation", Value::Plain(failure.command)), ("item", item.again())];
        let answer = self.call("task.gettype", &asked)?;
        let kind = answer.value("task_type");
        if kind.is_empty() {
            return Ok(());
        }
        let text = failure.error.to_string();
        let params = [
            ("item", item),
            ("runningoperation", operation),
            ("type", Value::Plain(kind)),
            ("params", Value::Private(&text)),
            ("sok", Value::Plain("ok")),
        ];
        self.call_once("task.edit", &params, &has_task).map(drop)
    }

    /// Tells staff that a service went on to another handler.
    pub fn report_move(&self, item: ServiceId, from: (HandlerId, &str), error: &Error) -> Result<()> {
        let rows = self.rows("SELECT name FROM item WHERE id = ?", &[Param::Id(item.get())])?;
        let (id, name) = (item.to_string(), clean(rows.first().map_or("", |row| row.text(0)), LONGEST));
        let more = [("param_item_name", Value::Private(&name)), ("param_iid", Value::Plain(&id))];
        unless_refused(self.register_problem("processingmodule_getnextmodule", from, error, &more))
    }

    /// Tells staff of something that a client pays for and does not get. BILLmanager has no kind of problem for that, and no
    /// source names a way to add one [protocol 7.29]; of the kinds it has, this one shows the text and names the handler.
    pub fn report_undelivered(&self, handler: (HandlerId, &str), error: &Error) -> Result<()> {
        unless_refused(self.register_problem("processingmodule_connect", handler, error, &[]))
    }

    fn register_problem(
        &self,
        problem: &str,
        (handler, name): (HandlerId, &str),
        error: &Error,
        more: &[(&str, Value)],
    ) -> Result<()> {
        let (id, name, text) = (handler.to_string(), clean(name, LONGEST), error.to_string());
        let mut params = vec![
            ("name", Value::Plain(problem)),
            ("id", Value::Plain(&id)),
            ("param_pm_name", Value::Private(&name)),
            ("param_pm_id", Value::Plain(&id)),
            ("param_errormsg", Value::Private(&text)),
            ("level", Value::Plain("error")),
            ("sok", Value::Plain("ok")),
        ];
        params.extend(more.iter().map(|(name, value)| (*name, value.again())));
        self.call("problems.register", &params).map(drop)
    }
}

/// The document printed on standard output.
pub fn error_document(error: &Error) -> Element {
    let param = Element::with_text("param", error.message()).attribute("name", "value");
    let object = Element::with_text("param", &error.object).attribute("name", "object");
    let node = Element::new("error").attribute("type", error.kind.name()).attribute("object", &error.object);
    Element::new("doc").child(node.child(param).child(object).child(Element::with_text("msg", error.to_string())))
}

/// The document for the running operation, with as much of the end of this run's log, and then of the error, as fits.
fn errorxml(failure: &Failure) -> String {
    let (mut lines, mut longest) = (log::recent(), LONGEST);
    loop {
        let short = |error: &Error| error.clone().reworded(|text| clean(text, longest));
        let tried = failure.tried.iter().map(|it| Tried { error: short(&it.error), ..it.clone() });
        let (error, tried) = (short(failure.error), tried.collect::<Vec<_>>());
        let shown = Failure { error: &error, tried: &tried, ..*failure };
        let xml = with_log(&shown, &lines.join("\n")).document();
        if xml.len() <= MAX_BYTES || longest == 0 {
            return xml;
        }
        if lines.is_empty() {
            longest /= 2;
        }
        lines.drain(..lines.len().div_ceil(4));
    }
}

fn with_log(failure: &Failure, log: &str) -> Element {
    let date = config::now().strftime("%Y-%m-%d %H:%M:%S").to_string();
    let last = error_node(failure.error, &date).child(Element::with_text("log", log));
    let mut doc = Element::new("doc");
    for Tried { handler, name, error } in failure.tried {
        doc = doc.child(module_node(*handler, name, &date).child(error_node(error, &date)).child(words(error, &date)));
    }
    doc = match failure.handler {
        Some((id, name)) => {
            doc.child(module_node(id, name, &date).child(last.clone()).child(words(failure.error, &date)))
        }
        None => doc.child(words(failure.error, &date)),
    };
    doc.child(last)
}

fn module_node(handler: HandlerId, name: &str, date: &str) -> Element {
    let node = Element::new("processingmodule").attribute("date", date).attribute("id", handler.to_string());
    node.attribute("name", clean(name, LONGEST))
}

fn error_node(error: &Error, date: &str) -> Element {
    Element::new("error")
        .attribute("date", date)
        .attribute("type", error.kind.name())
        .attribute("object", &error.object)
        .attribute("value", error.message())
        .child(Element::with_text("param", error.message()).attribute("name", "value"))
        .child(Element::with_text("backtrace", error.to_string()))
}

/// What people read above the error.
fn words(error: &Error, date: &str) -> Element {
    Element::with_text("custommessage", error.message()).attribute("type", "error").attribute("date", date)
}

fn unless_refused(result: Result<()>) -> Result<()> {
    match result {
        Err(error) if !error.is_unreachable_panel() => {
            log::error!("{error}");
            Ok(())
        }
        result => result,
    }
}
