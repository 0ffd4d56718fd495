//! One VMmanager: how to reach it, which one it is, and what it offers.

pub mod capacity;
pub mod catalogue;
pub mod connection;
pub mod interfaces;
pub mod recognise;
