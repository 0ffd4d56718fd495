//! BILLmanager itself: its database, its key, its answers.

use crate::admin::finding::{Finding, Section};
use crate::config::Config;
use crate::panel::{Panel, Way};

/// What was found there.
pub(super) fn section(config: &Config, panel: &Panel) -> Section {
    Section {
        about: "BILLmanager".to_owned(),
        handler: None,
        findings: vec![database(panel), key(panel), answers(config, panel)],
    }
}

fn database(panel: &Panel) -> Finding {
    let reached = panel.database().and_then(|kind| Ok((kind, panel.database_way()?)));
    match reached {
        Ok((kind, Way::Local)) => Finding::ok("database", kind),
        Ok((kind, Way::Encrypted { host, by })) => {
            Finding::ok("database", format!("{kind} on {host}, over TLS; its certificate is checked by {by}"))
        }
        Ok((kind, Way::Plain { host, chosen: true })) => {
            Finding::note("database", format!("{kind} on {host}, not encrypted, as Pmvmmanager6DBTLS says"))
        }
        Ok((kind, Way::Plain { host, .. })) => Finding::warning(
            "database",
            format!("{kind} on {host}, not encrypted: who is on the way can read it, and change it"),
            "write Pmvmmanager6DBTLS with the way to check the server's certificate in etc/billmgr.conf.d, or `off` for a \
             network that is yours alone",
        ),
        Err(error) => Finding::failed("database", &error, "look at the options DB… in etc/billmgr.conf.d"),
    }
}

fn key(panel: &Panel) -> Finding {
    match panel.installation() {
        Ok(name) => Finding::ok("key", format!("can be read; VMs of this installation are marked billmgr:{name}:…")),
        Err(error) => Finding::failed("key", &error, "restore etc/billmgr.pem"),
    }
}

fn answers(config: &Config, panel: &Panel) -> Finding {
    let program = config.mgrctl();
    match panel.ping() {
        Ok(()) => Finding::ok("mgrctl", format!("{} runs, BILLmanager answers", program.display())),
        Err(error) if !program.exists() => Finding::failed("mgrctl", &error, "install BILLmanager's package again"),
        Err(error) => Finding::failed("mgrctl", &error, "start BILLmanager, or wait until it has restarted"),
    }
}
