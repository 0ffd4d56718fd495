//! What a line of the table says about a command.

use super::context::Context;
use super::invocation::Invocation;
use crate::error::Result;
use crate::service::handler::HandlerJob;
use crate::service::job::Job;
use crate::wire::Element;

/// What a command works on, and with that what it needs.
pub(crate) enum Work {
    /// Answers from the program itself, given every command: no disk, no network.
    Constant(fn(&[Command]) -> Element),
    /// Answers a document read from standard input.
    Form(fn(&Context, &Element) -> Result<Element>),
    /// Answers a question of a form from its arguments; what comes on standard input is read to its end and not needed.
    Question(fn(&Context) -> Result<Element>),
    /// Answers a document about a service without changing it: no ticket, no queue.
    Look(fn(&Job, &Invocation) -> Result<Element>),
    /// Changes what belongs to a handler (`--module`): runs alone for it, does nothing on a copied installation, prints
    /// nothing.
    Handler(fn(&Context, &HandlerJob) -> Result<()>),
    /// Changes a service: runs under the service's ticket, waits in the handler's queue, does nothing on a copied
    /// installation, prints nothing.
    Service(fn(&Job, &Invocation) -> Result<()>),
    /// The same at a client's click: it keeps its place in the queue for a while only.
    Button(fn(&Job, &Invocation) -> Result<()>),
}

/// One line of the table.
pub(crate) struct Command {
    /// As in `--command` and in `features`.
    pub name: &'static str,
    /// Listed in `features` (`features` itself is not one).
    pub feature: bool,
    /// What it does.
    pub work: Work,
}
