//! Crypted values of BILLmanager: base64 of RSA PKCS#1 v1.5 with the key pair in `etc/billmgr.pem` [protocol 5.9].
//!
//! Decryption is local and its timing reaches nobody, so RUSTSEC-2023-0071 does not apply. Keys of 1024 bits are in
//! use, which rules out the crypto library that TLS uses here.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::traits::PublicKeyParts;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use secrecy::SecretString;

use crate::digest::sha256;
use crate::error::{Error, Kind, Result};

/// The panel's private key.
pub struct Key(RsaPrivateKey);

impl Key {
    /// Reads a PEM file, PKCS#1 or PKCS#8, 1024 to 4096 bits.
    pub fn read(path: &Path) -> Result<Self> {
        let bad = |reason: String| {
            let cure = "BILLmanager's crypted values cannot be read without it; restore the file or correct CryptKey";
            Error::new(
                Kind::Db,
                path.display().to_string(),
                format!("the panel's private key cannot be used: {reason}; {cure}"),
            )
        };
        let pem = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
        let key = if pem.contains("BEGIN RSA PRIVATE KEY") {
            RsaPrivateKey::from_pkcs1_pem(pem.trim()).map_err(|e| bad(e.to_string()))?
        } else {
            RsaPrivateKey::from_pkcs8_pem(pem.trim()).map_err(|e| bad(e.to_string()))?
        };
        match key.size() * 8 {
            1024..=4096 => Ok(Key(key)),
            bits => Err(bad(format!("it has {bits} bits"))),
        }
    }

    /// Decrypts a value; `name` is what the error calls it. Empty stays empty; a value longer than one block is taken
    /// block by block [protocol 5.9].
    pub fn decrypt(&self, name: &str, value: &str) -> Result<SecretString> {
        let bad = |reason: &str| {
            let hint = "it was probably saved with another etc/billmgr.pem; save it again in BILLmanager";
            Error::new(
                Kind::BadParam,
                name,
                format!("the crypted value of \"{name}\" cannot be decrypted ({reason}); {hint}"),
            )
        };
        let stripped: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        let blocks = STANDARD.decode(stripped).map_err(|_| bad("not base64"))?;
        if blocks.len() % self.0.size() != 0 {
            return Err(bad("wrong length"));
        }
        let mut plain = Vec::new();
        for block in blocks.chunks(self.0.size()) {
            plain.extend(self.0.decrypt(Pkcs1v15Encrypt, block).map_err(|_| bad("wrong key or damaged"))?);
        }
        String::from_utf8(plain).map(SecretString::from).map_err(|_| bad("not a text"))
    }

    /// First 12 hex digits of the SHA-256 of the public half (DER `SubjectPublicKeyInfo`): names this installation of
    /// BILLmanager in the marks of its VMs (design, section 1).
    pub fn installation(&self) -> Result<String> {
        let der = self.0.to_public_key().to_public_key_der().map_err(|e| {
            Error::new(
                Kind::Db,
                "etc/billmgr.pem",
                format!("the public half of the panel's key cannot be written: {e}"),
            )
        })?;
        Ok(sha256(der.as_bytes())[..12].to_owned())
    }
}
