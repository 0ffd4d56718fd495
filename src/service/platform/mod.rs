//! One VMmanager: how to reach it, and what it offers.

pub mod capacity;
pub mod catalogue;
pub mod connection;
pub mod interfaces;
