//! BILLmanager: what we read from its database and what we call it back with.
//!
//! Everything is lazy. Reading uses plain SQL, writing goes through `mgrctl` only: the panel stays the owner of its
//! data. A saved parameter is read back, because two calling forms exist and an old panel accepts one of them silently
//! without storing anything [protocol 3.28].

#![cfg_attr(doc, doc = include_str!("PROTOCOL.md"))]

mod addons;
mod bulk;
mod callbacks;
mod connection;
mod crypt;
mod database;
mod dry_run;
mod failure;
mod foreign;
mod handlers;
mod lists;
mod mgrctl;
mod named_vm;
mod operations;
mod options;
mod params;
mod records;
mod secret_cache;
mod slots;
mod statistics;
mod status;
mod units;
mod value;

pub use addons::Amount;
pub use connection::Panel;
pub use failure::{Failure, error_document};
pub use foreign::refuse_foreign;
pub use handlers::{Candidate, Import, Listed};
pub use lists::Offered;
pub use operations::Operation;
pub use records::{Customer, Handler, HandlerParam, Naming, Owner, Service};
pub use slots::{Address, Slot};
pub use statistics::{FRACTION, Metered, Reading, Recorded};
pub use status::ServiceStatus;
pub use units::Units;
pub use value::Value;
