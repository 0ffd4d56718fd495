//! Crypted settings that were decrypted before: RSA would take a quarter of the time of a run, and every run needs the
//! password of its handler.
//!
//! Each value is a file of `opened/` in the runtime directory, sealed ([`crate::seal`]) under a key made from the
//! panel's private key: who can open it could decrypt the value as well, and nobody else can. It is called by the
//! digest of that key and the crypted value, so another key or another value is another file. Nothing depends on the
//! files: one that is missing, torn or foreign is decrypted and written again.

use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};

use crate::digest::sha256;
use crate::error::Result;
use crate::log;
use crate::mask;
use crate::seal::Seal;
use crate::state::{failure, prepare_directory};

/// Values that were changed leave their files behind; when there are so many, all are removed.
const MOST: usize = 256;

/// One value, opened or to be opened.
pub(super) struct Kept {
    file: PathBuf,
    seal: Seal,
}

impl Kept {
    /// The file for the crypted `value` of a panel with the private key `pem`.
    pub(super) fn of(runtime: &Path, pem: &SecretString, value: &str) -> Self {
        let name = sha256((sha256(pem.expose_secret().as_bytes()) + &sha256(value.as_bytes())).as_bytes());
        Kept { seal: Seal::new("crypted setting", &name, pem), file: runtime.join("opened").join(name) }
    }

    /// The value in clear, if it was kept.
    pub(super) fn find(&self) -> Option<SecretString> {
        let found = self.seal.open(&fs::read(&self.file).ok()?);
        match &found {
            Some(plain) => mask::remember(plain),
            None => _ = fs::remove_file(&self.file),
        }
        found
    }

    /// Keeps the value in clear for the runs to come.
    pub(super) fn keep(&self, plain: &SecretString) {
        if let Some(Err(error)) = self.seal.close(plain).map(|sealed| self.write(&sealed)) {
            log::debug!("{error}; the next run decrypts the value again");
        }
    }

    fn write(&self, sealed: &[u8]) -> Result<()> {
        let failed = |error| failure::io(&self.file, "the file cannot be written", &error);
        let Some(directory) = self.file.parent() else { return Ok(()) };
        prepare_directory(directory)?;
        let others: Vec<_> = fs::read_dir(directory).map_err(failed)?.collect();
        if others.len() >= MOST {
            others.into_iter().flatten().for_each(|other| _ = fs::remove_file(other.path()));
        }
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.file) {
            Ok(mut file) => file.write_all(sealed).map_err(failed),
            // Another process keeps the same value.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(failed(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_for_the_same_key_only_and_renewed_when_torn() {
        let runtime = tempfile::tempdir().unwrap();
        let kept = |pem: &str, value: &str| Kept::of(runtime.path(), &pem.into(), value);
        let found = |pem: &str, value: &str| kept(pem, value).find().map(|plain| plain.expose_secret().to_owned());
        assert_eq!(found("key", "crypted"), None);
        kept("key", "crypted").keep(&"plain".into());
        assert_eq!(found("key", "crypted").as_deref(), Some("plain"));
        assert_eq!((found("other", "crypted"), found("key", "other")), (None, None));
        let file = kept("key", "crypted").file;
        let whole = fs::read(&file).unwrap();
        for torn in [&whole[..0], &whole[..20], &whole[1..]] {
            fs::write(&file, torn).unwrap();
            assert_eq!(found("key", "crypted"), None);
            kept("key", "crypted").keep(&"plain".into());
            assert_eq!(found("key", "crypted").as_deref(), Some("plain"));
        }
    }

    #[test]
    fn the_files_of_changed_values_do_not_gather() {
        let runtime = tempfile::tempdir().unwrap();
        for n in 0..=MOST {
            Kept::of(runtime.path(), &"key".into(), &n.to_string()).keep(&"plain".into());
        }
        assert_eq!(fs::read_dir(runtime.path().join("opened")).unwrap().count(), 1);
    }
}
