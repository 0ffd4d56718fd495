//! The simulated `VMmanager` 6: stateful, strict, on a real socket.
//!
//! It answers as `src/vmm/API.md` says (cited as `[api 4.7]`). Where that calls something open, it takes the reading
//! that is hardest for the client, and it is never more lenient than what is known: an unknown property, an unproven
//! filter, a shrinking disk, a second start are refused. What passes here is known to work.
//!
//! [`VmManager`] runs the server; [`Platform`] is its state, open to tests; [`Fault`] orders misfortunes.
//!
//! Map: `server` (threads, lock) → `misfortune` → `api` (routes, one file a subject) → `platform`, `task`, `work`,
//! `pool`, `capacity` (state and its laws); `http`, `certificate`, `schema`, `filter`, `view` serve them.
//!
//! What is deliberately absent: backups (their schedules are there), virtual private networks, consoles, upload of images, LDAP.

mod another_site;
mod api;
mod capacity;
pub(crate) mod certificate;
mod client;
mod door;
mod error;
mod event;
mod fault;
mod filter;
mod hostile;
mod hostile_body;
mod hostile_wire;
mod http;
mod lists;
mod manager;
mod misfortune;
mod model;
mod platform;
mod pool;
mod request;
mod schema;
mod server;
mod session;
mod setup;
mod target;
mod task;
mod traffic;
mod variant;
mod view;
mod work;
mod world;

pub use another_site::ClusterNames;
pub use client::ClientEdit;
pub use fault::{Action, Fault, Rewrite};
pub use filter::selects;
pub use hostile::Hostile;
pub use hostile_body::ODD;
pub use lists::{Lists, NameFilters, Size};
pub use manager::VmManager;
pub use model::{
    Account, AccountKey, Cluster, Disk, Host, Image, Interface, Ip, Node, Os, Pool, PoolCluster, Preset, Range, Recipe,
    RecipeParam, Repository, Schedule, Storage, Tag, Task, Tuning,
};
pub use platform::Platform;
pub use request::Request;
pub use setup::{Certificate, Setup, Timing, Transport};
pub use traffic::{Month, Traffic};
pub use variant::{Comments, Description, Figures, History, Known, Schedules, SshKeys, UserLists, Variant};
