//! The integration tests: the real binary in a sandbox, judged from the outside, one file a topic.

mod support;

mod admin_audit;
mod bad_input;
mod check_connection;
mod compat;
mod failure_protocol;
mod features;
mod kill;
mod layout;
mod life_access;
mod life_addresses;
mod life_identity;
mod life_power;
mod life_setparam;
mod life_sync;
mod main_job;
mod misfortune;
mod parallel;
mod queue_crash;
mod queue_order;
mod queue_orders;
mod queue_pause;
mod queue_state;
mod readme;
mod secrets;
mod session;
mod setup_choice;
mod setup_forms;
mod setup_import;
mod setup_lists;
mod setup_open;
mod setup_overage;
mod setup_stat;
mod xml_files;
