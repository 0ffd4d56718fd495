//! The callbacks that end an operation: `service.post…` [protocol 3.0, 3.29].
//!
//! Each sets the service's new status and deletes the running operation. It is refused when the service is in a status
//! that the operation cannot lead from, or while only *other* operations are in progress. No operation at all is fine:
//! `sync_item` reports a state that way.

use super::answer::{Answer, Refusal};
use super::request::Request;
use crate::bill::rows::ItemRow;
use crate::bill::store::values;

/// Being ordered, active, suspended, deleted, processing [protocol 5.4].
pub(super) mod status {
    pub(crate) const ORDERED: i64 = 1;
    pub(crate) const ACTIVE: i64 = 2;
    pub(crate) const SUSPENDED: i64 = 3;
    pub(crate) const DELETED: i64 = 4;
    pub(crate) const PROCESSING: i64 = 5;
}
use status::{ACTIVE, DELETED, ORDERED, PROCESSING, SUSPENDED};

struct Post {
    function: &'static str,
    command: &'static str,
    from: &'static [i64],
    to: Option<i64>,
}

const fn post_of(function: &'static str, command: &'static str, from: &'static [i64], to: Option<i64>) -> Post {
    Post { function, command, from, to }
}

const POSTS: &[Post] = &[
    post_of("service.postopen", "open", &[ORDERED, PROCESSING], Some(ACTIVE)),
    post_of("service.postopeninterrupt", "open", &[ORDERED, PROCESSING], None),
    post_of("service.postreopen", "reopen", &[ORDERED, ACTIVE, PROCESSING], Some(ACTIVE)),
    post_of("service.postsuspend", "suspend", &[ACTIVE, SUSPENDED], Some(SUSPENDED)),
    post_of("service.postresume", "resume", &[ACTIVE, SUSPENDED], Some(ACTIVE)),
    post_of("service.postclose", "close", &[ORDERED, ACTIVE, SUSPENDED, PROCESSING], Some(DELETED)),
    post_of("service.postsetparam", "setparam", &[ACTIVE, SUSPENDED], None),
    post_of("service.postprolong", "prolong", &[ACTIVE, SUSPENDED], None),
    post_of("service.poststart", "start", &[ACTIVE], None),
    post_of("service.poststop", "stop", &[ACTIVE, SUSPENDED], None),
    post_of("service.postreboot", "reboot", &[ACTIVE], None),
    post_of("service.posthardreboot", "hardreboot", &[ACTIVE], None),
    post_of("service.postchangepassword", "changepassword", &[ACTIVE, SUSPENDED], None),
];

/// True for the functions of this file.
pub(super) fn is_known(function: &str) -> bool {
    POSTS.iter().any(|post| post.function == function)
}

/// Any of the callbacks.
pub(super) fn post(request: &mut Request) -> Result<Answer, Refusal> {
    let function = request.function;
    let post = POSTS.iter().find(|post| post.function == function).ok_or_else(|| Refusal::missed("func"))?;
    let item = request.service()?;
    finish(request, &item, post.command, post.from)?;
    if let Some(status) = post.to {
        set_status(request, item.id, status)?;
    }
    if post.command == "setparam" {
        request.store.exec("UPDATE item SET lastpricelist = NULL WHERE id = ?", values![item.id])?;
    }
    Ok(Answer::done())
}

/// Checks that `command` may end now on a service in one of the statuses `from`, and deletes its operation.
pub(super) fn finish(request: &mut Request, item: &ItemRow, command: &str, from: &[i64]) -> Result<(), Refusal> {
    if !from.contains(&item.status) {
        let text = format!("Service #{} has status {}, which does not fit {}", item.id, item.status, request.function);
        return Err(Refusal::state("status", &text));
    }
    if request.end_operation(item.id, command)? > 0 {
        return Ok(());
    }
    let sql = "SELECT intname FROM runningoperation WHERE item = ? AND intname <> 'sync_item' ORDER BY id";
    match request.store.text(sql, values![item.id])? {
        None => Ok(()),
        Some(other) => {
            let text = format!("The operation '{other}' is in progress on service #{}, not '{command}'", item.id);
            Err(Refusal::state("runningoperation", &text))
        }
    }
}

/// The new status of a service, and of its add-ons with it.
pub(super) fn set_status(request: &mut Request, item: u64, status: i64) -> Result<(), Refusal> {
    request.store.exec("UPDATE item SET status = ? WHERE id = ? OR parent = ?", values![status, item, item])?;
    Ok(())
}
