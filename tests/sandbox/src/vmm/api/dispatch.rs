//! From a request to its answer: who asks, which route, whether he may.

use std::time::Instant;

use serde_json::{Value, json};

use super::asked::Asked;
use super::routes::{Access, ROUTES, Route};
use super::{Call, Who};
use crate::vmm::error::ApiError;
use crate::vmm::platform::Platform;
use crate::vmm::variant::UserLists;

/// Works on a request: status and body of the answer.
pub(in crate::vmm) fn respond(platform: &mut Platform, asked: &Asked, now: Instant) -> (u16, Value) {
    match dispatch(platform, asked, now) {
        Ok(answer) => answer,
        Err(error) => (error.status, error.body()),
    }
}

fn dispatch(platform: &mut Platform, asked: &Asked, now: Instant) -> Result<(u16, Value), ApiError> {
    if let Err(reason) = &asked.body {
        return Err(ApiError::bad_query(format!("The body is not JSON: {reason}")));
    }
    if !["GET", "POST", "DELETE"].contains(&asked.method.as_str()) {
        return Err(ApiError::no_method(&asked.method));
    }
    let found = ROUTES.iter().find_map(|route| Some((route, route.matches(asked)?)));
    let public = found.as_ref().is_some_and(|(route, _)| route.2 == Access::Public);
    let who = if public {
        Who { account: 0, admin: false, read_only: false, advanced: false }
    } else {
        identify(platform, asked, now)?
    };
    let (Route(method, _, access, handler), wild) =
        found.ok_or_else(|| ApiError::no_handler(&asked.method, &asked.path))?;
    if !public && !who.may(*access, method) && platform.variant.user_lists == UserLists::Empty {
        return unseen(asked, &wild);
    }
    if !public && !who.may(*access, method) || !platform.licence_valid && !open_without_licence(asked) {
        return Err(ApiError::forbidden());
    }
    let mut call = Call { platform, who, wild, asked, now, status: 200 };
    if *method == "DELETE" {
        call.body(&[])?;
    }
    let body = handler(&mut call)?;
    Ok((call.status, body))
}

/// What is answered as if there were nothing, to an account without the rights for it.
fn unseen(asked: &Asked, wild: &[&str]) -> Result<(u16, Value), ApiError> {
    const LISTS: &[&str] = &[
        "cluster",
        "node",
        "storage",
        "all",
        "repository",
        "tag",
        "ippool",
        "range",
        "ip",
        "ipnet",
        "schedule",
        "user",
    ];
    let last = asked.path.rsplit('/').next().unwrap_or_default();
    match wild.first() {
        Some(id) if asked.path.starts_with("/vm/v3/host/") => Err(ApiError::host_unknown(id)),
        Some(id) => Err(ApiError::not_found("object", id)),
        None if asked.method == "GET" && LISTS.contains(&last) => {
            Ok((200, json!({"last_notify": 0, "list": [], "size": 0})))
        }
        None => Err(ApiError::forbidden()),
    }
}

fn identify(platform: &mut Platform, asked: &Asked, now: Instant) -> Result<Who, ApiError> {
    let token = asked.token.as_deref().ok_or_else(|| ApiError::unauthorized("Unauthorized"))?;
    let account = platform.sessions.account(token, now).and_then(|id| platform.accounts.get(&id));
    account.map(Who::new).ok_or_else(|| ApiError::unauthorized("Unauthorized"))
}

/// Without a licence nodes, images and VMs are listed, and deletion works [api 1.5].
fn open_without_licence(asked: &Asked) -> bool {
    let listed = ["/auth/", "/vm/v3/node", "/vm/v3/image", "/vm/v3/host", "/vm/v3/task", "/vm/v3/get_license"];
    asked.method == "DELETE"
        || asked.path.starts_with("/auth/")
        || asked.method == "GET" && listed.iter().any(|start| asked.path.starts_with(start))
}
