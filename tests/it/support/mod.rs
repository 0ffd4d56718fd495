//! What the tests share.

pub mod cases;
pub mod invariants;
pub mod life;
pub mod refusal;
pub mod world;
