//! Taking turns: one operation of a service at a time, always, and as many of a handler as its queue allows.
//!
//! Lock order: the service's ticket, then the ticket of the queue key; never the other way, so there is no deadlock. The
//! service is read after the wait, and its handler again, because both may have changed meanwhile. A run that is killed loses its tickets with its
//! life. A client's button gives its place in the queue back after a while, whatever it still waits for.
//! Deliberately absent: a ticket for work that only reads, and for a dry run.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Instant;

use super::{Assignment, Job};
use crate::config::Config;
use crate::dry_run::Plan;
use crate::error::{Error, Result};
use crate::id::{HandlerId, OperationId, ServiceId};
use crate::log;
use crate::panel::{Handler, Panel, Tried};
use crate::progress::Progress;
use crate::queue::{self, Label, Lent, Turn};
use crate::recorder::{self, Metric};
use crate::settings::{HandlerSettings, SERVICE_PREFIX, service_key};

/// For how long an operation keeps its place in the handler's queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stay {
    /// As long as it runs.
    ToTheEnd,
    /// For a while, however long it runs: a client starts it as often as he likes, and orders must not wait for it.
    ForAWhile,
}

/// What an operation holds while it runs.
enum Held {
    /// Until its end; both tickets are given back in one step.
    Whole { _turn: Turn },
    /// The place in the queue for a while; the service until its end.
    Lent { _place: Lent, _alone: Turn },
}

/// Where operations run: the installation, and the operation of BILLmanager that asks for them.
pub(crate) struct Turns<'a> {
    config: &'a Config,
    panel: &'a Panel,
    operation: Option<OperationId>,
    handler: RefCell<Option<(HandlerId, String)>>,
    /// Handlers that the service has left in this run.
    tried: RefCell<Vec<Tried>>,
    /// Something may have changed since the handler was read.
    waited: Cell<bool>,
}

impl<'a> Turns<'a> {
    /// `operation` is the running operation of BILLmanager, if there is one.
    pub(crate) fn new(config: &'a Config, panel: &'a Panel, operation: Option<OperationId>) -> Self {
        Turns {
            config,
            panel,
            operation,
            handler: RefCell::new(None),
            tried: RefCell::default(),
            waited: Cell::new(false),
        }
    }

    /// Id and name of the handler, as soon as it is known: for the report of a failure.
    pub(crate) fn handler(&self) -> Option<(HandlerId, String)> {
        self.handler.borrow().clone()
    }

    /// Handlers that could not make the service, for the report of a failure.
    pub(crate) fn tried(&self) -> Vec<Tried> {
        self.tried.borrow().clone()
    }

    /// Notes whose work this is.
    pub(crate) fn note_handler(&self, handler: &Handler) {
        *self.handler.borrow_mut() = Some((handler.id, handler.name.clone()));
    }

    /// Works on a service alone, in the handler's queue where that is switched on.
    pub(crate) fn with_turn<T>(
        &self,
        item: ServiceId,
        command: &str,
        stay: Stay,
        work: impl FnOnce(&Job) -> Result<T>,
    ) -> Result<T> {
        let handler = self.begin(item)?;
        let label = Label { command: command.to_owned(), item: Some(item), handler: Some(handler.id) };
        let settings = HandlerSettings::read(&handler.params);
        let alone = self.ticket(&service_key(item), 1, &label)?;
        let queued = settings.queue_enabled.then(|| settings.queue_key.of(command, handler.id, item));
        let _held = match queued {
            Some(key) => {
                let turn = self.ticket(&key, settings.queue_count, &label)?;
                match stay {
                    Stay::ToTheEnd => Held::Whole { _turn: turn.after(alone) },
                    Stay::ForAWhile => Held::Lent { _place: Lent::new(turn, self.config.limits.button), _alone: alone },
                }
            }
            None => Held::Whole { _turn: alone },
        };
        // While it waited, the service may have moved to another handler, and the handler to another VMmanager.
        let handler = if self.waited.get() { self.begin(item)? } else { handler };
        work(&self.assignment(item, handler)?.job()?)
    }

    /// The same where a service may go on to BILLmanager's next handler, with that handler's queue; to each once.
    pub(crate) fn with_turns(&self, item: ServiceId, command: &str, work: impl Fn(&Job) -> Result<()>) -> Result<()> {
        loop {
            let error = match self.with_turn(item, command, Stay::ToTheEnd, &work) {
                Err(error) if error.is_moved() => error,
                done => return done,
            };
            let Some((handler, name)) = self.handler() else { return Err(error) };
            let next = self.panel.owner(item)?.handler;
            let is_known = |tried: &Tried| Some(tried.handler) == next;
            if next == Some(handler) || self.tried.borrow().iter().any(is_known) {
                return Err(error);
            }
            log::warn!("service {item}: {error}");
            self.tried.borrow_mut().push(Tried { handler, name, error });
        }
    }

    /// Gathers what is known of a service for work that changes nothing.
    pub(crate) fn with_job<T>(&self, item: ServiceId, work: impl FnOnce(&Job) -> Result<T>) -> Result<T> {
        let handler = self.begin(item)?;
        let job = self.assignment(item, handler)?.job()?;
        work(&Job { asks_only: true, ..job })
    }

    /// Runs an operation for its plan; its own error, if it has one. What would follow a wait for VMmanager is not known.
    pub(crate) fn dry_run(
        &self,
        item: ServiceId,
        plan: &Rc<Plan>,
        work: impl FnOnce(&Job) -> Result<()>,
    ) -> Result<Option<Error>> {
        let handler = self.begin(item)?;
        let job = self.assignment(item, handler)?.dry_run(plan)?;
        let Err(error) = work(&job) else { return Ok(None) };
        if error.is_long_wait() {
            plan.end(&format!("the operation would have to wait ({})", error.message()));
        }
        Ok(Some(error).filter(|_| plan.ended().is_none()))
    }

    /// The handler of the service, which must be ours.
    fn begin(&self, item: ServiceId) -> Result<Handler> {
        let handler = self.panel.handler_of(item)?;
        self.note_handler(&handler);
        Ok(handler)
    }

    /// What there is to be done; the service is read now.
    fn assignment(&self, item: ServiceId, handler: Handler) -> Result<Assignment<'_>> {
        let (config, panel, operation) = (self.config, self.panel, self.operation);
        Ok(Assignment { config, panel, handler, service: panel.service(item)?, operation })
    }

    fn ticket(&self, key: &str, limit: u32, label: &Label) -> Result<Turn> {
        let (started, progress) = (Instant::now(), Progress::new());
        let turn = queue::enter(&self.config.runtime_dir(), key, limit, label, &mut |waiting| {
            log::info!("{label}: {waiting}");
            self.waited.set(true);
            progress.show(&waiting.to_string());
            self.panel.disconnect();
        })?;
        let kind = if key.starts_with(SERVICE_PREFIX) { "service" } else { "handler" };
        recorder::time(Metric::QueueWait, &[kind], started.elapsed());
        log::debug!("{label}: runs in queue {}", turn.queue());
        Ok(turn)
    }
}
