//! What was ordered, and where it is to be made: read from BILLmanager's rows alone, nothing is asked.

pub mod addons;
mod amount;
pub mod host_name;
mod missing;
pub mod placement;
mod read;
pub mod recipe;
pub mod ssh_key;
mod tuning;
mod unknown;

pub use amount::{is_nothing, quantity};
pub use missing::missing;
pub use placement::Placement;
pub use read::{Order, Sizes};
pub use unknown::unknown;
