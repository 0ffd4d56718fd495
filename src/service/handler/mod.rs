//! What is done for a whole handler: checks, lists, import, traffic.

pub mod check_connection;
pub mod form_lists;
pub mod import;
mod job;
pub mod lists;
pub mod overage;
pub mod suitability;
pub mod traffic;

pub use job::HandlerJob;
