//! What the tests share.

pub(crate) mod cases;
pub(crate) mod chaos;
pub(crate) mod damage;
pub(crate) mod decoy;
pub(crate) mod golden;
pub(crate) mod hostile_client;
pub(crate) mod hostile_life;
pub(crate) mod hostile_staff;
pub(crate) mod invariants;
pub(crate) mod login;
pub(crate) mod markdown;
pub(crate) mod processes;
pub(crate) mod prometheus;
pub(crate) mod random_life;
pub(crate) mod refusal;
pub(crate) mod service;
pub(crate) mod sites;
pub(crate) mod trouble;
pub(crate) mod witness;
pub(crate) mod world;
