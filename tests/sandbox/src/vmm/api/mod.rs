//! The API: who may call what, and which function answers it.
//!
//! [`routes`] has the whole surface. A request goes: unreadable body → 400; not GET, POST or DELETE → 405; token → 401;
//! path → 1106; rights → 3001; licence → 3001; then the handler, which checks its body against a schema first.

mod about;
mod account;
mod address;
mod asked;
mod auth;
mod call;
mod catalogue;
mod create;
mod dispatch;
mod host;
mod list;
mod metrics;
mod network;
mod power;
mod resource;
mod routes;
mod schedule;
mod software;
mod ssh_key;
mod task;

pub(super) use account::LIMITS;
pub(super) use asked::Asked;
pub(super) use dispatch::respond;

use call::{Answer, Call, Handler, Properties, Who};
