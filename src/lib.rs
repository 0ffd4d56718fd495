//! pmvmmanager6.
pub mod cli;
pub mod config;
pub mod error;
pub mod fault;
pub mod log;
pub mod panel;
pub mod wire;
pub mod vmm;
