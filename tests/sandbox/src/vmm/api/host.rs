//! VMs: lists, reading, small edits, owner, deletion [api 4.7].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::lists::{Lists, NameFilters};
use super::super::model::Host;
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::view::{flat_host_view, history_view};
use super::super::work::Work;
use super::{Answer, Call, Properties};

const EDIT: &[Field] = &[
    may("name", Kind::Text),
    may("comment", Kind::Text),
    may("expand_part", Kind::Text),
    may("ha_restore_on_fail", Kind::Bool),
    may("ha_restore_priority", Kind::Int(0)),
];
const OWNER: &[Field] = &[must("account", Kind::Int(1))];

const MIGRATE: &[Field] =
    &[must("node", Kind::Int(1)), may("plain", Kind::Bool), may("disks", Kind::Objects(MIGRATED_DISK))];
const MIGRATED_DISK: &[Field] = &[must("id", Kind::Int(1)), must("dst_storage", Kind::Int(1))];

/// VMs with everything associated. A VM hidden by a fault is left out as often as ordered.
pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let seen = call.platform.hosts.values().filter(|host| call.sees(host.account));
    let shown =
        seen.filter(|host| host.listed_at <= call.now && !call.platform.hidden.contains_key(&host.id)).collect();
    let view = |host: &&Host| call.platform.host_view(host, call.now);
    let by_name = call.asked.parameter("where").is_some_and(|text| text.contains("name"));
    let page = if by_name && call.platform.lists.name_filters == NameFilters::Ignored {
        call.viewed(shown, view)
    } else {
        call.select_viewed(shown, &filterable(&call.platform.lists), |host, field| value_of(host, field), view)
    };
    let answer = page.map(|page| call.sized(page, json!({"last_notify": call.platform.notify})));
    call.platform.hidden.retain(|_, calls| {
        *calls = calls.saturating_sub(1);
        *calls > 0
    });
    answer
}

fn filterable(lists: &Lists) -> Vec<&'static str> {
    let mut fields = vec!["id"];
    if lists.name_filters != NameFilters::Refused {
        fields.push("name");
    }
    if lists.cluster_filters {
        fields.extend(["cluster", "cluster.id"]);
    }
    fields
}

fn value_of(host: &Host, field: &str) -> Value {
    match field {
        "name" => host.name.as_str().into(),
        "cluster" | "cluster.id" => host.cluster.into(),
        _ => host.id.into(),
    }
}

pub(super) fn flat(call: &mut Call<'_>) -> Answer {
    Ok(flat_host_view(call.host()?))
}

pub(super) fn metadata(call: &mut Call<'_>) -> Answer {
    Ok(call.platform.metadata_view(call.host()?))
}

pub(super) fn history(call: &mut Call<'_>) -> Answer {
    let id = call.host()?.id;
    let shape = call.platform.variant.history;
    let email = |user: u64| call.platform.accounts.get(&user).map(|account| account.email.as_str());
    let tasks = call.platform.tasks.values().filter(|task| task.host == Some(id) && task.is_listed(call.now));
    let elements: Vec<Value> = tasks.map(|task| history_view(task, email(task.user), shape)).collect();
    let last = elements.iter().filter_map(|line| line["id"].as_u64()).max();
    Ok(json!({"list": call.select(elements, &["id"])?.list, "max_id": last}))
}

/// Renames and comments; at once, no task.
pub(super) fn edit(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[EDIT])?;
    body.text("name").map_or(Ok(()), check_name)?;
    let id = call.host()?.id;
    let comment = body.text("comment").map(|text| call.platform.variant.comments.at_edit(text)).transpose()?;
    if let Some(host) = call.platform.hosts.get_mut(&id) {
        let text = |name: &str, old: &str| body.text(name).unwrap_or(old).to_owned();
        host.name = text("name", &host.name);
        host.comment = comment.unwrap_or_else(|| host.comment.clone());
        host.expand_part = text("expand_part", &host.expand_part);
        host.ha_restore_on_fail = body.flag("ha_restore_on_fail").unwrap_or(host.ha_restore_on_fail);
        host.ha_restore_priority = body.number("ha_restore_priority").unwrap_or(host.ha_restore_priority);
    }
    call.platform.touch();
    Ok(json!({ "id": id }))
}

/// Deletes a VM, running or not, behind whatever it is busy with.
pub(super) fn delete(call: &mut Call<'_>) -> Answer {
    let host = call.host()?;
    if host.is_protected {
        return Err(ApiError::refused(format!("VM {} is protected from deletion", host.id)));
    }
    let order = Order::new("host_delete", host.id, call.who.account, Work::Delete);
    Ok(call.accept(order))
}

/// Gives the VM to another account.
pub(super) fn give_to(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[OWNER])?;
    let account = body.number("account").unwrap_or(0);
    let host = call.ready_host()?.id;
    if !call.platform.accounts.contains_key(&account) {
        return Err(ApiError::not_found("account", account));
    }
    Ok(call.accept(Order::new("host_change_account", host, call.who.account, Work::Owner(account))))
}

/// Moves the VM to another node of its cluster.
pub(super) fn migrate(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[MIGRATE])?;
    let node = body.number("node").unwrap_or(0);
    let host = call.ready_host()?;
    let target = call.platform.nodes.get(&node).ok_or_else(|| ApiError::not_found("node", node))?;
    if target.cluster != host.cluster || host.node == Some(node) {
        return Err(ApiError::refused(format!("VM {} cannot move to node {node}", host.id)));
    }
    let order = Order::new("host_migrate", host.id, call.who.account, Work::Migrate(node));
    Ok(call.accept(order))
}

impl Call<'_> {
    /// Accepts a task of a VM: `{id, task}`.
    pub(super) fn accept(&mut self, mut order: Order) -> Value {
        let id = order.host;
        order.params = self.params();
        let task = self.platform.submit(order, self.now);
        json!({"id": id, "task": task})
    }
}

/// The set that every client is known to stay in [api 4.7.1].
pub(super) fn check_name(name: &str) -> Result<(), ApiError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    if (1..=60).contains(&name.len()) && name.chars().all(plain) {
        return Ok(());
    }
    Err(ApiError::invalid("name", "1 to 60 letters, digits, dots, hyphens and underscores expected"))
}
