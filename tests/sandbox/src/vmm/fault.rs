//! Misfortunes a test can order: which request they hit and what happens to it.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::hostile::Hostile;
use super::target::Target;

/// Where a token is asked for with a password.
pub(super) const LOGIN: &str = "/auth/v4/public/token";

/// One ordered misfortune: the requests it hits and what happens to them.
///
/// `Fault::on("POST", "/vm/v3/host").nth(2).act(Action::LoseAnswer)` hits the second creation from now on.
#[derive(Clone, Debug)]
pub struct Fault {
    target: Target,
    action: Action,
    spares_login: bool,
}

impl Fault {
    /// Requests of this method (`*` for any) and path (`*` for any); a segment `*` of the path matches any one segment.
    pub fn on(method: &str, path: &str) -> Self {
        Self { target: Target::new(method, path), action: Action::Refuse503 { retry_after: None }, spares_login: false }
    }

    /// Every answer but that of the login, which would keep everything else from being asked.
    pub fn hostile(kind: Hostile) -> Self {
        Self { spares_login: true, ..Self::on("*", "*").always().act(Action::Hostile(kind)) }
    }

    /// The same with answers of a test's own making.
    pub fn rewriting(rewrite: Rewrite) -> Self {
        Self { spares_login: true, ..Self::on("*", "*").always().act(Action::Rewrite(rewrite)) }
    }

    /// The first matching request that is hit, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.target.skip = n.saturating_sub(1);
        self
    }

    /// How many matching requests in a row are hit; 1 unless said otherwise.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.target.times = times;
        self
    }

    /// Every matching request from the first hit on.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// What happens; a 503 unless said otherwise.
    #[must_use]
    pub fn act(mut self, action: Action) -> Self {
        self.action = action;
        self
    }

    /// Counts the request if it matches, and says what happens to it if it is hit.
    pub(super) fn strike(&mut self, method: &str, path: &str) -> Option<Action> {
        let is_spared = self.spares_login && path == LOGIN;
        (!is_spared && self.target.strike(method, path)).then(|| self.action.clone())
    }
}

type Answers = dyn Fn(u16, &Value) -> (u16, Vec<u8>) + Send + Sync;

/// Status and body in place of the honest ones.
#[derive(Clone)]
pub struct Rewrite(Arc<Answers>);

impl Rewrite {
    /// Made of the honest answer.
    pub fn new(rewrite: impl Fn(u16, &Value) -> (u16, Vec<u8>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(rewrite))
    }

    pub(super) fn of(&self, status: u16, honest: &Value) -> (u16, Vec<u8>) {
        (self.0)(status, honest)
    }
}

impl fmt::Debug for Rewrite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rewrite")
    }
}

/// What happens to a request that is hit.
#[derive(Clone, Debug)]
pub enum Action {
    /// The platform is asleep: 503, nothing is done [api 1.5].
    Refuse503 {
        /// Seconds for a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// 429, nothing is done.
    TooMany429 {
        /// Seconds for a `Retry-After` header.
        retry_after: Option<u64>,
    },
    /// This status and body, nothing is done: a proxy's page, an error of the platform.
    Status {
        /// HTTP status.
        code: u16,
        /// Body as it is, whatever it is.
        body: String,
    },
    /// The platform's error document with this status, nothing is done [api B3].
    Error {
        /// HTTP status, e.g. 400 or 500.
        status: u16,
        /// Code in the document.
        code: u64,
        /// Text in the document.
        msg: String,
    },
    /// The work is done, the answer is an error document all the same.
    ErrorAfterWork {
        /// HTTP status, e.g. 500.
        status: u16,
        /// Code in the document.
        code: u64,
        /// Text in the document.
        msg: String,
    },
    /// The work is done at once, the answer comes after this time.
    Delay(Duration),
    /// The connection is reset, nothing is done.
    CloseBefore,
    /// The work is done, then the connection is reset.
    LoseAnswer,
    /// The work is done; the connection is reset in the middle of the answer.
    HalfAnswer,
    /// The work is done; the answer is a page of text under status 200.
    Garbage,
    /// The work is done; the answer is complete HTTP around JSON that ends too early.
    TruncatedJson,
    /// The work is done; the answer has this many bytes of extra text in it.
    Huge(usize),
    /// The work is done; numbers come as texts, lists as objects and so on.
    WrongType,
    /// The work is done; the answer is of this kind.
    Hostile(Hostile),
    /// The work is done; a test makes the answer.
    Rewrite(Rewrite),
    /// The session of this request is forgotten before the request is looked at.
    ExpireSession,
    /// The work is accepted; the task whose number is in the answer ends with this word and text, without effect.
    FailTask {
        /// Status word, e.g. `failed` or `fail`.
        word: &'static str,
        /// Text in `output`.
        text: String,
    },
    /// The work is accepted; its task does what it should and fails all the same, and leaves the VM in this state.
    FailInState {
        /// Status word, e.g. `failed` or `fail`.
        word: &'static str,
        /// Text in `output`.
        text: String,
        /// State of the VM afterwards, e.g. `stopped` or `active`.
        state: String,
    },
    /// The task of the answer ends as `cancelled`, without effect.
    CancelTask,
    /// The task of the answer is done, but never appears in any list.
    VanishTask,
    /// The task of the answer starts and never ends.
    NeverEndTask,
    /// The VM made by this request is missing from the next lists of VMs.
    HideFromLists {
        /// How many `GET /vm/v3/host` do not show it.
        calls: usize,
    },
    /// The VM made by this request is shown late.
    Lag {
        /// Until lists of VMs show it.
        listed_after: Duration,
        /// Until its own paths know it.
        found_after: Duration,
    },
    /// The connection is closed without an answer; the work is done after this time.
    LateWork(Duration),
}
