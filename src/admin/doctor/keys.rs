//! SSH keys that clients have ordered, and whether the handler's VMmanager is proved to put keys into VMs.

use crate::admin::finding::Finding;
use crate::config::Config;
use crate::error::Result;
use crate::id::HandlerId;
use crate::journal::{Journal, Proof};
use crate::panel::Panel;
use crate::service::order::ssh_key::PARAM;
use crate::vmm::Client;

/// What the check is called.
pub(super) const CHECK: &str = "SSH keys";

/// Nothing when no service of the handler has one.
pub(super) fn examine(config: &Config, panel: &Panel, vmm: &Client, handler: HandlerId) -> Result<Option<Finding>> {
    let services = panel.services_with_secret(handler, PARAM)?;
    if services == 0 {
        return Ok(None);
    }
    let ordered = format!("ordered for {services} of the handler's services");
    if is_proved(config, vmm)? {
        return Ok(Some(Finding::ok(CHECK, format!("{ordered}; VMmanager puts them into new VMs"))));
    }
    let text = format!(
        "{ordered}; this VMmanager is not proved to put keys into VMs, so clients find theirs in their VMmanager accounts only"
    );
    let cure = format!(
        "run \"pmvmmanager6 verify --module {handler}\"; if it finds no field for keys, take ssh_key out of the orders' parameters"
    );
    Ok(Some(Finding::warning(CHECK, text, cure)))
}

fn is_proved(config: &Config, vmm: &Client) -> Result<bool> {
    let Some(journal) = Journal::existing(config)? else { return Ok(false) };
    let platform = journal.platform_at(&vmm.base())?;
    platform.map_or(Ok(false), |platform| journal.has_proved(platform, Proof::SshKeysAtCreation))
}
