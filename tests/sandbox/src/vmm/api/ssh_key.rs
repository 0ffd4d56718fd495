//! Public SSH keys of accounts [api B11], and the way of a key into a VM, which no source proves.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::AccountKey;
use super::super::schema::{Field, Kind, must};
use super::super::variant::{SshKeys, Variant};
use super::{Answer, Call, Properties};

const KEY: &[Field] = &[must("name", Kind::Text), must("ssh_pub_key", Kind::Text)];

/// What a build calls the keys of a new VM, if it does.
pub(super) const IN_VM: &str = "ssh_keys";
pub(super) const CREATION: &str = "/vm/v3/host";
pub(super) const REINSTALLATION: &str = "/vm/v3/host/*/reinstall";

/// The keys of an account, of the administrator or by himself.
pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let account = owner(call)?;
    let keys = call.platform.accounts[&account].ssh_keys.iter();
    let list: Vec<Value> =
        keys.map(|key| json!({"id": key.id, "name": key.name, "ssh_pub_key": key.ssh_pub_key})).collect();
    Ok(json!({ "list": list }))
}

/// Adds a key, also one that is there already: no source says that it is refused.
pub(super) fn add(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[KEY])?;
    let (name, key) = (body.text("name").unwrap_or_default(), body.text("ssh_pub_key").unwrap_or_default());
    if name.is_empty() || key.lines().count() != 1 || key.split_whitespace().count() < 2 {
        return Err(ApiError::invalid("ssh_pub_key", "is not a public key"));
    }
    let account = owner(call)?;
    let numbers = call.platform.accounts.values().flat_map(|account| &account.ssh_keys).map(|key| key.id);
    let id = numbers.max().unwrap_or(0) + 1;
    let key = AccountKey { id, name: name.into(), ssh_pub_key: key.into() };
    call.platform.accounts.get_mut(&account).into_iter().for_each(|account| account.ssh_keys.push(key.clone()));
    call.platform.touch();
    Ok(json!({ "id": id }))
}

fn owner(call: &Call<'_>) -> Result<u64, ApiError> {
    let id = call.id(0)?;
    let known = call.platform.accounts.contains_key(&id) && call.sees(id);
    known.then_some(id).ok_or_else(|| ApiError::not_found("user", id))
}

/// The keys that a request puts into a VM of `account`: they are his, and only where the build has such a field.
pub(super) fn chosen(call: &Call<'_>, body: &Map<String, Value>, account: u64) -> Result<Vec<String>, ApiError> {
    let Some(ids) = body.get(IN_VM).and_then(Value::as_array) else { return Ok(Vec::new()) };
    let own = &call.platform.accounts[&account].ssh_keys;
    let key = |id: &Value| {
        let found = own.iter().find(|key| Some(key.id) == id.as_u64());
        found.map(|key| key.ssh_pub_key.clone()).ok_or_else(|| ApiError::not_found("ssh_key", id))
    };
    ids.iter().map(key).collect()
}

/// Refuses the field where the request does not know it.
pub(super) fn refuse_unknown(call: &Call<'_>, body: &Map<String, Value>, path: &str) -> Result<(), ApiError> {
    match field(&call.platform.variant, path) {
        None if body.contains_key(IN_VM) => Err(ApiError::unexpected(IN_VM)),
        Some("string") if body.contains_key(IN_VM) => Err(ApiError::invalid(IN_VM, "a list of strings expected")),
        _ => Ok(()),
    }
}

/// What the elements of the field are in the description of a request, if it has the field.
pub(super) fn field(variant: &Variant, path: &str) -> Option<&'static str> {
    match (variant.ssh_keys, path) {
        (SshKeys::Creation | SshKeys::Everywhere, CREATION) | (SshKeys::Everywhere, REINSTALLATION) => Some("integer"),
        (SshKeys::Texts, CREATION | REINSTALLATION) => Some("string"),
        _ => None,
    }
}
