//! What is shown to people of a server's certificate.

use std::fmt;

use jiff::Timestamp;
use x509_cert::der::Decode;

use crate::digest::sha256;

/// A server's certificate, trusted or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// SHA-256, lower-case hexadecimal.
    pub fingerprint: String,
    /// Who says that he signed it; nothing when it cannot be read, which TLS itself has not to do for a pinned one.
    pub issuer: Option<String>,
    /// When it ends; nothing when it cannot be read.
    pub expires: Option<Timestamp>,
}

impl Certificate {
    /// Reads the DER form.
    pub fn read(der: &[u8]) -> Self {
        let read = x509_cert::Certificate::from_der(der).ok().map(|certificate| certificate.tbs_certificate);
        let expires = read.as_ref().and_then(|body| {
            let end = body.validity.not_after.to_unix_duration();
            Timestamp::from_second(i64::try_from(end.as_secs()).ok()?).ok()
        });
        Certificate { fingerprint: sha256(der), issuer: read.map(|body| body.issuer.to_string()), expires }
    }
}

impl fmt::Display for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA-256 {}", self.fingerprint)?;
        if let Some(issuer) = &self.issuer {
            write!(f, ", issued by {issuer}")?;
        }
        self.expires.map_or(Ok(()), |end| write!(f, ", ends at {end}"))
    }
}
