//! Traffic counters of a VM [api 4.11].

use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use crate::direction::Direction;
use crate::error::{Error, Kind, Result};
use crate::id::VmId;

/// VMmanager's name of the counter. That it counts from the VM's point of view is not documented, only plausible
/// [api 4.11].
fn target(direction: Direction) -> &'static str {
    match direction {
        Direction::In => "net_rx_summary",
        Direction::Out => "net_tx_summary",
    }
}

/// One metric: `[[value, time], …]`.
#[derive(Deserialize)]
struct Metric {
    #[serde(default)]
    datapoints: Vec<Vec<Value>>,
}

impl Client {
    /// Bytes of this month so far; nothing when VMmanager does not know.
    pub fn month_traffic(&self, host: VmId, direction: Direction) -> Result<Option<u64>> {
        let target = target(direction);
        let path = format!("/vm/v3/host/{host}/metrics?target={target}&output=single&interval=1month");
        let metrics: Vec<Metric> = self.get_list(&path)?;
        let Some(value) = metrics.first().and_then(|metric| metric.datapoints.first()?.first()) else {
            return Ok(None);
        };
        match bytes(value) {
            _ if value.is_null() => Ok(None),
            Some(bytes) => Ok(Some(bytes)),
            None => {
                let text = format!("VMmanager's counter {target} of VM {host} is {value}, not a number of bytes");
                Err(Error::new(Kind::Vm6Api, format!("GET /vm/v3/host/{host}/metrics"), text))
            }
        }
    }
}

/// A counter may come as a number with a fraction.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
fn bytes(value: &Value) -> Option<u64> {
    let whole = || value.as_f64().filter(|bytes| (0.0..9e18).contains(bytes)).map(|bytes| bytes as u64);
    value.as_u64().or_else(whole)
}
