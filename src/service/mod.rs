//! The use-cases behind the commands. Each compares what is with what should be, does only the difference, and may be
//! killed and started again at any line.
//!
//! | folder | about |
//! |---|---|
//! | [`order`] | what was ordered, and where it is to be made |
//! | [`platform`] | one VMmanager: how to reach it, and what it offers |
//! | [`job`] | one operation: what it works on, whose VM it is, taking turns, waiting |
//! | [`vm`] | what an operation does with a service's VM |
//! | [`handler`] | what is done for a whole handler |
//! | [`audit`] | where BILLmanager and VMmanager differ |
//! | [`report`] | everything that is known of one service |
//!
//! Imports go upwards in this table only.

pub(crate) mod audit;
pub(crate) mod handler;
pub mod job;
pub mod order;
pub(crate) mod platform;
pub(crate) mod report;
pub mod vm;
