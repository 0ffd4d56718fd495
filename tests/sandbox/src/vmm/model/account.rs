//! Clients and administrators.

use serde_json::Value;

/// A client or an administrator [api 4.1].
#[derive(Clone, Debug)]
pub struct Account {
    /// Number.
    pub id: u64,
    /// E-mail as it was given at creation.
    pub email: String,
    /// Password in the clear: this is a simulation.
    pub password: String,
    /// `active` or `suspended`.
    pub state: String,
    /// `@admin`, `@advanced_user`, `@user`, `admin.readonly`.
    pub roles: Vec<String>,
    /// Name of the person.
    pub full_name: String,
    /// Telephone.
    pub phone_number: String,
    /// Language of the panel.
    pub lang: String,
    /// Whether the answers have `roles` for it [api B17].
    pub shows_roles: bool,
    /// Public SSH keys.
    pub ssh_keys: Vec<AccountKey>,
    /// Limits set through `/user_limits/account/{id}`; kept, not enforced (their meaning is unverified [api 4.1]).
    pub limits: serde_json::Map<String, Value>,
}

/// A public SSH key of an account [api B11].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountKey {
    /// Number, unique on the platform.
    pub id: u64,
    /// Name.
    pub name: String,
    /// The key as it was given.
    pub ssh_pub_key: String,
}
