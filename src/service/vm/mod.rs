//! What an operation does with the VM of a service.

pub mod access;
pub mod account;
pub mod addresses;
pub mod check_addon;
pub mod link;
pub mod open;
mod password;
pub mod power;
mod recipe;
pub mod remove;
pub mod resize;
pub mod sizes;
pub mod speed_cap;
pub mod sync;
