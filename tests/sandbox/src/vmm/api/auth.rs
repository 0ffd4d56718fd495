//! The auth service: tokens, keys, who is who [api 1.3, 1.4].

use jiff::Timestamp;
use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::schema::{Field, Kind, must};
use super::super::view::with_roles;
use super::{Answer, Call, Properties};

const LOGIN: &[Field] = &[must("email", Kind::Text), must("password", Kind::Text)];
const LONG_LIVED: &[Field] = &[must("description", Kind::Text), must("expires_at", Kind::Text)];
const KEY: &[Field] = &[must("key", Kind::Text)];

/// A session for a password; 201, and ids as texts, as the vendor shows them.
pub(super) fn log_in(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[LOGIN])?;
    let (email, password) = (body.text("email").unwrap_or_default(), body.text("password").unwrap_or_default());
    let wrong = || ApiError::unauthorized("Wrong e-mail or password");
    let account = call.platform.account_by_email(email).filter(|a| a.password == password).ok_or_else(wrong)?;
    if account.state != "active" {
        return Err(ApiError::unauthorized("The user is blocked"));
    }
    let id = account.id;
    if !call.platform.sessions.admits(call.asked.client) {
        return Err(ApiError::unauthorized("Access from this IP address is not allowed"));
    }
    let token = call.platform.sessions.open(id, None, call.now);
    call.status = 201;
    Ok(json!({"confirmed": true, "expires_at": null, "id": id.to_string(), "token": token}))
}

/// A token that lives until its date, of whoever asks.
pub(super) fn long_lived_token(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[LONG_LIVED])?;
    let until = body.text("expires_at").unwrap_or_default();
    let bad = |_| ApiError::invalid("expires_at", "a date like 2030-01-01 00:00:00 expected");
    let time: jiff::civil::DateTime = until.parse().map_err(bad)?;
    let moment: Timestamp = time.to_zoned(jiff::tz::TimeZone::UTC).map_err(bad)?.timestamp();
    if moment <= Timestamp::now() {
        return Err(ApiError::invalid("expires_at", "is in the past"));
    }
    let token = call.platform.sessions.open(call.who.account, Some(moment), call.now);
    call.status = 201;
    Ok(json!({"id": call.who.account.to_string(), "token": token, "expires_at": until}))
}

/// The end of a session.
pub(super) fn log_out(call: &mut Call<'_>) -> Answer {
    let token = call.wild.first().copied().unwrap_or_default();
    if call.platform.sessions.close(token) { Ok(json!({})) } else { Err(ApiError::not_found("token", "of the path")) }
}

/// The account of the session; the roles are those of now [api B5].
pub(super) fn whoami(call: &mut Call<'_>) -> Answer {
    if !call.platform.variant.whoami {
        return Err(ApiError::no_handler(&call.asked.method, &call.asked.path));
    }
    let account =
        call.platform.accounts.get(&call.who.account).ok_or_else(|| ApiError::unauthorized("Unauthorized"))?;
    Ok(json!({
        "id": account.id.to_string(), "email": account.email, "roles": account.roles, "state": account.state,
        "lang": account.lang,
    }))
}

/// Users as the auth service lists them.
pub(super) fn users(call: &mut Call<'_>) -> Answer {
    let view = |a: &super::super::model::Account| -> Value {
        let view = json!({
            "id": a.id, "email": a.email, "state": a.state, "lang": a.lang, "full_name": a.full_name,
            "phone_number": a.phone_number, "auth_source": "local",
        });
        with_roles(view, a)
    };
    let elements = call.platform.accounts.values().map(view).collect();
    call.sized_list(elements, &["id", "email", "roles", "state"])
}

/// A one-time login key of a user given by number or e-mail.
pub(super) fn make_key(call: &mut Call<'_>) -> Answer {
    call.body(&[])?;
    let wanted = call.wild.first().copied().unwrap_or_default();
    let found = match wanted.parse::<u64>() {
        Ok(id) => call.platform.accounts.get(&id),
        Err(_) => call.platform.account_by_email(wanted),
    };
    let account = found.ok_or_else(|| ApiError::not_found("user", wanted))?.id;
    let key = call.platform.sessions.make_key(account, call.now);
    Ok(json!({"id": account.to_string(), "key": key}))
}

/// A session for a key, which is spent by it.
pub(super) fn spend_key(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[KEY])?;
    let key = body.text("key").unwrap_or_default();
    let account = call.platform.sessions.spend_key(key, call.now);
    let account = account.filter(|id| call.platform.accounts.get(id).is_some_and(|a| a.state == "active"));
    let account = account.ok_or_else(|| ApiError::unauthorized("The key is not valid"))?;
    let token = call.platform.sessions.open(account, None, call.now);
    Ok(json!({"id": account.to_string(), "token": token}))
}
