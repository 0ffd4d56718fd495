//! A token at rest: sealed with AES-256-GCM under a key made from the administrator's password, which every process of
//! the handler knows and no file of ours holds. A copied `runtime.db` opens nothing.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::hkdf::{HKDF_SHA256, Salt};
use ring::rand::{SecureRandom, SystemRandom};
use secrecy::{ExposeSecret, SecretString};

/// Seals and opens tokens of one identity.
pub struct Seal(Option<LessSafeKey>);

impl Seal {
    /// `identity` keeps the keys of two identities with one password apart.
    pub fn new(identity: &str, password: &SecretString) -> Self {
        let secret = Salt::new(HKDF_SHA256, identity.as_bytes()).extract(password.expose_secret().as_bytes());
        let key = secret.expand(&[b"session token"], &AES_256_GCM).map(|okm| LessSafeKey::new(UnboundKey::from(okm)));
        Seal(key.ok())
    }

    /// Nonce and sealed token; nothing when the system has no random numbers.
    pub fn close(&self, token: &SecretString) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let mut sealed = token.expose_secret().as_bytes().to_vec();
        let unique = Nonce::assume_unique_for_key(nonce);
        self.0.as_ref()?.seal_in_place_append_tag(unique, Aad::empty(), &mut sealed).ok()?;
        Some([nonce.as_slice(), &sealed].concat())
    }

    /// The token; nothing when it was sealed by somebody else or damaged.
    pub fn open(&self, sealed: &[u8]) -> Option<SecretString> {
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
    fn only_the_same_identity_and_password_open_a_token() {
        let (password, token) = (SecretString::from("secret"), SecretString::from("1-token"));
        let seal = Seal::new("identity", &password);
        let sealed = seal.close(&token).unwrap();
        assert!(!sealed.windows(7).any(|part| part == b"1-token"));
        assert_eq!(seal.open(&sealed).unwrap().expose_secret(), "1-token");
        assert!(Seal::new("other", &password).open(&sealed).is_none());
        assert!(Seal::new("identity", &"wrong".into()).open(&sealed).is_none());
        assert!(seal.open(&sealed[..5]).is_none() && seal.open(&sealed[1..]).is_none());
    }
}
