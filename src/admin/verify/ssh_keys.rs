//! Whether requests put SSH keys of the owner's account into a VM [api B11].

use super::answers::described;
use super::seen::Seen;
use super::site::Site;
use crate::error::Result;

pub(super) fn at_creation(site: &Site) -> Result<Seen> {
    ssh_keys(site, "/host")
}

pub(super) fn at_reinstall(site: &Site) -> Result<Seen> {
    ssh_keys(site, "/host/{}/reinstall")
}

/// Texts in their place may be anything: only numbers are the ids that accounts' keys have.
fn ssh_keys(site: &Site, path: &str) -> Result<Seen> {
    let is_of_ids = site.description()?.and_then(|known| known.is_list_of_numbers("POST", path, "ssh_keys"));
    described(site, path, |_| match is_of_ids {
        Some(true) => Seen::yes("ssh_keys, a list of ids").proving(true),
        Some(false) => Seen::yes("ssh_keys, but no list of ids").proving(false),
        None => Seen::yes("not documented").proving(false),
    })
}
