//! One operation on one service: what it works on, whose VM it is, how it waits, and when it may run.

mod assignment;
pub mod claims;
pub mod evidence;
pub mod facts;
mod locate;
pub mod mark;
mod prove;
pub mod settle;
pub mod turn;
pub mod watch;

pub use assignment::{Assignment, Job, marker};
