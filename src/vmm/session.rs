//! The session: one login for as many requests as possible.

use std::cell::RefCell;

use secrecy::{ExposeSecret, SecretString};

use crate::error::Result;

/// A token kept in this process.
#[derive(Default)]
pub struct Session {
    token: RefCell<Option<SecretString>>,
}

impl Session {
    /// A valid token; `login` is called when there is none.
    pub fn token(&self, login: &mut dyn FnMut() -> Result<SecretString>) -> Result<SecretString> {
        if let Some(token) = &*self.token.borrow() {
            return Ok(token.clone());
        }
        let fresh = login()?;
        *self.token.borrow_mut() = Some(fresh.clone());
        Ok(fresh)
    }

    /// Forgets a token that VMmanager no longer accepts, unless it was replaced meanwhile.
    pub fn reject(&self, token: &SecretString) {
        self.token.borrow_mut().take_if(|kept| kept.expose_secret() == token.expose_secret());
    }
}
