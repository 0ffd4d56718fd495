//! The settings of a handler: which there are, what each may hold, and what is used when it is empty.
//!
//! [`SETTINGS`] is the one list. The answer to `features`, the forms, the checks and the use-cases read it, so a setting
//! cannot be declared and unknown, or checked in one way and used in another. [`HandlerSettings`] holds what a handler
//! has stored, each setting parsed.
//!
//! A wrong value never hides another one. A setting that decides where the password goes or where VMs are made keeps
//! its error until somebody needs it; every other one has its default, with a warning, because it must not stop an
//! operation.
//!
//! Deliberately absent: the password, which the panel decrypts and hands over as a secret, and the form of an address,
//! which is VMmanager's.

mod queue_key;
mod table;
mod values;

pub use queue_key::{QueueKey, SERVICE_PREFIX, service_key};
pub use table::{HandlerSettings, Place, SETTINGS, Setting, custom, form, validate};
pub use values::{TlsVerify, UnknownAddons};
