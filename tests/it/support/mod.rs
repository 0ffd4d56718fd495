//! What the tests share.

pub mod cases;
pub mod decoy;
pub mod invariants;
pub mod refusal;
pub mod world;
