//! Misfortunes a test can order: which request they hit and what happens to it.

use std::time::Duration;

/// One ordered misfortune: the requests it hits and what happens to them.
///
/// `Fault::on("POST", "/vm/v3/host").nth(2).act(Action::LoseAnswer)` hits the second creation from now on.
#[derive(Clone, Debug)]
pub struct Fault {
    method: String,
    path: String,
    skip: usize,
    times: usize,
    action: Action,
}

impl Fault {
    /// Requests of this method (`*` for any) and path; a segment `*` of the path matches any one segment.
    pub fn on(method: &str, path: &str) -> Self {
        Self {
            method: method.into(),
            path: path.into(),
            skip: 0,
            times: 1,
            action: Action::Refuse503 { retry_after: None },
        }
    }

    /// The first matching request that is hit, counted from 1.
    #[must_use]
    pub fn nth(mut self, n: usize) -> Self {
        self.skip = n.saturating_sub(1);
        self
    }

    /// How many matching requests in a row are hit; 1 unless said otherwise.
    #[must_use]
    pub fn times(mut self, times: usize) -> Self {
        self.times = times;
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
        if self.times == 0 || !self.matches(method, path) {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        self.times -= 1;
        Some(self.action.clone())
    }

    fn matches(&self, method: &str, path: &str) -> bool {
        let (mut want, mut have) = (self.path.split('/'), path.split('/'));
        if self.method != "*" && self.method != method {
            return false;
        }
        loop {
            match (want.next(), have.next()) {
                (None, None) => return true,
                (Some(w), Some(h)) if w == "*" || w == h => {}
                _ => return false,
            }
        }
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
    /// The session of this request is forgotten before the request is looked at.
    ExpireSession,
    /// The work is accepted; the task whose number is in the answer ends with this word and text, without effect.
    FailTask {
        /// Status word, e.g. `failed` or `fail`.
        word: &'static str,
        /// Text in `output`.
        text: String,
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
    /// The connection is closed without an answer; the work is done after this time.
    LateWork(Duration),
}
