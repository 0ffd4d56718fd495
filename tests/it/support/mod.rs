//! What the tests share.

pub mod cases;
pub mod chaos;
pub mod damage;
pub mod decoy;
pub mod golden;
pub mod invariants;
pub mod login;
pub mod markdown;
pub mod processes;
pub mod prometheus;
pub mod random_life;
pub mod refusal;
pub mod service;
pub mod sites;
pub mod world;
