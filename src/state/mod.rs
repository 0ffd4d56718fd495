//! Our own state on this machine: private directories and `SQLite` files.
//!
//! Two databases exist. `runtime.db` ([`RUNTIME`]) is an index that can be rebuilt, so a damaged one is set aside; the
//! journal cannot be replaced, so a damaged one stops the operation. Both follow the same rules:
//!
//! * every access, reading too, happens under the file's guard (`runtime.guard`, an `flock` of microseconds): `SQLite`'s
//!   own busy handler sleeps blindly and is unfair, under the guard it has nothing to do;
//! * nothing but `SQLite` opens the database file: closing any other descriptor of it would drop `SQLite`'s locks;
//! * a live connection finds out that its file was replaced or emptied before it touches it, and opens the new one;
//! * migrations are an append-only list, its length is the file's version;
//! * a rollback journal and no WAL: one file to look at, nothing shared in memory, readable on a full or read-only
//!   disk. A durable file is synchronised at each commit, the other one never.
//!
//! Killed at any line, a process leaves at worst a hot rollback journal, which the next one rolls back.

pub(crate) mod boot;
mod column;
mod database;
mod directory;
pub(crate) mod failure;
mod guard;
mod replace;
mod runtime;

pub(crate) use database::{Damaged, Database, Schema};
pub(crate) use directory::{examine_directory, prepare_directory};
pub(crate) use failure::Failure;
pub(crate) use guard::{guard, named_lock};
pub(crate) use replace::{create, refuse_shared, replace};
pub(crate) use runtime::RUNTIME;
