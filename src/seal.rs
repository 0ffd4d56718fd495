//! A secret at rest: sealed with AES-256-GCM under a key made from another secret, which every process knows that needs
//! it and no file of ours holds. A copy of our files opens nothing.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

/// Seals and opens secrets of one owner.
pub(crate) struct Seal(Option<LessSafeKey>);

impl Seal {
    /// `purpose` and `owner` keep keys apart that are made from one `secret`.
    pub(crate) fn new(purpose: &str, owner: &str, secret: &SecretString) -> Self {
        let secret = Salt::new(HKDF_SHA256, owner.as_bytes()).extract(secret.expose_secret().as_bytes());
        let purpose = [purpose.as_bytes()];
        let key = secret.expand(&purpose, &AES_256_GCM).map(|okm| LessSafeKey::new(UnboundKey::from(okm)));
        Seal(key.ok())
    }

    /// Nonce and sealed text; nothing when the system has no random numbers.
    pub(crate) fn close(&self, text: &SecretString) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = text.expose_secret().as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.as_ref()?.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// The text; nothing when it was sealed by somebody else or damaged.
    pub(crate) fn open(&self, sealed: &[u8]) -> Option<SecretString> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let mut text = sealed.to_vec();
        let plain = self.0.as_ref()?.open_in_place(nonce, Aad::empty(), &mut text).ok()?;
        std::str::from_utf8(plain).ok().map(SecretString::from)
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_purpose_owner_and_secret_open_it() {
        let (password, token) = (SecretString::from("secret"), SecretString::from("1-token"));
        let seal = Seal::new("token", "identity", &password);
        let sealed = seal.close(&token).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"1-token"));
        assert_eq!(seal.open(&sealed).unwrap().expose_secret(), "1-token");
        assert!(Seal::new("token", "other", &password).open(&sealed).is_none());
        assert!(Seal::new("password", "identity", &password).open(&sealed).is_none());
        assert!(Seal::new("token", "identity", &"wrong".into()).open(&sealed).is_none());
        assert!(seal.open(&sealed[..5]).is_none() && seal.open(&sealed[1..]).is_none());
    }
}
