//! What a setting may hold. The errors name the setting and the value.

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;

const TTL: RangeInclusive<u32> = 0..=86_400;
const COUNT: RangeInclusive<u32> = 1..=100;
const FINGERPRINT_DIGITS: usize = 64;

/// How the certificate of VMmanager is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TlsVerify {
    /// It must be signed by a trusted authority.
    System,
    /// It must have the handler's fingerprint.
    Pinned,
    /// Not at all.
    Off,
}

/// What becomes of an order with a paid add-on that is not delivered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UnknownAddons {
    /// It is carried out, and staff is told once.
    #[default]
    Report,
    /// It is refused before anything is asked of VMmanager.
    Refuse,
}

/// How a parsed value is written into the database.
pub(super) trait Stored {
    /// Every value that there is, if they are few.
    const CHOICES: &'static [&'static str] = &[];

    fn stored(&self) -> String;
}

impl Stored for String {
    fn stored(&self) -> String {
        self.clone()
    }
}

impl Stored for bool {
    const CHOICES: &'static [&'static str] = &["on", "off"];

    fn stored(&self) -> String {
        if *self { "on" } else { "off" }.to_owned()
    }
}

impl Stored for u32 {
    fn stored(&self) -> String {
        self.to_string()
    }
}

impl Stored for Option<ClusterId> {
    fn stored(&self) -> String {
        self.map(|id| id.to_string()).unwrap_or_default()
    }
}

impl Stored for Duration {
    fn stored(&self) -> String {
        self.as_secs().to_string()
    }
}

impl Stored for TlsVerify {
    const CHOICES: &'static [&'static str] = &["system", "pinned", "off"];

    fn stored(&self) -> String {
        match self {
            TlsVerify::System => "system",
            TlsVerify::Pinned => "pinned",
            TlsVerify::Off => "off",
        }
        .to_owned()
    }
}

impl Stored for UnknownAddons {
    const CHOICES: &'static [&'static str] = &["report", "refuse"];

    fn stored(&self) -> String {
        match self {
            UnknownAddons::Report => "report",
            UnknownAddons::Refuse => "refuse",
        }
        .to_owned()
    }
}

/// The error of an impossible value.
pub(super) fn cannot_be(name: &str, value: &str, reason: &str) -> Error {
    Error::new(Kind::BadParam, name, format!("{name} cannot be \"{value}\": {reason}"))
}

/// Not parsed: what an address may be is VMmanager's.
pub(super) fn url(name: &'static str, value: &str) -> Result<String> {
    match value {
        "" => Err(Error::new(Kind::MissingParam, name, "the address of VMmanager is empty")),
        value => Ok(value.to_owned()),
    }
}

pub(super) fn filled(name: &'static str, value: &str) -> Result<String> {
    match value {
        "" => Err(Error::new(Kind::MissingParam, name, format!("the handler's setting \"{name}\" is empty"))),
        value => Ok(value.to_owned()),
    }
}

/// None is chosen until the fourth step of the wizard.
pub(super) fn cluster(name: &'static str, value: &str) -> Result<Option<ClusterId>> {
    if value.is_empty() {
        return Ok(None);
    }
    let bad = |_| Error::new(Kind::BadParam, name, format!("\"{value}\" is not the id of a VMmanager {name}"));
    value.parse().map(Some).map_err(bad)
}

pub(super) fn switch(name: &'static str, value: &str) -> Result<bool> {
    match value {
        "on" => Ok(true),
        "off" => Ok(false),
        _ => Err(cannot_be(name, value, "it must be \"on\" or \"off\"")),
    }
}

pub(super) fn unknown_addons(name: &'static str, value: &str) -> Result<UnknownAddons> {
    match value {
        "report" => Ok(UnknownAddons::Report),
        "refuse" => Ok(UnknownAddons::Refuse),
        _ => Err(cannot_be(name, value, "it must be \"report\" or \"refuse\"")),
    }
}

pub(super) fn tls_verify(name: &'static str, value: &str) -> Result<TlsVerify> {
    match value {
        "system" => Ok(TlsVerify::System),
        "pinned" => Ok(TlsVerify::Pinned),
        "off" => Ok(TlsVerify::Off),
        other => {
            let text = format!("\"{other}\" is not a way to check the certificate");
            Err(Error::new(Kind::BadParam, name, text).cure("use system, pinned or off"))
        }
    }
}

/// Lower-case hex without colons. An empty one is wrong too: a fingerprint is needed whole.
pub(super) fn fingerprint(name: &'static str, value: &str) -> Result<String> {
    let hex: String = value.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
    if hex.len() != FINGERPRINT_DIGITS || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        let text = format!("\"{value}\" is no SHA-256 fingerprint (64 hex digits, colons allowed)");
        let error = Error::new(Kind::BadParam, name, text);
        return Err(error.cure("openssl x509 -noout -fingerprint -sha256 prints it"));
    }
    Ok(hex.to_lowercase())
}

pub(super) fn session_ttl(name: &'static str, value: &str) -> Result<Duration> {
    number(name, value, TTL, "seconds").map(|seconds| Duration::from_secs(seconds.into()))
}

pub(super) fn queue_count(name: &'static str, value: &str) -> Result<u32> {
    number(name, value, COUNT, "queues")
}

fn number(name: &str, value: &str, range: RangeInclusive<u32>, unit: &str) -> Result<u32> {
    value.parse().ok().filter(|number| range.contains(number)).ok_or_else(|| {
        let reason = format!("it must be a whole number of {unit} from {} to {}", range.start(), range.end());
        cannot_be(name, value, &reason)
    })
}
