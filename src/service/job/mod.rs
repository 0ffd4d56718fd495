//! One operation on one service: what it works on, whose VM it is, how it waits, and when it may run.

mod assignment;
pub(crate) mod claims;
pub(crate) mod evidence;
pub(crate) mod facts;
mod locate;
pub mod mark;
mod prove;
pub(crate) mod settle;
pub(crate) mod turn;
pub(crate) mod watch;

pub(crate) use assignment::{Assignment, Job, marker};
