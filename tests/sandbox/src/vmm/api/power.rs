//! Start, stop, restart, password [api 4.8].

use serde_json::json;

use super::super::error::ApiError;
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::work::Work;
use super::account::check_password;
use super::{Answer, Call, Properties};

const FORCE: &[Field] = &[may("force", Kind::Bool)];
const PASSWORD: &[Field] = &[must("password", Kind::Text)];

/// An error on a VM that runs already [api 6, row 9].
pub(super) fn start(call: &mut Call<'_>) -> Answer {
    call.body(&[])?;
    let host = host_in(call, "stopped", "already running")?;
    Ok(call.accept(Order::new("host_start", host, call.who.account, Work::Start)))
}

/// An error on a VM that is stopped already.
pub(super) fn stop(call: &mut Call<'_>) -> Answer {
    call.body(&[FORCE])?;
    let host = host_in(call, "active", "already stopped")?;
    Ok(call.accept(Order::new("host_stop", host, call.who.account, Work::Stop)))
}

/// Two tasks of their own; only the start is named in the answer.
pub(super) fn restart(call: &mut Call<'_>) -> Answer {
    call.body(&[FORCE])?;
    let host = host_in(call, "active", "stopped")?;
    call.accept(Order::new("host_stop", host, call.who.account, Work::Stop));
    let start = call.accept(Order::new("host_start", host, call.who.account, Work::Start));
    Ok(json!({"id": host, "start_task": start["task"]}))
}

/// Sets root's password; the name of the real task is unknown.
pub(super) fn password(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[PASSWORD])?;
    let password = body.text("password").unwrap_or_default();
    check_password(password)?;
    let host = call.ready_host()?.id;
    let work = Work::Password(password.to_owned());
    Ok(call.accept(Order::new("host_change_password", host, call.who.account, work)))
}

fn host_in(call: &Call<'_>, state: &str, otherwise: &str) -> Result<u64, ApiError> {
    let host = call.ready_host()?;
    let blocked = call.platform.accounts.get(&host.account).is_some_and(|account| account.state != "active");
    if blocked && state == "stopped" {
        return Err(ApiError::refused(format!("The owner of VM {} is suspended", host.id)));
    }
    if host.state == state { Ok(host.id) } else { Err(ApiError::refused(format!("VM {} is {otherwise}", host.id))) }
}
