//! Metrics of a VM, as a bare array [api 4.11].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::{Answer, Call};

const GRAPHS: [&str; 5] = ["cpu_load", "mem_usage", "df.root.used", "net_rx", "net_tx"];

/// `net_rx_summary` and `net_tx_summary` (`output=single`, an interval) in bytes, or a graph from a moment on.
pub(super) fn read(call: &mut Call<'_>) -> Answer {
    let host = call.host()?;
    let target = call.asked.parameter("target").ok_or_else(|| ApiError::bad_query("target is required"))?;
    let now = jiff::Timestamp::now().as_second();
    let [received, sent] = match &call.platform.traffic {
        Some(traffic) => traffic.counters(host.id).map(Some),
        None => [host.net_rx_summary, host.net_tx_summary],
    };
    let total = match target {
        "net_rx_summary" => received,
        "net_tx_summary" => sent,
        graph if GRAPHS.contains(&graph) => {
            let from = call.asked.parameter("from").ok_or_else(|| ApiError::bad_query("from is required"))?;
            return Ok(json!([{"target": graph, "datapoints": points(from, now)?}]));
        }
        _ => None,
    };
    let total = total.ok_or_else(|| ApiError::bad_query(format!("Unknown target {target}")))?;
    let single = call.asked.parameter("output") == Some("single");
    let interval = call.asked.parameter("interval").unwrap_or_default();
    if !single || !["1month", "1day"].contains(&interval) {
        return Err(ApiError::bad_query("output=single and interval=1month or 1day are required"));
    }
    Ok(json!([{"target": target, "datapoints": [[total, now]]}]))
}

/// A point every five minutes, the last one not known yet. `from` is `HH:MM_YYYYMMDD`.
fn points(from: &str, now: i64) -> Result<Vec<Value>, ApiError> {
    let bad = |_| ApiError::bad_query(format!("from={from} is not HH:MM_YYYYMMDD"));
    let start = jiff::civil::DateTime::strptime("%H:%M_%Y%m%d", from).map_err(bad)?;
    let start = start.to_zoned(jiff::tz::TimeZone::UTC).map_err(bad)?.timestamp().as_second();
    let times = (0..2016).map(|n| start + n * 300).take_while(|time| *time < now);
    let mut points: Vec<Value> = times.map(|time| json!([time % 97, time])).collect();
    if let Some(last) = points.last_mut() {
        last[0] = Value::Null;
    }
    Ok(points)
}
