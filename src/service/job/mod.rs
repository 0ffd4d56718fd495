//! One operation on one service: what it works on, whose VM it is, and how it waits.

mod assignment;
pub mod identity;
pub mod locate;
pub mod settle;

pub use assignment::{Assignment, Job};
