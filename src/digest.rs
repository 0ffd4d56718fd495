//! SHA-256 and HMAC-SHA-256 as lower-case hex: fingerprints of certificates, orders, keys; tags of marks.

use ring::digest::{SHA256, digest};
use ring::hmac;

/// 64 hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    hex(digest(&SHA256, bytes).as_ref())
}

/// HMAC-SHA-256, 64 hex digits.
pub fn hmac_sha256(key: &[u8], text: &[u8]) -> String {
    hex(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), text).as_ref())
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(64), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}
