//! The key pair of an installation, `etc/billmgr.pem`, and what is encrypted with it [protocol 5.9].
//!
//! Generating a 4096-bit key takes seconds in a test build, so keys are made once and kept in the build directory.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use rsa::pkcs1::{DecodeRsaPrivateKey as _, EncodeRsaPrivateKey as _};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _, LineEnding};
use rsa::traits::PublicKeyParts as _;
use rsa::{Pkcs1v15Encrypt, RsaPrivateKey};

/// How the private key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `BEGIN RSA PRIVATE KEY`.
    Pkcs1,
    /// `BEGIN PRIVATE KEY`.
    Pkcs8,
}

/// Which key an installation has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Length of the modulus, 1024 to 4096.
    pub bits: usize,
    /// Header of the PEM file.
    pub format: Format,
}

impl Default for Key {
    fn default() -> Self {
        Self { bits: 2048, format: Format::Pkcs1 }
    }
}

/// A loaded key pair.
pub struct KeyPair(RsaPrivateKey);

impl KeyPair {
    /// Reads `billmgr.pem` in either format.
    pub fn read(file: &Path) -> Result<Self> {
        let pem = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        let key = if pem.contains("BEGIN RSA PRIVATE KEY") {
            RsaPrivateKey::from_pkcs1_pem(&pem)?
        } else {
            RsaPrivateKey::from_pkcs8_pem(&pem)?
        };
        Ok(Self(key))
    }

    /// The key of an installation: `number` tells installations apart that want a key of the same length.
    pub(super) fn of_installation(cache: &Path, bits: usize, number: u32) -> Result<Self> {
        fs::create_dir_all(cache)?;
        let file = cache.join(format!("billmgr-{bits}-{number}.pem"));
        let guard = File::create(cache.join("lock"))?;
        guard.lock()?;
        if !file.exists() {
            let key = RsaPrivateKey::new(&mut rand::rngs::OsRng, bits)?;
            let fresh: PathBuf = cache.join(format!("fresh-{bits}-{number}.pem"));
            fs::write(&fresh, key.to_pkcs1_pem(LineEnding::LF)?.as_bytes())?;
            fs::rename(&fresh, &file)?;
        }
        Self::read(&file)
    }

    /// The PEM text in the wanted format.
    pub(super) fn pem(&self, format: Format) -> Result<String> {
        let pem = match format {
            Format::Pkcs1 => self.0.to_pkcs1_pem(LineEnding::LF)?,
            Format::Pkcs8 => self.0.to_pkcs8_pem(LineEnding::LF)?,
        };
        Ok(pem.to_string())
    }

    /// Encrypts as BILLmanager does: blocks of at most the key's length minus 11 bytes, base64. Empty stays empty.
    pub fn encrypt(&self, plain: &str) -> Result<String> {
        let block = self.0.size() - 11;
        let mut cipher = Vec::new();
        for chunk in plain.as_bytes().chunks(block) {
            cipher.extend(self.0.to_public_key().encrypt(&mut rand::rngs::OsRng, Pkcs1v15Encrypt, chunk)?);
        }
        Ok(BASE64.encode(cipher))
    }

    /// The reverse of [`encrypt`](Self::encrypt); white space in the text is ignored.
    pub fn decrypt(&self, crypted: &str) -> Result<String> {
        let text: String = crypted.split_whitespace().collect();
        let cipher = BASE64.decode(text).context("an encrypted value is not base64")?;
        let mut plain = Vec::new();
        for block in cipher.chunks(self.0.size()) {
            plain.extend(self.0.decrypt(Pkcs1v15Encrypt, block).context("a value is encrypted with another key")?);
        }
        Ok(String::from_utf8(plain)?)
    }
}
