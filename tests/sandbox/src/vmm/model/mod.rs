//! The platform's objects as plain data, named as the API names them [api 4].
//!
//! Fields that the API nests or computes (owner, cluster, counters) are ids here; [`super::view`] makes the answers.

mod account;
mod cluster;
mod host;
mod network;
mod schedule;
mod software;
mod task;

pub use account::{Account, AccountKey};
pub use cluster::{Cluster, Node, Storage};
pub use host::{Disk, Host, Interface, Tuning};
pub use network::{Ip, Pool, PoolCluster, Range};
pub use schedule::Schedule;
pub use software::{Image, Os, Preset, Recipe, RecipeParam, Repository, Tag};
pub use task::Task;
pub(super) use task::Twist;
