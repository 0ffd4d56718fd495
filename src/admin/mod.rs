//! Operator commands: what an administrator runs by hand. One file a command; each writes text for people, or JSON on
//! request, to the writer it is given. Styles (`anstyle`) may be written always: where the output is no terminal they
//! are taken out on the way.

mod access;
pub mod audit;
pub mod check_connection;
mod connection;
pub mod doctor;
pub mod features;
mod finding;
pub mod link;
pub mod metrics;
mod output;
pub mod plan;
pub mod queue;
pub mod reinstall;
mod service;
pub mod session;
pub mod show;
mod table;
pub mod verify;

pub use access::admit;
pub use output::{Verdict, write};
