//! What clients and administrators do in the panel of the platform, without the module.

use super::platform::Platform;
use super::variant::UserLists;

/// What a client writes into his VM; `None` leaves it alone. Nothing is checked or cut.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientEdit {
    /// New display name.
    pub name: Option<String>,
    /// New comment.
    pub comment: Option<String>,
    /// New host name.
    pub domain: Option<String>,
}

impl ClientEdit {
    /// Another comment.
    pub fn comment(text: impl Into<String>) -> Self {
        Self { comment: Some(text.into()), ..Self::default() }
    }

    /// Another name.
    pub fn name(text: impl Into<String>) -> Self {
        Self { name: Some(text.into()), ..Self::default() }
    }
}

impl Platform {
    /// A client writes into his VM; false if there is no such VM.
    pub fn client_edits(&mut self, host: u64, edit: &ClientEdit) -> bool {
        let Some(vm) = self.hosts.get_mut(&host) else { return false };
        let texts = [(&mut vm.name, &edit.name), (&mut vm.comment, &edit.comment), (&mut vm.domain, &edit.domain)];
        for (kept, written) in texts {
            if let Some(text) = written {
                kept.clone_from(text);
            }
        }
        true
    }

    /// An account loses its rights: it is a plain user from now on, its sessions go on. Lists are then answered with
    /// its own elements and status 200, objects of others are unknown. False if there is no such account.
    pub fn demote(&mut self, email: &str) -> bool {
        self.variant.user_lists = UserLists::Empty;
        self.give_role(email, "@user")
    }

    /// An account gets a role instead of those it had; false if there is no such account.
    pub fn give_role(&mut self, email: &str, role: &str) -> bool {
        let account = self.accounts.values_mut().find(|account| account.email.eq_ignore_ascii_case(email));
        account.map(|account| account.roles = vec![role.into()]).is_some()
    }

    /// Accounts, present and future, come without `roles` in the answers [api B17]. For a single one, see
    /// [`super::Account::shows_roles`].
    pub fn hide_roles(&mut self) {
        self.variant.shows_roles = false;
        for account in self.accounts.values_mut() {
            account.shows_roles = false;
        }
    }
}
