//! What is known of one service from every place, and of all services together.

mod collect;
mod contradictions;
pub(crate) mod phases;
pub(crate) mod probe;

pub(crate) use collect::*;
