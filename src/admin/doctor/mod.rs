//! `pmvmmanager6 doctor`: what is wrong, or soon will be, with the installation and with every handler.
//!
//! Nothing is changed. `--json` prints one object:
//!
//! ```json
//! {"errors": 1, "warnings": 0,
//!  "sections": [{"about": "installation", "handler": null,
//!    "findings": [{"level": "ok", "check": "root", "what": "/usr/local/mgr5", "cure": null}]}]}
//! ```
//!
//! `level` is `ok`, `note`, `warning`, `error` or `skipped`; `cure` is set for warnings and errors. A section of a
//! handler has its id. What has failed keeps only the checks from being made that need it; one handler's trouble keeps
//! none of another's.

mod addons;
mod billmanager;
mod capacity;
mod handler;
mod installation;
mod keys;
mod offered;
mod plugin;
mod run;
mod state;

pub(crate) use run::{Options, run};
