//! What the tests share.

pub mod cases;
pub mod chaos;
pub mod damage;
pub mod decoy;
pub mod golden;
pub mod invariants;
pub mod life;
pub mod lives;
pub mod processes;
pub mod refusal;
pub mod world;
