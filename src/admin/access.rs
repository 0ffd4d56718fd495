//! Who may run operator commands.

use std::os::unix::fs::MetadataExt;

use crate::config::Config;
use crate::error::{Error, Kind, Result};

/// Only the owner of the installation may continue: everybody else would read of missing files where permissions are
/// missing.
pub(crate) fn admit(config: &Config) -> Result<()> {
    let root = config.root.display().to_string();
    let owner = std::fs::metadata(&config.root).map(|found| found.uid()).map_err(|error| {
        Error::new(Kind::State, root.as_str(), format!("there is no BILLmanager in {root}: {error}"))
            .cure("PMVMMANAGER6_ROOT names another place")
    })?;
    let user = rustix::process::geteuid();
    if user.is_root() || user.as_raw() == owner {
        return Ok(());
    }
    let text = format!("{root} belongs to user {owner}, this is user {}", user.as_raw());
    Err(Error::new(Kind::State, root, text).cure("run it as root, for example with sudo"))
}

/// Nothing may be changed in a copy of an installation.
pub(crate) fn refuse_copy(config: &Config, command: &str) -> Result<()> {
    if !config.do_nothing() {
        return Ok(());
    }
    let text = "etc/billmgr.DoNothing exists: this is a copied or test installation, nothing may be changed";
    Err(Error::new(Kind::NotSupported, command, text))
}
