//! Passwords we make: 16 letters and digits, each kind present, no character that looks like another or that a form or
//! shell could stumble over [api 6, row 28].

use ring::rand::{SecureRandom, SystemRandom};
use secrecy::SecretString;

use crate::error::{Error, Kind, Result};
use crate::mask;

const KINDS: [&[u8]; 3] = [b"abcdefghijkmnpqrstuvwxyz", b"ABCDEFGHJKLMNPQRSTUVWXYZ", b"23456789"];
const LENGTH: usize = 16;

/// A fresh password.
pub(super) fn generate() -> Result<SecretString> {
    let random = SystemRandom::new();
    let everything = KINDS.concat();
    loop {
        let letters: Vec<u8> = (0..LENGTH).map(|_| pick(&random, &everything)).collect::<Result<_>>()?;
        if KINDS.iter().all(|kind| letters.iter().any(|letter| kind.contains(letter))) {
            let password = String::from_utf8_lossy(&letters).into_owned().into();
            mask::remember(&password);
            return Ok(password);
        }
    }
}

/// One of `from`, each with the same chance.
fn pick(random: &SystemRandom, from: &[u8]) -> Result<u8> {
    let fair = 256 - 256 % from.len();
    loop {
        let mut byte = [0];
        random.fill(&mut byte).map_err(|_| Error::new(Kind::State, "random", "the system gives no random numbers"))?;
        let number = usize::from(byte[0]);
        if number < fair {
            return Ok(from[number % from.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use secrecy::ExposeSecret;

    #[test]
    fn every_kind_is_present() {
        for _ in 0..200 {
            let password = generate().unwrap();
            let text = password.expose_secret();
            assert_eq!(text.len(), LENGTH);
            assert!(KINDS.iter().all(|kind| text.bytes().any(|b| kind.contains(&b))), "one kind is missing");
            assert!(text.bytes().all(|b| b.is_ascii_alphanumeric()));
        }
    }
}
