//! When backups are made, and of what.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A backup schedule [api 4.12]. A VM that is removed stays in its list: no source says that the platform takes it out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Schedule {
    pub id: u64,
    pub name: String,
    pub comment: String,
    pub backup_mode: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub limit_count: u64,
    pub limit_size_mib: Option<u64>,
    pub start_time: Value,
    pub backup_locations: Vec<u64>,
    pub clusters: Vec<u64>,
    pub disks: Vec<u64>,
    pub nodes: Vec<u64>,
    pub hosts: Vec<u64>,
    pub presets: Vec<u64>,
    pub next_run: String,
}
