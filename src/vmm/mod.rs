//! VMmanager 6.
pub mod session;
