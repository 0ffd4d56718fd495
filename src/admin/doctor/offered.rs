//! OS templates that clients can order through a handler, and whether VMmanager can install them.

use crate::admin::finding::Finding;
use crate::error::Result;
use crate::id::{ClusterId, HandlerId};
use crate::panel::Panel;
use crate::service::handler::lists;
use crate::service::platform::catalogue::{os_among, os_title};
use crate::vmm::{Client, Os};

/// What the check is called.
pub(super) const CHECK: &str = "OS templates";

/// One finding for each name that is in the way, or one that says that none is.
pub(super) fn examine(panel: &Panel, vmm: &Client, handler: HandlerId, cluster: ClusterId) -> Result<Vec<Finding>> {
    let all = vmm.os_list()?;
    let offered: Vec<String> = panel.offered(handler, "ostempl")?.into_iter().map(|offered| offered.value).collect();
    let used = panel.used(handler, "ostempl")?;
    let mut findings: Vec<Finding> = offered.iter().filter_map(|name| of_offered(&all, name, cluster)).collect();
    findings.extend(lists::alike(offered.iter()).into_iter().map(|names| mistaken(&names)));
    let only_used = used.iter().filter(|name| !offered.contains(name));
    findings.extend(only_used.filter_map(|name| of_used(&all, name, cluster)));
    if offered.is_empty() {
        let text = "none is offered: BILLmanager runs sync_server for a handler to fill the parameter \"OS template\"";
        findings.push(Finding::note(CHECK, text));
    } else if findings.is_empty() {
        let text = format!("{} offered, {} in use: VMmanager has all of them", offered.len(), used.len());
        findings.push(Finding::ok(CHECK, text));
    }
    Ok(findings)
}

fn of_offered(all: &[Os], name: &str, cluster: ClusterId) -> Option<Finding> {
    match os_among(all, name, cluster) {
        Ok(os) if os_title(os) == name => None,
        Ok(os) => {
            let text = format!("\"{name}\" is taken for VMmanager's \"{}\"", os_title(os));
            Some(Finding::warning(CHECK, text, "run sync_server for the handler: it offers the exact name"))
        }
        Err(error) => Some(Finding::failed(CHECK, &error, "run sync_server for the handler")),
    }
}

/// Nobody can order it any more, but a service that has it cannot be installed again.
fn of_used(all: &[Os], name: &str, cluster: ClusterId) -> Option<Finding> {
    let error = os_among(all, name, cluster).err()?;
    let text = format!("services have an OS that cannot be installed again: {}", error.message());
    let cure = "before \"reinstall\" or \"reopen\" of such a service choose another OS for it";
    Some(Finding::warning(CHECK, text, cure))
}

fn mistaken(names: &[&str]) -> Finding {
    let text = format!("\"{}\" differ by hyphens or letter case only", names.join("\", \""));
    Finding::warning(CHECK, text, "rename all but one of them in VMmanager")
}
