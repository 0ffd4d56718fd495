//! Which other services name a VM: those of any handler and any module, since a VM that a live service names must not be
//! deleted by another one. Ids mean nothing outside their platform, so the other handler's address counts, and where that is
//! not known, the address of the VM that the service shows.

use super::assignment::Job;
use crate::error::Result;
use crate::id::{PlatformId, ServiceId};
use crate::journal::Journal;
use crate::panel::Naming;
use crate::vmm::{Endpoint, Host};

impl Job<'_> {
    /// Other live services that name the VM.
    pub fn claims(&self, host: &Host) -> Result<Vec<ServiceId>> {
        let namings = self.panel.services_naming(host.id)?;
        others_naming(&self.journal, self.platform.get().copied(), &self.vmm.base(), &namings, self.service.id, host)
    }
}

/// The services but `item` that mean this VM.
pub(crate) fn others_naming(
    journal: &Journal,
    platform: Option<PlatformId>,
    address: &str,
    namings: &[Naming],
    item: ServiceId,
    host: &Host,
) -> Result<Vec<ServiceId>> {
    let mut found = Vec::new();
    for naming in namings.iter().filter(|naming| naming.item != item) {
        if means_vm(journal, platform, address, naming, host)? {
            found.push(naming.item);
        }
    }
    Ok(found)
}

/// Whether a service means this VM and not one with the same id elsewhere. Certain only by platform; where nobody knows,
/// it does.
pub(crate) fn means_vm(
    journal: &Journal,
    platform: Option<PlatformId>,
    address: &str,
    naming: &Naming,
    host: &Host,
) -> Result<bool> {
    let here = match platform {
        Some(platform) => Some(platform),
        None => journal.platform_at(address)?,
    };
    // What the journal knows of it beats what BILLmanager says.
    if let Some(record) = journal.find(naming.item)?.filter(|record| record.is_living() && record.vm.is_some())
        && let (Some(its), Some(here)) = (record.platform, here)
    {
        return Ok(its == here && record.vm == Some(host.id));
    }
    let its_address = Endpoint::parse(&naming.url).map(|address| address.origin).unwrap_or_default();
    if its_address == address {
        return Ok(true);
    }
    match (journal.platform_at(&its_address)?, here) {
        (Some(its), Some(here)) => Ok(its == here),
        _ => Ok(naming.ip.is_empty() || host.has_address(&naming.ip)),
    }
}
