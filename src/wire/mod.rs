//! XML as BILLmanager speaks it, in and out: the only user of quick-xml.
//!
//! Documents are small trees. [`parse`] refuses what could hurt (more than 1 MiB, deeper than 64, a DOCTYPE, bytes
//! that are not UTF-8); [`Element::document`] can only produce legal XML 1.0, whatever text is put into it.

mod element;
mod reader;
mod writer;

pub use element::Element;
pub use reader::{MAX_BYTES, parse};
