//! pmvmmanager6.
pub mod cli;
pub mod config;
pub mod error;
pub mod fault;
pub mod lock;
pub mod log;
pub mod queue;
pub mod state;
pub mod wire;
