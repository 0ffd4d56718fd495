//! Requests with VMmanager's meaning: session, patience with a sleeping platform, error bodies, the three-way outcome.
//!
//! A request ends as done, refused or **unknown**. Reads are repeated; a change is repeated only
//! when it provably did not happen: nothing was sent, or 503/429, which the platform documents as "not taken" [api 1.5].
//! After an unknown outcome the caller has to look at the state before asking again.

use std::cell::Cell;
use std::time::{Duration, Instant};

use jiff::SignedDuration;
use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::body::recipe_values;
use super::endpoint::Endpoint;
use super::http::{Answer, Broken, Http, Method, Request, path_only};
use super::json::Json;
use super::outcome::{Failure, Outcome};
use super::reason::{error_text, not_vmmanager, plain_reason, whole};
use super::session::Session;
use super::tls::Trust;
use crate::certificate::Certificate;
use crate::config::Limits;
use crate::error::{Error, Kind, Origin, Result};
use crate::log;
use crate::mask;
use crate::recorder::{self, Metric};

/// Pauses before a read is repeated after a lost or unreadable answer.
const READ_PAUSES: [Duration; 3] = [Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(2)];
/// Pauses before a request is repeated that could not connect.
const CONNECT_PAUSES: [Duration; 2] = [Duration::from_millis(300), Duration::from_millis(900)];
/// A connection that failed as fast as this was refused and may come back; a slow failure was waited for already.
const QUICK: Duration = Duration::from_secs(1);
/// A read is repeated only as long as this.
const PATIENCE: Duration = Duration::from_secs(5);
/// Characters of a session token.
const LONGEST_TOKEN: usize = 4096;
/// Characters of VMmanager's own words that an error repeats.
const LONGEST_REASON: usize = 400;
const ASLEEP_FIRST: Duration = Duration::from_millis(500);
const ASLEEP_LONGEST: Duration = Duration::from_secs(2);

/// Where and as whom to log in.
pub struct Access {
    /// VMmanager's address.
    pub endpoint: Endpoint,
    /// Administrator's e-mail.
    pub username: String,
    /// Administrator's password.
    pub password: SecretString,
    /// How the certificate is judged.
    pub trust: Trust,
}

/// A VMmanager with a session.
pub struct Client {
    http: Http,
    access: Access,
    session: Session,
    limits: Limits,
    prefixed: Cell<bool>,
    /// We were seen to be an administrator in this run.
    pub(super) administrator: Cell<bool>,
    interceptor: Option<Box<dyn Interceptor>>,
    gate: Option<Box<dyn Gate>>,
}

/// Stands before every login.
pub trait Gate {
    /// Whether the password may be sent at all.
    fn may_pass(&self) -> Result<()>;
    /// VMmanager has accepted it.
    fn passed(&self);
}

/// Stands between the client's requests and VMmanager: a dry run.
pub(super) trait Interceptor {
    /// Answers a request in VMmanager's place, or with what VMmanager answers to it.
    fn request(&self, client: &Client, method: Method, path: &str, body: Option<&Value>) -> Outcome<Value>;
}

/// One exchange seen from above.
enum Step {
    Done(Json),
    Refused(Error),
    Unknown(Error),
    NotTaken { error: Error, asleep: bool, retry_after: Option<u64> },
    NoSession(Error),
}

impl Step {
    /// Its word in the metrics.
    fn name(&self) -> &'static str {
        match self {
            Step::Done(_) => "done",
            Step::Refused(_) => "refused",
            Step::Unknown(_) => "unknown",
            Step::NotTaken { .. } => "not_taken",
            Step::NoSession(_) => "no_session",
        }
    }
}

impl Client {
    /// Connects to nothing yet.
    pub fn new(access: Access, session: Session, limits: &Limits) -> Self {
        let http = Http::new(access.trust.clone(), limits.answer);
        mask::remember(&access.password);
        Client {
            http,
            access,
            session,
            limits: limits.clone(),
            prefixed: Cell::new(false),
            administrator: Cell::new(false),
            interceptor: None,
            gate: None,
        }
    }

    /// The same client with a gate before its logins.
    #[must_use]
    pub fn guarded(self, gate: Box<dyn Gate>) -> Self {
        Client { gate: Some(gate), ..self }
    }

    /// Whether the password may be sent where this client leads.
    pub fn may_log_in(&self) -> Result<()> {
        self.gate.as_ref().map_or(Ok(()), |gate| gate.may_pass())
    }

    /// The same client with something between it and VMmanager.
    #[must_use]
    pub(super) fn intercepted(self, interceptor: Box<dyn Interceptor>) -> Self {
        Client { interceptor: Some(interceptor), ..self }
    }

    /// How long things may take.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The administrator's e-mail we log in with.
    pub fn username(&self) -> &str {
        &self.access.username
    }

    /// How the server's certificate is judged.
    pub fn trust(&self) -> &Trust {
        &self.access.trust
    }

    /// The server's certificate as last seen, accepted or not; nothing over plain http and before the first request.
    pub fn certificate(&self) -> Option<Certificate> {
        self.http.certificate()
    }

    /// How far VMmanager's clock is ahead of ours, to a second; nothing before the first answer that reports it.
    pub fn clock_ahead(&self) -> Option<SignedDuration> {
        self.http.ahead()
    }

    /// Has a session: logs in unless it has one already.
    pub fn log_in(&self) -> Result<()> {
        self.token().map(drop)
    }

    /// Reads an object; repeated when the answer was lost or unreadable.
    pub fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        self.read(path, Json::object)
    }

    /// The same where VMmanager answers with a bare list.
    pub(super) fn get_list<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>> {
        self.read(path, Json::any)
    }

    fn read<T>(&self, path: &str, read: impl Fn(Json) -> serde_json::Result<T>) -> Result<T> {
        let started = Instant::now();
        let mut pauses = READ_PAUSES.iter().take_while(|_| started.elapsed() < PATIENCE);
        loop {
            let answer = self.request(Method::Get, path, None);
            match (answer.and_then(|json| understood(Method::Get, path, read(json))), pauses.next()) {
                (Ok(value), _) => return Ok(value),
                (Err(Failure::Refused(error)), _) => return Err(error),
                (Err(Failure::Unknown(error)), None) => return Err(error.origin(Origin::Unanswered)),
                // It has waited for a minute already.
                (Err(Failure::Unknown(error)), _) if error.kind == Kind::Vm6Timeout => return Err(error),
                (Err(Failure::Unknown(error)), Some(pause)) => {
                    recorder::count(Metric::Retries, &["read"]);
                    log::debug!("reading again in {} ms after: {error}", pause.as_millis());
                    std::thread::sleep(*pause);
                }
            }
        }
    }

    /// Whether VMmanager answers at all: asked once, without a session and without the password. Who asks for a session
    /// answers.
    pub fn answers(&self) -> bool {
        let request = Request { method: Method::Get, path: "/vm/v3/version", body: None, token: None };
        let is_its_own = |answer: Answer| answer.status == 401 || answer.status < 500 && answer.body.is_ok();
        self.http.exchange(&self.base(), &request).is_ok_and(is_its_own)
    }

    /// Reads a page that may be something else than JSON; nothing when there is none. Asked once.
    pub fn page(&self, path: &str) -> Result<Option<String>> {
        let token = self.session.token(&mut || self.login())?;
        self.http.page(&self.base(), path, &token).map_err(|broken| match broken {
            Broken::NotSent(error) | Broken::Lost(error) => error,
        })
    }

    /// Changes something.
    pub fn post<T: DeserializeOwned>(&self, path: &str, body: &Value) -> Outcome<T> {
        let answer = self.request(Method::Post, path, Some(body))?;
        understood(Method::Post, path, answer.object())
    }

    /// Removes something.
    pub fn delete<T: DeserializeOwned>(&self, path: &str) -> Outcome<T> {
        let answer = self.request(Method::Delete, path, None)?;
        understood(Method::Delete, path, answer.object())
    }

    /// Reads without the interceptor, once.
    pub(super) fn get_once(&self, path: &str) -> Outcome<Value> {
        understood(Method::Get, path, self.send(Method::Get, path, None)?.any())
    }

    fn request(&self, method: Method, path: &str, body: Option<&Value>) -> Outcome<Json> {
        match &self.interceptor {
            Some(interceptor) => interceptor.request(self, method, path, body).map(Json::Made),
            None => self.send(method, path, body),
        }
    }

    /// Sends a request, with another session when this one has ended.
    fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Outcome<Json> {
        let mut renewed = false;
        loop {
            let token = self.token().map_err(Failure::Refused)?;
            let request = Request { method, path, body, token: Some(&token) };
            match self.patiently(&request) {
                Step::Done(value) => return Ok(value),
                Step::Refused(error) | Step::NotTaken { error, .. } => return Err(Failure::Refused(error)),
                Step::Unknown(error) => return Err(Failure::Unknown(error)),
                Step::NoSession(error) if renewed => return Err(Failure::Refused(error)),
                Step::NoSession(_) => {
                    recorder::count(Metric::Retries, &["session"]);
                    self.session.reject(&token);
                    renewed = true;
                }
            }
        }
    }

    fn token(&self) -> Result<SecretString> {
        self.session.token(&mut || self.login()).inspect(mask::remember)
    }

    fn login(&self) -> Result<SecretString> {
        self.may_log_in()?;
        let answer = self.ask_for_token();
        recorder::count(Metric::Logins, &[recorder::result(&answer)]);
        if let (Some(gate), Ok(_)) = (&self.gate, &answer) {
            gate.passed();
        }
        answer
    }

    /// Logs in [api 1.3]; the token is never logged.
    fn ask_for_token(&self) -> Result<SecretString> {
        let body = json!({ "email": self.access.username, "password": self.access.password.expose_secret() });
        let path = "/auth/v4/public/token";
        let refused = |reason: &str| {
            let username = self.access.username.as_str();
            Error::new(Kind::Vm6Auth, username, format!("VMmanager did not let {username} in: {reason}")).cure(
                "check user name and password, that two-factor authentication is off for this account and that its \
                 group allows this server's address",
            )
        };
        let request = Request { method: Method::Post, path, body: Some(&body), token: None };
        match self.patiently(&request) {
            Step::Done(answer) => match token(answer) {
                Some(token) => {
                    log::info!("logged in to VMmanager as {}", self.access.username);
                    Ok(token)
                }
                None => Err(not_vmmanager(&self.base(), "the answer to the login has no token")),
            },
            Step::Refused(error)
                if matches!(error.kind, Kind::Vm6Connect | Kind::Vm6Url | Kind::Vm6Tls | Kind::Vm6Version) =>
            {
                Err(error)
            }
            Step::Refused(error) | Step::NoSession(error) => Err(refused(&error.message())),
            Step::Unknown(error) if error.kind == Kind::Vm6Api && error.may_pass() => {
                Err(not_vmmanager(&self.base(), &error.message()))
            }
            // VMmanager itself said why.
            Step::Unknown(error) if error.kind == Kind::Vm6Api => {
                Err(Error::new(Kind::Vm6Connect, self.base(), error.message()))
            }
            Step::Unknown(error) | Step::NotTaken { error, .. } => Err(error),
        }
    }

    /// Repeats what was not taken: connection failures briefly, a sleeping platform for a minute.
    fn patiently(&self, request: &Request) -> Step {
        let until = Instant::now() + self.limits.asleep;
        let mut connect = CONNECT_PAUSES.iter();
        let mut asleep_pause = ASLEEP_FIRST;
        loop {
            let started = Instant::now();
            let step = self.once(request);
            let Step::NotTaken { error, asleep, retry_after } = &step else { return step };
            let pause = if *asleep {
                let asked = retry_after.map_or(asleep_pause, Duration::from_secs);
                asleep_pause = (asleep_pause * 2).min(ASLEEP_LONGEST);
                asked.min(until.saturating_duration_since(Instant::now()))
            } else if started.elapsed() < QUICK {
                connect.next().copied().unwrap_or_default()
            } else {
                Duration::ZERO
            };
            if pause.is_zero() || Instant::now() >= until {
                return step;
            }
            recorder::count(Metric::Retries, &[if *asleep { "asleep" } else { "connect" }]);
            log::debug!("not taken ({error}); again in {} ms", pause.as_millis());
            std::thread::sleep(pause);
        }
    }

    fn once(&self, request: &Request) -> Step {
        let (started, method) = (Instant::now(), request.method.name());
        let answer = self.http.exchange(&self.base(), request);
        recorder::time(Metric::RequestTime, &[method], started.elapsed());
        let elsewhere = answer.as_ref().is_ok_and(|answer| self.is_elsewhere(answer));
        let step = match answer {
            Ok(answer) => self.judge(request, answer),
            Err(Broken::NotSent(error)) if error.kind == Kind::Vm6Tls => Step::Refused(error),
            Err(Broken::NotSent(error)) => Step::NotTaken { error, asleep: false, retry_after: None },
            Err(Broken::Lost(error)) => Step::Unknown(error),
        };
        recorder::count(Metric::Requests, &[method, step.name()]);
        if elsewhere {
            self.prefixed.set(true);
            return self.once(request);
        }
        step
    }

    /// Where VMmanager answers: origin and, where it was needed, the path that was typed.
    pub fn base(&self) -> String {
        format!("{}{}", self.access.endpoint.origin, self.prefix())
    }

    /// The path that was typed, where it is needed.
    pub fn prefix(&self) -> &str {
        if self.prefixed.get() { &self.access.endpoint.path } else { "" }
    }

    /// The plain address answered "no such page" and not as VMmanager: the path that was typed may be needed.
    fn is_elsewhere(&self, answer: &Answer) -> bool {
        let is_api = answer.body.as_ref().is_ok_and(|body| body.error().is_some());
        answer.status == 404 && !is_api && !self.prefixed.get() && !self.access.endpoint.path.is_empty()
    }

    fn judge(&self, request: &Request, answer: Answer) -> Step {
        let object = format!("{} {}", request.method.name(), path_only(request.path));
        let said = answer.body.as_ref().ok().and_then(Json::error);
        let text = self.unsaid(request, &said.map_or_else(|| plain_reason(request, &answer), error_text));
        let code = said.and_then(|error| whole(error.get("code")?));
        let error = |kind| Error::new(kind, object.as_str(), format!("VMmanager refused {object}: {text}"));
        let origin = if request.method == Method::Get { Origin::Module } else { Origin::Refused };
        let no = || Step::Refused(error(Kind::Vm6Api).origin(origin));
        match (answer.status, code) {
            (503 | 429, _) => {
                let text = format!("VMmanager is asleep or overloaded (HTTP {}): {text}", answer.status);
                let error = Error::new(Kind::Vm6Connect, object, text);
                Step::NotTaken { error, asleep: true, retry_after: answer.retry_after }
            }
            (401, _) | (_, Some(1000)) => Step::NoSession(error(Kind::Vm6Auth)),
            (300..=399, _) => {
                let to = answer.location.unwrap_or_default();
                let text = format!("{} redirects to {to}", self.base());
                Step::Refused(Error::new(Kind::Vm6Url, "url", text).cure("enter the address of VMmanager itself"))
            }
            (408 | 500.., _) if said.is_some() => Step::Unknown(error(Kind::Vm6Api)),
            (408 | 500.., _) => Step::Unknown(error(Kind::Vm6Api).origin(Origin::Unanswered)),
            (_, Some(5021 | 3080)) => Step::Refused(error(Kind::Vm6NotFound)),
            (400.., None) if answer.body.is_err() => Step::Refused(not_vmmanager(&self.base(), &text)),
            (403, _) | (_, Some(3001)) => Step::Refused(error(Kind::Vm6Permission)),
            (_, Some(1106)) => Step::Refused(error(Kind::Vm6Version)),
            (400.., _) | (_, Some(_)) => no(),
            (_, None) if said.is_some() => no(),
            (_, None) => match answer.body {
                Ok(body) => Step::Done(body),
                Err(reason) => {
                    let text = format!("VMmanager's answer to {object} {reason}: {text}");
                    Step::Unknown(Error::new(Kind::Vm6Api, object, text).origin(Origin::Unanswered))
                }
            },
        }
    }

    /// An answer may repeat what it was asked with: no password and no token in it is for people, and no long story. It
    /// is cut last, so that no part of a secret stays.
    fn unsaid(&self, request: &Request, text: &str) -> String {
        let password = request.body.and_then(|body| body.get("password")?.as_str());
        let of_recipes = request.body.into_iter().flat_map(recipe_values);
        let own = [Some(self.access.password.expose_secret()), request.token.map(SecretString::expose_secret)];
        let masked = own
            .into_iter()
            .chain([password])
            .flatten()
            .chain(of_recipes)
            .fold(mask::masked(text), |text, secret| mask::without(&text, secret));
        masked.chars().take(LONGEST_REASON).collect()
    }
}

/// An answer that is of another form than expected leaves open what was done.
fn understood<T>(method: Method, path: &str, read: serde_json::Result<T>) -> Outcome<T> {
    read.map_err(|error| {
        let object = format!("{} {}", method.name(), path_only(path));
        let text = format!("VMmanager's answer to {object} cannot be understood: {error}");
        Failure::Unknown(Error::new(Kind::Vm6Api, object, text))
    })
}

/// The token in the answer to a login. It becomes a header: no character of it ends one.
fn token(answer: Json) -> Option<SecretString> {
    let answer: Value = answer.object().ok()?;
    let token = answer.get("token")?.as_str()?;
    let is_plain = (1..=LONGEST_TOKEN).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| SecretString::from(token))
}
