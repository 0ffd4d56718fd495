//! Accounts of clients [api 4.1].

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::Account;
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::view::limits_view;
use super::super::work::Work;
use super::{Answer, Call, Properties};

const CREATE: &[Field] = &[
    must("email", Kind::Text),
    must("password", Kind::Text),
    must("role", Kind::Text),
    may("full_name", Kind::Text),
    may("phone_number", Kind::Text),
];
const EDIT: &[Field] = &[
    may("roles", Kind::Texts),
    may("full_name", Kind::Text),
    may("phone_number", Kind::Text),
    may("lang", Kind::Text),
    may("old_password", Kind::Text),
    may("password", Kind::Text),
];
const PASSWORD: &[Field] = &[must("password", Kind::Text), may("old_password", Kind::Text)];
const ROLES: [&str; 4] = ["@admin", "@advanced_user", "@user", "admin.readonly"];

/// Names of the limits of an account.
pub(in super::super) const LIMITS: [&str; 12] = [
    "host_count",
    "image_count",
    "image_count_total",
    "cpu_number",
    "cpu_number_total",
    "ram_mib",
    "ram_mib_total",
    "hdd_mib",
    "hdd_mib_total",
    "ipv4_number",
    "ipv4_number_total",
    "vxlan_count_total",
];

/// Accounts, without `last_notify` as the typed clients have it; a client sees itself only.
pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let seen = call.platform.accounts.values().filter(|account| call.sees(account.id));
    let value_of =
        |account: &&Account, field: &str| if field == "id" { json!(account.id) } else { json!(account.email) };
    let view = |account: &&Account| call.platform.account_view(account);
    let page = call.select_viewed(seen.collect(), &["id", "email"], value_of, view)?;
    Ok(call.sized(page, json!({})))
}

pub(super) fn create(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[CREATE])?;
    let (email, password) = (body.text("email").unwrap_or_default(), body.text("password").unwrap_or_default());
    let role = body.text("role").unwrap_or_default();
    check_email(email)?;
    check_password(password)?;
    check_role(role)?;
    if call.platform.account_by_email(email).is_some() {
        return Err(ApiError::refused(format!("User with email {email} already exists")));
    }
    let id = call.platform.add_account(email, password, role);
    if let Some(account) = call.platform.accounts.get_mut(&id) {
        account.full_name = body.text("full_name").unwrap_or_default().into();
        account.phone_number = body.text("phone_number").unwrap_or_default().into();
    }
    call.platform.touch();
    Ok(json!({ "id": id }))
}

pub(super) fn edit(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[EDIT])?;
    let roles = body.get("roles").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let roles: Vec<String> = roles.map(str::to_owned).collect();
    roles.iter().try_for_each(|role| check_role(role))?;
    body.text("password").map_or(Ok(()), check_password)?;
    let account = found(call)?;
    if body.contains_key("roles") {
        account.roles = roles;
    }
    let text = |name: &str, old: &str| body.text(name).unwrap_or(old).to_owned();
    account.full_name = text("full_name", &account.full_name);
    account.phone_number = text("phone_number", &account.phone_number);
    account.lang = text("lang", &account.lang);
    account.password = text("password", &account.password);
    Ok(json!({ "id": account.id }))
}

pub(super) fn password(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[PASSWORD])?;
    let password = body.text("password").unwrap_or_default();
    check_password(password)?;
    let account = found(call)?;
    password.clone_into(&mut account.password);
    Ok(json!({ "id": account.id }))
}

/// Refused while the user owns VMs.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let id = found(call)?.id;
    let hosts = call.platform.hosts.values().filter(|host| host.account == id).count();
    if hosts > 0 {
        return Err(ApiError::refused(format!("User {id} owns {hosts} VMs and cannot be deleted")));
    }
    if id == call.who.account {
        return Err(ApiError::refused("You cannot delete yourself"));
    }
    call.platform.accounts.remove(&id);
    call.platform.sessions.close_all_of(id);
    Ok(json!({ "id": id }))
}

/// Blocks the user and stops every VM of his.
pub(super) fn suspend(call: &mut Call<'_>) -> Answer {
    call.body(&[])?;
    let account = found(call)?;
    let id = account.id;
    if account.state == "suspended" {
        return Err(ApiError::refused(format!("User {id} is already suspended")));
    }
    account.state = "suspended".into();
    call.platform.sessions.close_all_of(id);
    let running = |host: &&super::super::model::Host| host.account == id && host.state == "active";
    let hosts: Vec<u64> = call.platform.hosts.values().filter(running).map(|host| host.id).collect();
    for host in hosts {
        call.platform.submit(Order::new("host_stop", host, call.who.account, Work::Stop), call.now);
    }
    Ok(json!({ "id": id }))
}

/// Lets the user in again; his VMs stay stopped.
pub(super) fn resume(call: &mut Call<'_>) -> Answer {
    call.body(&[])?;
    let account = found(call)?;
    if account.state == "active" {
        return Err(ApiError::refused(format!("User {} is not suspended", account.id)));
    }
    account.state = "active".into();
    Ok(json!({ "id": account.id }))
}

pub(super) fn limits(call: &mut Call<'_>) -> Answer {
    Ok(limits_view(&found(call)?.limits))
}

pub(super) fn set_limits(call: &mut Call<'_>) -> Answer {
    const FIELDS: &[Field] = &[
        may(LIMITS[0], Kind::Int(0)),
        may(LIMITS[1], Kind::Int(0)),
        may(LIMITS[2], Kind::Int(0)),
        may(LIMITS[3], Kind::Int(0)),
        may(LIMITS[4], Kind::Int(0)),
        may(LIMITS[5], Kind::Int(0)),
        may(LIMITS[6], Kind::Int(0)),
        may(LIMITS[7], Kind::Int(0)),
        may(LIMITS[8], Kind::Int(0)),
        may(LIMITS[9], Kind::Int(0)),
        may(LIMITS[10], Kind::Int(0)),
        may(LIMITS[11], Kind::Int(0)),
    ];
    let body = call.body(&[FIELDS])?;
    let account = found(call)?;
    account.limits.extend(body);
    Ok(limits_view(&account.limits))
}

pub(super) fn drop_limits(call: &mut Call<'_>) -> Answer {
    let account = found(call)?;
    account.limits = Map::new();
    Ok(json!({ "id": account.id }))
}

fn found<'a>(call: &'a mut Call<'_>) -> Result<&'a mut Account, ApiError> {
    let id = call.id(0)?;
    call.platform.accounts.get_mut(&id).ok_or_else(|| ApiError::not_found("user", id))
}

fn check_role(role: &str) -> Result<(), ApiError> {
    if ROLES.contains(&role) { Ok(()) } else { Err(ApiError::invalid("role", format!("unknown role {role}"))) }
}

/// The platform's rule is not documented; eight characters is the least any client uses [api 6, row 28].
pub(super) fn check_password(password: &str) -> Result<(), ApiError> {
    if password.chars().count() >= 8 { Ok(()) } else { Err(ApiError::invalid("password", "is too simple")) }
}

fn check_email(email: &str) -> Result<(), ApiError> {
    let plain =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic() && !"'\"\\()<>,;@".contains(c));
    match email.split_once('@') {
        Some((user, host)) if plain(user) && plain(host) && host.contains('.') => Ok(()),
        _ => Err(ApiError::invalid("email", format!("'{email}' is not an e-mail address"))),
    }
}
