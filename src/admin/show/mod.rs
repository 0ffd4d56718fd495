//! `pmvmmanager6 show --item N`: everything that is known of a service on one page.
//!
//! A part that cannot be read is named and the rest is shown. The verdict is about the page: findings when a part is
//! missing or two parts contradict each other. `--json` prints one object; a part that cannot be read is
//! `{"error": "…"}` in its place, what is not known is null:
//!
//! ```json
//! {"service": 4711, "complete": true, "contradictions": [],
//!  "billmanager": {"status": 2, "status_name": "active", "period_months": 1,
//!    "client": {"id": 1, "name": "Alice", "email": "alice@example.com"},
//!    "tariff": {"id": 5, "name": "VPS 2-2-20", "internal_name": "", "parameters": {}},
//!    "handler": {"id": 1, "name": "VMmanager 6", "settings": {"url": "…", "password": "***"}},
//!    "parameters": {"panelid": "215", "password": "***"},
//!    "addons": {"mem": {"value": "2048", "unit": "mib"}},
//!    "order": {"cores": 2, "memory_mib": 2048, "disk_mib": 20480, "in_mbitps": null, "out_mbitps": null, "ipv4": 1,
//!              "ipv6": null, "ipv6_prefix": null, "domain": null, "os": "ISPsystem__Debian 12", "recipe": null,
//!              "preset": null},
//!    "slots": [{"id": 3, "address": "203.0.113.10", "free": false, "ipv6": false}],
//!    "operations": [{"id": 9, "command": "suspend", "tries": 2, "manual": false, "error": "vm6_connect: …"}]},
//!  "journal": {"phase": "ready", "mark": "billmgr:…", "account": 2, "vm": 215, "vm_created": "…",
//!    "task": {"consul_id": 7, "name": "host_create"}, "restart": {"operation": 9, "after": 3, "task": 8},
//!    "stopped_again": 0, "changed": "2025-06-30T12:00:00Z", "ended": null,
//!    "traffic": {"month": "2025-06", "vm": 215, "in_bytes": 1, "out_bytes": 2},
//!    "speed_cap": {"vm": 215, "in_mbitps": 10, "out_mbitps": null, "before_in_mbitps": 100, "before_out_mbitps": 0,
//!                  "settled": true},
//!    "backup_schedules": [{"schedule": 3, "name": "daily", "vm": 215}]},
//!  "vmmanager": {"url": "https://vm.example.net", "mark": "billmgr:…", "also_marked": [],
//!    "vm": {"id": 215, "name": "vps4711", "state": "active", "domain": "…", "created": "…", "comment": "billmgr:…",
//!      "owner": {"account": 2, "email": "alice@example.com"}, "cores": 2, "memory_mib": 2048, "disk_mib": 20480,
//!      "in_mbitps": 0, "out_mbitps": 0, "pending": {"cores": null, "memory_mib": null, "disk_mib": null},
//!      "addresses": ["203.0.113.10"],
//!      "proof": {"proved": true, "own_mark": true, "foreign_mark": false, "journal": true, "owner": true}},
//!    "tasks": [{"id": 3, "name": "host_create", "state": "complete", "created": "…", "error": null}]},
//!  "queue": {"tickets": [{"key": "service:4711", "queue": "service:4711-1", "number": 1, "ticket": 7, "command": "open",
//!    "service": 4711, "handler": 1, "pid": 1234, "age_seconds": 3.2, "running_seconds": 3.1}],
//!    "paused": ["12"], "paused_all": false},
//!  "log": ["…"]}
//! ```
//!
//! The whole of "journal" is null when the journal does not know the service, "vm" when VMmanager has none. A ticket is
//! written as by `queue --json`.

mod bundle;
mod json;
mod redact;
mod run;
mod text;

pub(crate) use run::{Options, run};
