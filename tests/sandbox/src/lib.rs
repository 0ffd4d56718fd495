//! A world to run the module in: a simulated VMmanager 6 ([`vmm`]) and a stand-in BILLmanager ([`bill`]), together in
//! a [`World`].
//!
//! Both are strict where the real platforms are known to be (`src/panel/PROTOCOL.md`, `src/vmm/API.md`): what the
//! real platforms would refuse is refused here, so that a test can only pass with a request that would work there.

pub mod bill;
mod binary;
pub mod vmm;
mod world;

pub use binary::binary;
pub use world::{Site, Tariffs, World};
