//! Crypted values of BILLmanager: base64 of RSA PKCS#1 v1.5 with the key pair in `etc/billmgr.pem` [protocol 5.9].
//!
//! Decryption is local and its timing reaches nobody, so RUSTSEC-2023-0071 does not apply. Keys of 1024 bits are in
//! use, which rules out the crypto library that TLS uses here.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rsa::pkcs1::DecodeRsaPrivateKey;
use rsa::pkcs8::{DecodePrivateKey, EncodePublicKey};
use rsa::traits::{PrivateKeyParts, PublicKeyParts};
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};
use secrecy::{ExposeSecret, SecretString};

use crate::digest::{hmac_sha256, sha256};
use crate::error::{Error, Kind, Result};
use crate::mask;

/// The panel's private key: a PEM file, PKCS#1 or PKCS#8, 1024 to 4096 bits.
pub(super) struct Key {
    path: PathBuf,
    pem: SecretString,
    rsa: OnceCell<RsaPrivateKey>,
}

impl Key {
    /// Reads the file; what is in it matters when it is used.
    pub(super) fn read(path: PathBuf) -> Result<Self> {
        let pem = std::fs::read_to_string(&path).map_err(|e| unusable(&path, &e.to_string()))?;
        Ok(Key { path, pem: pem.into(), rsa: OnceCell::new() })
    }

    /// The file as it is.
    pub(super) fn pem(&self) -> &SecretString {
        &self.pem
    }

    /// A key for what is kept between runs.
    pub(super) fn sealing_key(&self) -> SecretString {
        hmac_sha256(self.pem.expose_secret().as_bytes(), b"pmvmmanager6 sessions").into()
    }

    fn rsa(&self) -> Result<&RsaPrivateKey> {
        if let Some(rsa) = self.rsa.get() {
            return Ok(rsa);
        }
        let bad = |reason: String| unusable(&self.path, &reason);
        let pem = self.pem.expose_secret().trim();
        let rsa = if pem.contains("BEGIN RSA PRIVATE KEY") {
            RsaPrivateKey::from_pkcs1_pem(pem).map_err(|e| bad(e.to_string()))?
        } else {
            RsaPrivateKey::from_pkcs8_pem(pem).map_err(|e| bad(e.to_string()))?
        };
        match rsa.size() * 8 {
            1024..=4096 => Ok(self.rsa.get_or_init(|| rsa)),
            bits => Err(bad(format!("it has {bits} bits"))),
        }
    }

    /// Decrypts a value; `name` is what the error calls it. Empty stays empty; a value longer than one block is taken
    /// block by block [protocol 5.9].
    pub(super) fn decrypt(&self, name: &str, value: &str) -> Result<SecretString> {
        let bad = |reason: &str| {
            let text = format!("the crypted value of \"{name}\" cannot be decrypted ({reason})");
            Error::new(Kind::BadParam, name, text)
                .cure("it was probably saved with another etc/billmgr.pem; save it again in BILLmanager")
        };
        let rsa = self.rsa()?;
        let stripped: String = value.chars().filter(|c| !c.is_whitespace()).collect();
        let blocks = STANDARD.decode(stripped).map_err(|_| bad("not base64"))?;
        if blocks.len() % rsa.size() != 0 {
            return Err(bad("wrong length"));
        }
        let mut plain = Vec::new();
        for block in blocks.chunks(rsa.size()) {
            plain.extend(rsa.decrypt(Pkcs1v15Encrypt, block).map_err(|_| bad("wrong key or damaged"))?);
        }
        let plain = String::from_utf8(plain).map(SecretString::from).map_err(|_| bad("not a text"))?;
        mask::remember(&plain);
        Ok(plain)
    }

    /// A keyed hash of a crypted value. The panel pads with random bytes, so it is another one each time a value is
    /// entered, and the same only where it was not.
    pub(super) fn entry(&self, value: &str) -> String {
        let secret = sha256(format!("pmvmmanager6 entries:{}", self.pem.expose_secret()).as_bytes());
        hmac_sha256(secret.as_bytes(), value.as_bytes())
    }

    /// First 12 hex digits of the SHA-256 of the public half (DER `SubjectPublicKeyInfo`): names this installation of
    /// BILLmanager in the marks of its VMs.
    pub(super) fn installation(&self) -> Result<String> {
        let der = self.rsa()?.to_public_key().to_public_key_der().map_err(|e| {
            Error::new(
                Kind::Db,
                "etc/billmgr.pem",
                format!("the public half of the panel's key cannot be written: {e}"),
            )
        })?;
        Ok(sha256(der.as_bytes())[..12].to_owned())
    }

    /// The key of the tags in marks: from the private half, whatever the file's format.
    pub(super) fn mark_key(&self) -> Result<String> {
        let mut secret = b"pmvmmanager6 marks:".to_vec();
        secret.extend(self.rsa()?.d().to_bytes_be());
        Ok(sha256(&secret))
    }
}

fn unusable(path: &Path, reason: &str) -> Error {
    let text = format!("the panel's private key cannot be used: {reason}");
    Error::new(Kind::Db, path.display().to_string(), text)
        .cure("BILLmanager's crypted values cannot be read without it; restore the file or correct CryptKey")
}
