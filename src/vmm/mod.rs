//! VMmanager 6: one method per request that the module makes [api 4].
//!
//! Reads return a value or an error; changes return an [`Outcome`], because "it is not known whether it happened" is an
//! answer of its own. Only documented fields are sent: the platform refuses an unknown property.

#![cfg_attr(doc, doc = include_str!("API.md"))]

mod about;
mod body;
mod client;
mod dry_run;
mod endpoint;
mod filter;
mod glimpse;
mod host;
mod host_state;
mod hot;
mod http;
mod json;
mod left;
mod lenient;
mod list;
mod model;
mod moment;
mod node;
mod outcome;
mod reason;
mod requests;
mod schedule;
pub mod session;
mod task;
mod tls;
mod traffic;
mod tuned;
mod whoami;

pub use about::Version;
pub use body::{CreateHost, CustomInterface, Fields, InterfacePools, RecipeRun, RecipeValue, Resources};
pub use client::{Access, Client, Gate};
pub use endpoint::Endpoint;
pub use glimpse::Glimpse;
pub use host::{Host, HostIp, Ipv4};
pub use host_state::HostState;
pub use left::Left;
pub use model::{
    Accepted, Account, AccountKey, Cluster, Ipv6, Os, Past, Pool, PoolCluster, Preset, Recipe, RecipeParam, Tuning,
};
pub use moment::Moment;
pub use node::Node;
pub use outcome::{Failure, Outcome};
pub use schedule::Schedule;
pub use session::{Identity, Session};
pub use task::{Ended, Task};
pub use tls::Trust;
pub use tuned::{TUNING, bare};
