//! Drift between BILLmanager's services and VMmanager's VMs: found, reported and, where it is safe, repaired.
//!
//! Everything is read in whole lists, a VM or a service alone is never asked for. The two sides are read at different
//! times, so what looks wrong may only have changed meanwhile: it is read a second time, and only what is wrong in the
//! same way again is reported. Services with an operation under way, before or after a reading, are left out and counted.
//!
//! Nothing is compared in a way of its own: what is wanted comes from [`crate::service::order`], what proves a VM from
//! [`crate::service::job::evidence`], and sizes and addresses are judged by those who would change them.
//!
//! Not judged, because it would take a request for each VM: reverse names, the length of an IPv6 network, and on a
//! handler with an additional interface how many addresses a VM has.

mod backups;
mod compare;
mod differences;
mod drift;
mod reading;
mod repair;
mod run;
mod strays;

pub(crate) use drift::{DriftKind, Finding, Remedy};
pub(crate) use repair::repair;
pub(crate) use run::{Audit, run};
