//! BILLmanager: what we read from its database and what we call it back with.
//!
//! Everything is lazy. Reading uses plain SQL, writing goes through `mgrctl` only: the panel stays the owner of its
//! data. A saved parameter is read back, because two calling forms exist and an old panel accepts one of them silently
//! without storing anything [protocol 3.28].

#![cfg_attr(doc, doc = include_str!("PROTOCOL.md"))]

mod addons;
mod bulk;
mod callbacks;
mod child;
mod connection;
mod crypt;
mod database;
mod database_tls;
mod dry_run;
mod enumerations;
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
mod socket;
mod statistics;
mod status;
mod tariffs;
mod units;
mod value;

pub(crate) use addons::Amount;
pub(crate) use connection::Panel;
pub use failure::error_document;
pub(crate) use failure::{Failure, Tried};
pub(crate) use foreign::refuse_foreign;
pub(crate) use handlers::{Candidate, Import, Listed};

pub(crate) use operations::Operation;
pub(crate) use options::Way;
pub(crate) use records::{Customer, Handler, HandlerParam, Naming, Service};
pub(crate) use slots::{Address, Slot};
pub(crate) use statistics::{FRACTION, Metered, Reading, Recorded};
pub(crate) use status::ServiceStatus;
pub(crate) use units::Units;
