//! The task manager [api 3]. A client sees the tasks of its own VMs.

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::model::Task;
use super::super::view::{task_detail_view, task_view};
use super::{Answer, Call};

const FILTERABLE: &[&str] = &["id", "consul_id", "name", "status"];

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    let filter = call.filter(FILTERABLE)?;
    let wanted = |task: &&Task| filter.as_ref().is_none_or(|filter| filter.accepts(&|field| value_of(task, field)));
    let listed = call.platform.tasks.values().filter(wanted).filter(|task| visible(call, task));
    let elements = listed.map(|task| task_view(task, call.now)).collect();
    call.sized_list(elements, FILTERABLE)
}

/// By the task manager's own number, which is not the one that answers carry.
pub(super) fn one(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    let task = call.platform.tasks.get(&id).filter(|task| visible(call, task));
    let task = task.ok_or_else(|| ApiError::not_found("task", id))?;
    Ok(json!({ "task": task_detail_view(task, call.now) }))
}

fn value_of(task: &Task, field: &str) -> Value {
    match field {
        "id" => task.id.into(),
        "consul_id" => task.consul_id.into(),
        "name" => task.name.as_str().into(),
        _ => task.status.as_str().into(),
    }
}

fn visible(call: &Call<'_>, task: &Task) -> bool {
    let owner = task.host.and_then(|id| call.platform.hosts.get(&id)).map(|host| host.account);
    task.is_listed(call.now) && (call.sees(task.user) || owner.is_some_and(|account| call.sees(account)))
}
