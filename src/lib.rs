//! pmvmmanager6.
pub mod admin;
pub mod cli;
pub mod command;
pub mod config;
pub mod digest;
pub mod error;
pub mod fault;
pub mod journal;
pub mod lock;
pub mod log;
pub mod panel;
pub mod queue;
mod run;
pub mod service;
pub mod state;
pub mod vmm;
pub mod wire;

pub use run::run;
