//! A client's public SSH key: one line of type, body and comment, as OpenSSH writes it [RFC 4253, 6.6].
//!
//! The body begins with the type once more, and each of its parts with its length. Two keys are the same when type and
//! body are; the comment is anybody's. What is refused is not repeated: it may be a private key.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::sha256;
use crate::error::{Error, Kind, Result};

/// The order's parameter [protocol A8].
pub const PARAM: &str = "ssh_key";

/// Types, and how many parts their bodies have after the type.
const TYPES: [(&str, usize); 7] = [
    ("ssh-ed25519", 1),
    ("ssh-rsa", 2),
    ("ecdsa-sha2-nistp256", 2),
    ("ecdsa-sha2-nistp384", 2),
    ("ecdsa-sha2-nistp521", 2),
    ("sk-ssh-ed25519@openssh.com", 2),
    ("sk-ecdsa-sha2-nistp256@openssh.com", 3),
];
/// Characters of a line; an RSA key of 16384 bits has 2,800.
const LONGEST: usize = 8192;
/// What private keys have in them: in words, and the beginning of OpenSSH's form in base64.
const PRIVATE: [&str; 3] = ["PRIVATE KEY", "PuTTY-User-Key-File", "b3BlbnNzaC1rZXktdjE"];

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SshKey {
    kind: &'static str,
    body: Vec<u8>,
}

impl SshKey {
    /// Reads the value of an order; nothing when it is empty.
    pub fn read(text: &str) -> Result<Option<Self>> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        Self::parse(text).map(Some).map_err(|why| {
            let error = Error::new(Kind::BadParam, PARAM, format!("the SSH key {why}"));
            error.cure("give the public key, one line of a file whose name ends in .pub")
        })
    }

    /// A key as VMmanager lists it; nothing for one that is none.
    pub fn listed(text: &str) -> Option<Self> {
        Self::parse(text.trim()).ok()
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        if PRIVATE.iter().any(|word| text.contains(word)) {
            return Err("is a private key, which nobody but its owner may have".to_owned());
        }
        if text.chars().count() > LONGEST {
            return Err(format!("is longer than {LONGEST} characters"));
        }
        if text.contains(|c: char| c.is_control() && c != '\t') {
            return Err("has more than one line".to_owned());
        }
        let mut words = text.split_whitespace();
        let named = words.next().unwrap_or_default();
        let Some((kind, count)) = TYPES.into_iter().find(|(kind, _)| *kind == named) else {
            let known: Vec<&str> = TYPES.iter().map(|(kind, _)| *kind).collect();
            return Err(format!("is of no type that can be used; possible are: {}", known.join(", ")));
        };
        let body = STANDARD.decode(words.next().unwrap_or_default()).map_err(|_| "is damaged: it is not base64")?;
        let parts = parts(&body).ok_or("is damaged: a part of it is missing")?;
        let (inner, rest) = parts.split_first().ok_or("is damaged: it is empty")?;
        if *inner != kind.as_bytes() {
            return Err(format!("calls itself {kind} and is of another type"));
        }
        if rest.len() != count || rest.iter().any(|part| part.is_empty()) || !is_whole(kind, rest[0]) {
            return Err(format!("is damaged: it is no whole {kind} key"));
        }
        Ok(SshKey { kind, body })
    }

    /// The key without a comment.
    pub fn line(&self) -> String {
        format!("{} {}", self.kind, STANDARD.encode(&self.body))
    }

    /// A name that no other key has.
    pub fn name(&self) -> String {
        format!("billmanager-{}", &sha256(&self.body)[..12])
    }
}

/// The parts of a body, each with its length in front; nothing when they do not fill it.
fn parts(mut body: &[u8]) -> Option<Vec<&[u8]>> {
    let mut parts = Vec::new();
    while !body.is_empty() {
        let (length, rest) = body.split_first_chunk::<4>()?;
        let (part, rest) = rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)?;
        parts.push(part);
        body = rest;
    }
    Some(parts)
}

/// The first part is the point of an Ed25519 key, and the curve's name of an ECDSA key.
fn is_whole(kind: &str, first: &[u8]) -> bool {
    let kind = kind.trim_end_matches("@openssh.com");
    match kind.rsplit_once("ecdsa-sha2-") {
        Some((_, curve)) => first == curve.as_bytes(),
        None => !kind.ends_with("ed25519") || first.len() == 32,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(kind: &str, parts: &[&[u8]]) -> String {
        let mut body = Vec::new();
        for part in [&[kind.as_bytes()], parts].concat() {
            body.extend(u32::try_from(part.len()).unwrap().to_be_bytes());
            body.extend(part);
        }
        format!("{kind} {}", STANDARD.encode(body))
    }

    #[test]
    fn every_type_and_its_damages() {
        let (point, curve, application): (&[u8], &[u8], &[u8]) = (&[7; 32], b"nistp256", b"ssh:");
        let whole: [(&str, &[&[u8]]); 5] = [
            ("ssh-ed25519", &[point]),
            ("ssh-rsa", &[&[1, 0, 1], &[9; 257]]),
            ("ecdsa-sha2-nistp256", &[curve, &[4; 65]]),
            ("sk-ssh-ed25519@openssh.com", &[point, application]),
            ("sk-ecdsa-sha2-nistp256@openssh.com", &[curve, &[4; 65], application]),
        ];
        for (kind, parts) in whole {
            let key = line(kind, parts);
            let read = SshKey::read(&format!(" {key}\talice @ laptop\n")).unwrap().unwrap();
            assert_eq!(read.line(), key);
            assert_eq!(SshKey::listed(&format!("{key} bob")), Some(read));
            let body = key.split(' ').nth(1).unwrap();
            let other = if kind == "ssh-rsa" { "ssh-ed25519" } else { "ssh-rsa" };
            let damaged = [
                line(kind, &parts[1..]),
                line(kind, &[parts, &[&b"x"[..]]].concat()),
                line(kind, &[&[&b""[..]], &parts[1..]].concat()),
                format!("{other} {body}"),
                format!("{kind} {}", &body[..body.len() - 8]),
                format!("{kind} {}!", &body[1..]),
                format!("{key}\n{key}"),
                kind.to_owned(),
            ];
            for text in damaged {
                let error = SshKey::read(&text).unwrap_err();
                assert_eq!((error.kind, error.object.as_str()), (Kind::BadParam, PARAM), "{text}");
                assert!(!error.to_string().contains(&body[30..40]), "{error}");
            }
        }
        for text in ["x", "ssh-dss AAAA", "ssh-ed25519-cert-v01@openssh.com AAAA", "a, b", "command=\"x\" ssh-rsa AAAA"]
        {
            assert!(SshKey::read(text).is_err(), "{text}");
        }
        assert_eq!(SshKey::read(" \n").unwrap(), None);
    }

    #[test]
    fn a_private_key_is_called_that() {
        let keys = [
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEAAAAA\n-----END OPENSSH PRIVATE KEY-----",
            "-----BEGIN RSA PRIVATE KEY----- MIIEow",
            "PuTTY-User-Key-File-3: ssh-ed25519",
            "b3BlbnNzaC1rZXktdjEAAAAABG5vbmU",
        ];
        for key in keys {
            let error = SshKey::read(key).unwrap_err().to_string();
            assert!(
                error.contains("is a private key") && !error.contains("MIIE") && !error.contains("b3Bl"),
                "{error}"
            );
        }
    }
}
