//! Every panel command, one line each.

use super::work::{Command, Work};
use super::{
    addip, changepassword, check_addon, check_connection, check_param, close, delip, features, get_server_config,
    get_suitable_module, hardreboot, import, open, pricelist_dynamic_settings_tune, reboot, reopen, resume, setparam,
    start, stat, stop, suspend, sync_item, sync_server, transition_controlpanel, tune_connection, tuning_param,
};
use crate::error::{Error, Kind, Result};

/// Every command.
///
/// `prolong` and `cancel_prolong` are left out on purpose: nothing happens in VMmanager when a service is paid for
/// another month, BILLmanager extends it by itself as long as the feature is not declared, and declaring it would make
/// every payment wait for a process of ours [protocol 3.10, 7.22].
pub(crate) const TABLE: &[Command] = &[
    Command { name: "features", feature: false, work: Work::Constant(features::answer) },
    Command { name: "check_connection", feature: true, work: Work::Form(check_connection::answer) },
    Command { name: "open", feature: true, work: Work::Service(open::run) },
    Command { name: "reopen", feature: true, work: Work::Service(reopen::run) },
    Command { name: "suspend", feature: true, work: Work::Service(suspend::run) },
    Command { name: "resume", feature: true, work: Work::Service(resume::run) },
    Command { name: "close", feature: true, work: Work::Service(close::run) },
    Command { name: "setparam", feature: true, work: Work::Service(setparam::run) },
    Command { name: "start", feature: true, work: Work::Button(start::run) },
    Command { name: "stop", feature: true, work: Work::Button(stop::run) },
    Command { name: "reboot", feature: true, work: Work::Button(reboot::run) },
    Command { name: "hardreboot", feature: true, work: Work::Button(hardreboot::run) },
    Command { name: "changepassword", feature: true, work: Work::Button(changepassword::run) },
    Command { name: "addip", feature: true, work: Work::Service(addip::run) },
    Command { name: "delip", feature: true, work: Work::Service(delip::run) },
    Command { name: "sync_item", feature: true, work: Work::Service(sync_item::run) },
    Command { name: "transition_controlpanel", feature: true, work: Work::Look(transition_controlpanel::answer) },
    Command { name: "tuning_param", feature: true, work: Work::Form(tuning_param::answer) },
    Command { name: "tune_connection", feature: true, work: Work::Form(tune_connection::answer) },
    Command {
        name: "pricelist_dynamic_settings_tune",
        feature: true,
        work: Work::Form(pricelist_dynamic_settings_tune::answer),
    },
    Command { name: "get_server_config", feature: true, work: Work::Handler(get_server_config::run) },
    Command { name: "sync_server", feature: true, work: Work::Handler(sync_server::run) },
    Command { name: "stat", feature: true, work: Work::Handler(stat::run) },
    Command { name: "import", feature: true, work: Work::Handler(import::run) },
    Command { name: "get_suitable_module", feature: true, work: Work::Form(get_suitable_module::answer) },
    Command { name: "check_param", feature: true, work: Work::Question(check_param::answer) },
    Command { name: "check_addon", feature: true, work: Work::Question(check_addon::answer) },
];

/// Finds a command; spelling differences that BILLmanager versions may have are accepted [protocol 7.2].
pub(crate) fn find(name: &str) -> Result<&'static Command> {
    if name.is_empty() {
        return Err(Error::new(Kind::BadArgument, "command", "--command needs the name of a command"));
    }
    let plain = |name: &str| name.to_lowercase().replace(['_', '-'], "");
    TABLE.iter().find(|command| plain(command.name) == plain(name)).ok_or_else(|| {
        let text = format!("the command \"{name}\" is not supported by this module");
        Error::new(Kind::NotSupported, name, text)
    })
}
