//! Which VMmanager is it? A handler's address is not proof: addresses change, and another VMmanager may answer there.
//!
//! A platform is recognised by the VMs that we recorded on it, by id and creation date, else by its clusters. The answer is
//! one of: the platform that was last seen at this address; another one that we know, which has moved here (recorded and
//! logged); one that we never met; or a contradiction, which is an error until staff say what is right.

use crate::error::{Error, Kind, Result};
use crate::id::{ClusterId, HandlerId, PlatformId};
use crate::journal::{Journal, Platform, RecordedVm};
use crate::log;
use crate::vmm::{Client, Glimpse};

/// Recorded VMs that are looked at before a platform counts as another one: some may have been deleted by hand.
const SAMPLE: usize = 5;

/// A VMmanager and what we know of such.
pub(crate) struct Site<'a> {
    /// The handler that leads to it.
    pub handler: HandlerId,
    /// The VMmanager that answers at the handler's address.
    pub vmm: &'a Client,
    /// What we recorded.
    pub journal: &'a Journal,
}

/// What a sample of recorded VMs shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    /// One of them is here.
    Same,
    /// Their ids are other VMs here: VMmanager never gives an id again.
    Other,
    /// None of them is here.
    Nothing,
    /// There is nothing to look at.
    NoRecord,
}

impl Site<'_> {
    /// The platform at this address. `hosts` is the list of all VMs where it was read already; else one recorded VM is read
    /// where all is as before.
    pub(crate) fn recognise(&self, hosts: Option<&[Glimpse]>) -> Result<PlatformId> {
        let address = self.vmm.base();
        if let Some(known) = self.journal.platform_at(&address)? {
            return self.recognise_again(known, hosts);
        }
        if let Some(moved) = self.find_known(None, hosts)? {
            self.arrived(moved, None, hosts)?;
            return Ok(moved);
        }
        self.require_administrator()?;
        self.meet(None)
    }

    fn meet(&self, before: Option<PlatformId>) -> Result<PlatformId> {
        let address = self.vmm.base();
        let met = self.journal.meet(&address, before, &self.clusters()?)?;
        log::info!("VMmanager at {address} is platform {met}");
        Ok(met)
    }

    /// Staff say that this VMmanager is right at its address: it is the platform that they name, else one that was never
    /// met. What recorded VMs show is believed all the same.
    pub(crate) fn confirm(&self, named: Option<PlatformId>) -> Result<PlatformId> {
        self.require_administrator()?;
        let Some(named) = named else {
            return match self.recognise(None) {
                Err(error) if error.kind == Kind::Vm6Platform => self.meet(self.journal.platform_at(&self.vmm.base())?),
                recognised => recognised,
            };
        };
        if !self.journal.platforms()?.iter().any(|known| known.id == named) {
            return Err(unknown(named));
        }
        if let Some(shown) = self.find_known(Some(named), None)? {
            return Err(self.is_another(named, shown));
        }
        if self.look_at(&self.journal.recorded_vms(Some(named), SAMPLE)?, None)? == Seen::Other {
            return Err(self.contradiction(named, Seen::Other));
        }
        self.journal.note_platform(named, &self.vmm.base(), &self.clusters()?)?;
        Ok(named)
    }

    /// The platform that was last seen at this address, if it still is the one.
    fn recognise_again(&self, known: PlatformId, hosts: Option<&[Glimpse]>) -> Result<PlatformId> {
        let seen = self.look_at(&self.journal.recorded_vms(Some(known), SAMPLE)?, hosts)?;
        if seen == Seen::Same {
            return Ok(known);
        }
        // Who may not see VMs sees none.
        self.require_administrator()?;
        if let Some(moved) = self.find_known(Some(known), hosts)? {
            self.arrived(moved, Some(known), hosts)?;
            return Ok(moved);
        }
        let clusters = self.clusters()?;
        if seen != Seen::Other && self.has_clusters(known, &clusters)? {
            return Ok(known);
        }
        Err(self.contradiction(known, seen))
    }

    /// A platform was recognised at this address. If VMs of the one that was known here are here too, both are one
    /// VMmanager: it was first met at two addresses.
    pub(crate) fn arrived(&self, own: PlatformId, known: Option<PlatformId>, hosts: Option<&[Glimpse]>) -> Result<()> {
        let address = self.vmm.base();
        let Some(known) = known else {
            log::warn!("VMmanager platform {own} is at {address} now");
            return self.journal.note_platform(own, &address, &[]);
        };
        let seen = self.look_at(&self.journal.recorded_vms(Some(known), SAMPLE)?, hosts)?;
        if matches!(seen, Seen::Same | Seen::NoRecord) {
            log::warn!("VMmanager platforms {known} and {own} are one: {address} shows the VMs of both");
            return self.journal.merge_platform(known, own);
        }
        log::warn!("VMmanager platform {own} is at {address} now, where platform {known} was");
        self.journal.note_platform(own, &address, &[])
    }

    /// A platform whose recorded VMs are here.
    fn find_known(&self, except: Option<PlatformId>, hosts: Option<&[Glimpse]>) -> Result<Option<PlatformId>> {
        let others = self.journal.platforms()?.into_iter().map(|Platform { id, .. }| id);
        for id in others.filter(|id| Some(*id) != except) {
            if self.look_at(&self.journal.recorded_vms(Some(id), SAMPLE)?, hosts)? == Seen::Same {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    fn look_at(&self, recorded: &[RecordedVm], hosts: Option<&[Glimpse]>) -> Result<Seen> {
        let mut seen = if recorded.is_empty() { Seen::NoRecord } else { Seen::Nothing };
        for record in recorded {
            let created = match hosts {
                Some(hosts) => hosts.iter().find(|host| host.id == record.vm).map(|host| host.create_date.clone()),
                None => self.vmm.host(record.vm)?.map(|host| host.create_date),
            };
            match created.as_deref() {
                Some(created) if created == record.created => return Ok(Seen::Same),
                // A date that cannot be read says nothing.
                Some("") | None => {}
                Some(_) => seen = Seen::Other,
            }
        }
        Ok(seen)
    }

    /// What VMmanager shows to somebody without rights is not the truth.
    pub(crate) fn require_administrator(&self) -> Result<()> {
        if self.vmm.is_administrator()? {
            return Ok(());
        }
        let user = self.vmm.username();
        let text = format!(
            "{user} is no longer an administrator of VMmanager at {}: what it is shown is not all",
            self.vmm.base()
        );
        Err(Error::new(Kind::Vm6Permission, user, text)
            .cure("give the account the role Administrator (@admin) in VMmanager"))
    }

    fn clusters(&self) -> Result<Vec<(ClusterId, String)>> {
        Ok(self.vmm.clusters()?.into_iter().map(|cluster| (cluster.id, cluster.name)).collect())
    }

    /// Whether one of the platform's clusters is here; a platform of which we know none may be any.
    fn has_clusters(&self, platform: PlatformId, shown: &[(ClusterId, String)]) -> Result<bool> {
        let known = self.journal.clusters_of(platform)?;
        Ok(known.is_empty() || known.iter().any(|cluster| shown.contains(cluster)))
    }

    fn is_another(&self, named: PlatformId, shown: PlatformId) -> Error {
        let address = self.vmm.base();
        let text = format!("the VMmanager at {address} is not platform {named}: it shows VMs of platform {shown}");
        let cure =
            format!("if both are one VMmanager, run: pmvmmanager6 platform move --from {shown} --to {named} --yes");
        Error::new(Kind::Vm6Platform, address, text).cure(cure)
    }

    fn contradiction(&self, known: PlatformId, seen: Seen) -> Error {
        let (address, handler) = (self.vmm.base(), self.handler);
        let why = if seen == Seen::Other {
            "the VMs that were recorded there are other VMs here"
        } else {
            "neither the recorded VMs nor the clusters are here"
        };
        let text = format!("the VMmanager at {address} is not platform {known}: {why}");
        let cure = format!(
            "correct the address in handler {handler}, or, if this VMmanager is right, run: pmvmmanager6 platform confirm \
             --module {handler} --yes"
        );
        Error::new(Kind::Vm6Platform, address, text).cure(cure)
    }
}

/// The error for a number that no platform has.
pub(crate) fn unknown(platform: PlatformId) -> Error {
    let text = format!("there is no platform {platform}");
    Error::new(Kind::BadArgument, "platform", text).cure("to see which there are, run: pmvmmanager6 platform")
}
