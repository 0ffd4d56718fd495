//! SHA-256 as lower-case hex: fingerprints of certificates, orders, keys.

use ring::digest::{SHA256, digest};

/// 64 hex digits.
pub fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes).as_ref().iter().fold(String::with_capacity(64), |mut hex, byte| {
        _ = write!(hex, "{byte:02x}");
        hex
    })
}
