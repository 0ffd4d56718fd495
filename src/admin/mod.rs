//! Operator commands: what an administrator runs by hand. One file a command; each writes text for people, or JSON on
//! request, to the writer it is given. Styles (`anstyle`) may be written always: where the output is no terminal they
//! are taken out on the way.

mod access;
pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod capacity;
pub(crate) mod check_connection;
mod connection;
pub(crate) mod doctor;
pub(crate) mod features;
mod finding;
mod handler_site;
mod last_audit;
pub(crate) mod link;
pub(crate) mod metrics;
mod output;
pub(crate) mod plan;
pub(crate) mod platform;
pub(crate) mod queue;
pub(crate) mod reinstall;
mod service;
pub(crate) mod session;
pub(crate) mod show;
mod table;
pub(crate) mod verify;

pub(crate) use access::admit;
pub(crate) use output::{Verdict, write_document};
