//! How an ordered misfortune changes the answer to a request.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::api::{self, Asked};
use super::fault::Action;
use super::hostile_body::{self, distorted};
use super::hostile_wire::Attack;
use super::http::Reply;
use super::model::Twist;
use super::platform::Platform;

/// What the client gets to see.
#[derive(Debug)]
pub(super) enum Outcome {
    Answer(Reply),
    /// The answer after a wait.
    Late(Reply, Duration),
    /// Half of the answer, then a reset.
    Half(Reply),
    Hostile(Attack),
    Reset,
}

impl Outcome {
    /// The answer, as far as it is sent.
    pub(super) fn reply(&mut self) -> Option<&mut Reply> {
        match self {
            Self::Answer(reply) | Self::Late(reply, _) | Self::Half(reply) => Some(reply),
            Self::Hostile(attack) => Some(&mut attack.reply),
            Self::Reset => None,
        }
    }
}

/// Works on the request under the misfortune, if there is one.
pub(super) fn respond(platform: &mut Platform, asked: &Asked, action: Option<Action>, now: Instant) -> Outcome {
    let refusal = match action {
        Some(Action::Refuse503 { retry_after }) => asleep(503, "Service Temporarily Unavailable", retry_after),
        Some(Action::TooMany429 { retry_after }) => asleep(429, "Too Many Requests", retry_after),
        Some(Action::Status { code, body }) => Reply::text(code, body),
        Some(Action::Error { status, code, msg }) => error_document(status, code, &msg),
        Some(Action::CloseBefore | Action::LateWork(_)) => return Outcome::Reset,
        other => return after_work(platform, asked, other, now),
    };
    Outcome::Answer(refusal)
}

fn after_work(platform: &mut Platform, asked: &Asked, action: Option<Action>, now: Instant) -> Outcome {
    if let (Some(Action::ExpireSession), Some(token)) = (&action, &asked.token) {
        platform.sessions.close(token);
    }
    let (status, mut body) = api::respond(platform, asked, now);
    match action {
        Some(Action::LoseAnswer) => Outcome::Reset,
        Some(Action::ErrorAfterWork { status, code, msg }) => Outcome::Answer(error_document(status, code, &msg)),
        Some(Action::Delay(wait)) => Outcome::Late(Reply::json(status, &body), wait),
        Some(Action::HalfAnswer) => Outcome::Half(Reply::json(status, &body)),
        Some(Action::Garbage) => {
            Outcome::Answer(Reply::text(200, "<html><body>\u{0}\u{1}It works! \u{fffd}</body></html>".into()))
        }
        Some(Action::TruncatedJson) => {
            let mut reply = Reply::json(status, &body);
            reply.body.truncate(reply.body.len() / 2);
            Outcome::Answer(reply)
        }
        Some(Action::Huge(size)) => {
            let filler = Value::String("x".repeat(size));
            match body.as_object_mut() {
                Some(map) => drop(map.insert("filler".into(), filler)),
                None => body = json!([body, filler]),
            }
            Outcome::Answer(Reply::json(status, &body))
        }
        Some(Action::WrongType) => Outcome::Answer(Reply::json(status, &distorted(&body))),
        Some(Action::Hostile(kind)) => {
            let body = hostile_body::body(kind, asked, &body);
            Outcome::Hostile(Attack { kind, reply: Reply { status: 200, headers: Vec::new(), body } })
        }
        Some(Action::Rewrite(rewrite)) => {
            let (status, body) = rewrite.of(status, &body);
            Outcome::Answer(Reply { status, headers: Vec::new(), body })
        }
        Some(Action::HideFromLists { calls }) => {
            if let Some(host) = body.get("id").and_then(Value::as_u64) {
                platform.hidden.insert(host, calls);
            }
            Outcome::Answer(Reply::json(status, &body))
        }
        Some(Action::Lag { listed_after, found_after }) => {
            if let Some(host) = body.get("id").and_then(Value::as_u64) {
                platform.show_late(host, now + listed_after, now + found_after);
            }
            Outcome::Answer(Reply::json(status, &body))
        }
        other => {
            if let (Some(twist), Some(consul_id)) = (twist(other), task_of(&body)) {
                platform.twist(consul_id, &twist);
            }
            Outcome::Answer(Reply::json(status, &body))
        }
    }
}

fn twist(action: Option<Action>) -> Option<Twist> {
    match action? {
        Action::FailTask { word, text } => Some(Twist::End { word, text }),
        Action::FailInState { word, text, state } => Some(Twist::EndInState { word, text, state }),
        Action::CancelTask => Some(Twist::End { word: "cancelled", text: "cancelled by the administrator".into() }),
        Action::VanishTask => Some(Twist::Vanish),
        Action::NeverEndTask => Some(Twist::Forever),
        _ => None,
    }
}

fn task_of(body: &Value) -> Option<u64> {
    body.get("task").or_else(|| body.get("start_task")).and_then(Value::as_u64)
}

fn error_document(status: u16, code: u64, msg: &str) -> Reply {
    Reply::json(status, &json!({"error": {"code": code, "msg": msg}}))
}

fn asleep(status: u16, text: &str, retry_after: Option<u64>) -> Reply {
    let mut reply = Reply::text(status, format!("<html><head><title>{status} {text}</title></head></html>"));
    if let Some(seconds) = retry_after {
        reply.headers.push(("Retry-After", seconds.to_string()));
    }
    reply
}
