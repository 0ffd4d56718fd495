//! The table of panel commands. A new command is one file here and one line in [`TABLE`]; what it needs around it
//! (the service's lock, the queue, the guard of a test installation) is said in the line, not in the file.

mod addip;
mod changepassword;
mod check_addon;
mod check_connection;
mod check_param;
mod close;
mod context;
mod delip;
pub(crate) mod features;
mod form;
mod get_server_config;
mod get_suitable_module;
mod hardreboot;
mod import;
mod invocation;
mod open;
mod pricelist_dynamic_settings_tune;
mod reboot;
mod reopen;
mod resume;
mod run;
mod setparam;
mod start;
mod stat;
mod stop;
mod suspend;
mod sync_item;
mod sync_server;
mod table;
mod transition_controlpanel;
mod tune_connection;
mod tuning_param;
mod work;

pub(crate) use context::Context;
pub(crate) use invocation::Invocation;
pub(crate) use table::{TABLE, find};
pub(crate) use work::{Command, Work};
