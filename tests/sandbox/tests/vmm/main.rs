//! The simulated `VMmanager` over real sockets: what it accepts, what it refuses, what goes wrong when ordered.

mod access;
mod addresses;
mod changes;
mod client;
mod creation;
mod events;
mod faults;
mod hostile;
mod invariants;
mod lists;
mod platforms;
mod roles;
mod schedules;
mod ssh_keys;
mod tasks;
mod transport;
mod variants;
