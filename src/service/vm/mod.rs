//! What an operation does with the VM of a service.

pub(crate) mod access;
pub(crate) mod account;
pub mod addresses;
pub(crate) mod backup_schedule;
pub(crate) mod check_addon;
pub(crate) mod link;
mod next_handler;
pub(crate) mod open;
mod password;
pub(crate) mod power;
mod recipe;
mod recipe_params;
pub(crate) mod remove;
pub(crate) mod resize;
mod reverse_name;
pub mod sizes;
pub(crate) mod speed_cap;
mod ssh_keys;
pub(crate) mod sync;
pub(crate) mod tariff_change;
pub(crate) mod unsupported;
