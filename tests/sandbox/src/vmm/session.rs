//! Tokens and one-time keys [api 1.3, 1.4].
//!
//! Invariant: a token is known here if and only if a request carrying it is signed in. A session dies of idleness on
//! the monotonic clock; a long-lived token only at its date.

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rand::Rng as _;

/// A login key lives for an hour [api 1.4].
const KEY_LIFE: Duration = Duration::from_hours(1);

#[derive(Debug)]
struct Session {
    account: u64,
    used: Instant,
    /// Set for a long-lived token.
    until: Option<Timestamp>,
}

#[derive(Debug)]
pub(super) struct Sessions {
    idle: Duration,
    allowed: Option<Vec<IpAddr>>,
    tokens: HashMap<String, Session>,
    keys: HashMap<String, (u64, Instant)>,
}

impl Sessions {
    pub(super) fn new(idle: Duration, allowed: Option<Vec<IpAddr>>) -> Self {
        Self { idle, allowed, tokens: HashMap::new(), keys: HashMap::new() }
    }

    /// Whether the allow-list lets this client log in.
    pub(super) fn admits(&self, client: IpAddr) -> bool {
        self.allowed.as_ref().is_none_or(|list| list.contains(&client))
    }

    /// A new token of the account; `until` makes it long-lived.
    pub(super) fn open(&mut self, account: u64, until: Option<Timestamp>, now: Instant) -> String {
        let token = format!("{account}-{}", uuid());
        self.tokens.insert(token.clone(), Session { account, used: now, until });
        token
    }

    /// The account signed in with this token, whose idle time starts again.
    pub(super) fn account(&mut self, token: &str, now: Instant) -> Option<u64> {
        let session = self.tokens.get_mut(token)?;
        let alive = match session.until {
            Some(until) => Timestamp::now() < until,
            None => now.saturating_duration_since(session.used) < self.idle,
        };
        if !alive {
            self.tokens.remove(token);
            return None;
        }
        session.used = now;
        Some(session.account)
    }

    /// Forgets a token; whether it was known.
    pub(super) fn close(&mut self, token: &str) -> bool {
        self.tokens.remove(token).is_some()
    }

    /// Forgets every token of an account.
    pub(super) fn close_all_of(&mut self, account: u64) {
        self.tokens.retain(|_, session| session.account != account);
        self.keys.retain(|_, (owner, _)| *owner != account);
    }

    /// Forgets every token.
    pub(super) fn clear(&mut self) {
        self.tokens.clear();
    }

    /// A one-time login key of the account.
    pub(super) fn make_key(&mut self, account: u64, now: Instant) -> String {
        let key = format!("{account}-{}", uuid());
        self.keys.insert(key.clone(), (account, now + KEY_LIFE));
        key
    }

    /// Spends a login key: its account, if it was good.
    pub(super) fn spend_key(&mut self, key: &str, now: Instant) -> Option<u64> {
        let (account, until) = self.keys.remove(key)?;
        (now < until).then_some(account)
    }
}

fn uuid() -> String {
    let r: u128 = rand::thread_rng().r#gen();
    let hex = format!("{r:032x}");
    format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
}
