//! One VMmanager: how to reach it, which one it is, and what it offers.

pub(crate) mod capacity;
pub(crate) mod catalogue;
pub(crate) mod connection;
mod destination;
pub(crate) mod interfaces;
pub(crate) mod merge;
pub(crate) mod password;
pub(crate) mod pools;
pub(crate) mod recognise;
