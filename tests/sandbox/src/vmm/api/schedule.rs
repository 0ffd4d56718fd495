//! Backup schedules [api 4.12, B15]: a list, and one request that replaces what it names, `hosts` as a whole.

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::Schedule;
use super::super::schema::{Field, Kind, may, must, or_null};
use super::super::task::Order;
use super::super::variant::Schedules;
use super::super::view::plain;
use super::super::work::Work;
use super::{Answer, Call};

/// What a build takes that changes what it is sent and leaves the rest.
pub(super) const EDIT: &[Field] = &[
    may("name", Kind::Text),
    may("type", Kind::Text),
    may("start_time", Kind::Object(START)),
    may("hosts", Kind::Ids),
];
/// What a build wants that takes a schedule as a whole.
pub(super) const WHOLE: &[Field] = &[
    must("name", Kind::Text),
    must("type", Kind::Text),
    must("start_time", Kind::Object(START)),
    must("hosts", Kind::Ids),
];
pub(super) const MORE: &[Field] = &[
    may("comment", Kind::Text),
    may("backup_mode", Kind::Text),
    may("limit_count", Kind::Int(0)),
    or_null("limit_size_mib", Kind::Int(0)),
    may("backup_locations", Kind::Ids),
    may("clusters", Kind::Ids),
    may("disks", Kind::Ids),
    may("nodes", Kind::Ids),
    may("presets", Kind::Ids),
];
const START: &[Field] =
    &[may("day", Kind::Int(0)), may("week_day", Kind::Int(0)), may("hour", Kind::Int(0)), may("minute", Kind::Int(0))];

pub(super) fn list(call: &mut Call<'_>) -> Answer {
    call.check_schedules("GET")?;
    let elements = call.platform.schedules.values().map(plain).collect();
    call.list(elements, &["id"])
}

pub(super) fn edit(call: &mut Call<'_>) -> Answer {
    call.check_schedules("POST")?;
    let own = if call.platform.variant.schedules == Schedules::Whole { WHOLE } else { EDIT };
    let (id, body) = (call.id(0)?, call.body(&[own, MORE])?);
    let known = call.platform.schedules.get(&id).ok_or_else(|| ApiError::not_found("schedule", id))?;
    let changed = with(known, &body, call.platform.variant.schedules)?;
    if call.platform.variant.schedule_tasks {
        let order = Order::new("schedule_edit", 0, call.who.account, Work::Schedule(Box::new(changed)));
        let task = call.platform.submit(Order { host: None, ..order }, call.now);
        return Ok(json!({"id": id, "task": task}));
    }
    call.platform.schedules.insert(id, changed);
    Ok(json!({ "id": id }))
}

/// The schedule with what the body names in place of what it had.
fn with(known: &Schedule, body: &Map<String, Value>, build: Schedules) -> Result<Schedule, ApiError> {
    let mut changed = plain(known);
    if build == Schedules::Resetting {
        changed["limit_count"] = 0.into();
    }
    for (name, value) in body {
        changed[name] = value.clone();
    }
    serde_json::from_value(changed).map_err(|error| ApiError::internal(error.to_string()))
}

impl Call<'_> {
    /// A build without schedules knows no such path.
    fn check_schedules(&self, method: &str) -> Result<(), ApiError> {
        match self.platform.variant.schedules {
            Schedules::Missing => Err(ApiError::no_handler(method, &self.asked.path)),
            _ => Ok(()),
        }
    }
}
