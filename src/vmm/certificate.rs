//! What is shown to people of a server's certificate.

use jiff::Timestamp;
use x509_cert::der::Decode;

use crate::digest::sha256;

/// A server's certificate, trusted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256, lower-case hexadecimal.
    pub fingerprint: String,
    /// When it ends; nothing when it cannot be read, which TLS itself has not to do for a pinned one.
    pub expires: Option<Timestamp>,
}

impl Certificate {
    /// Reads the DER form.
    pub fn read(der: &[u8]) -> Self {
        let expires = x509_cert::Certificate::from_der(der).ok().and_then(|certificate| {
            let end = certificate.tbs_certificate.validity.not_after.to_unix_duration();
            Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
        });
        Certificate { fingerprint: sha256(der), expires }
    }
}
