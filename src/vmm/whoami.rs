//! Who we are to VMmanager [api B5]: an administrator that has lost its role sees empty lists with status 200.

use serde::Deserialize;

use super::client::Client;
use super::lenient::few_or_none;
use super::model::MANY;
use crate::error::{Kind, Result};

const ADMINISTRATOR: &str = "@admin";

#[derive(Deserialize)]
struct Caller {
    #[serde(default, deserialize_with = "few_or_none::<_, _, MANY>")]
    roles: Vec<String>,
}

impl Client {
    /// Whether our account is an administrator now. Read-only administrators are not: every order would fail [api 1.3].
    /// Asked once in a run.
    pub fn is_administrator(&self) -> Result<bool> {
        if self.administrator.get() {
            return Ok(true);
        }
        let roles = match self.get::<Caller>("/auth/v4/whoami") {
            Ok(caller) => caller.roles,
            // Older releases have no such request.
            Err(error) if is_unknown(error.kind) => {
                self.account_by_email(self.username())?.map(|account| account.roles).unwrap_or_default()
            }
            Err(error) => return Err(error),
        };
        self.administrator.set(roles.iter().any(|role| role == ADMINISTRATOR));
        Ok(self.administrator.get())
    }
}

/// Builds differ in how they refuse a request that they do not know.
fn is_unknown(kind: Kind) -> bool {
    matches!(kind, Kind::Vm6Version | Kind::Vm6NotFound | Kind::Vm6Api | Kind::Vm6Connect)
}
