//! Which VMmanager is it? A handler's address is not proof: addresses change, and another VMmanager may answer there.
//!
//! A platform is recognised by the VMs that we recorded on it, by id, creation date and owner, else by its clusters. Two
//! platforms may each make a VM of one id in one second: a VM that the journal knows on two of them tells nothing, and
//! for a platform to be seen at another address than before none of its VMs may be another one there. The answer is
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
            return self.arrived(moved, None, hosts);
        }
        self.require_administrator()?;
        let clusters = self.clusters()?;
        if let Some(moved) = self.find_by_clusters(&clusters, hosts)? {
            return self.arrived(moved, None, hosts);
        }
        self.meet(None, &clusters)
    }

    fn meet(&self, before: Option<PlatformId>, clusters: &[(ClusterId, String)]) -> Result<PlatformId> {
        let address = self.vmm.base();
        let met = self.journal.meet(&address, before, clusters)?;
        log::info!("VMmanager at {address} is platform {met}");
        Ok(met)
    }

    /// Staff say that this VMmanager is right at its address: it is the platform that they name, else one that was never
    /// met. What recorded VMs show is believed all the same.
    pub(crate) fn confirm(&self, named: Option<PlatformId>) -> Result<PlatformId> {
        self.require_administrator()?;
        let Some(named) = named else {
            return match self.recognise(None) {
                Err(error) if error.kind == Kind::Vm6Platform => {
                    self.meet(self.journal.platform_at(&self.vmm.base())?, &self.clusters()?)
                }
                recognised => recognised,
            };
        };
        if !self.journal.platforms()?.iter().any(|known| known.id == named) {
            return Err(unknown(named));
        }
        if let Some(shown) = self.find_known(Some(named), None)? {
            return Err(self.is_another(named, shown));
        }
        if self.look_at(&self.journal.telling_vms(named, SAMPLE)?, None)? == Seen::Other {
            return Err(self.contradiction(named, Seen::Other));
        }
        self.journal.note_platform(named, &self.vmm.base(), &self.clusters()?)?;
        Ok(named)
    }

    /// The platform that was last seen at this address, if it still is the one.
    fn recognise_again(&self, known: PlatformId, hosts: Option<&[Glimpse]>) -> Result<PlatformId> {
        let seen = self.look_at(&self.journal.telling_vms(known, SAMPLE)?, hosts)?;
        if seen == Seen::Same {
            return Ok(known);
        }
        // Who may not see VMs sees none.
        self.require_administrator()?;
        if let Some(moved) = self.find_known(Some(known), hosts)? {
            return self.arrived(moved, Some(known), hosts);
        }
        let clusters = self.clusters()?;
        if seen != Seen::Other && self.has_clusters(known, &clusters)? {
            return Ok(known);
        }
        Err(self.contradiction(known, seen))
    }

    /// The VMs of a platform were seen at this address; the platform that is here. If VMs of the one that was known here are
    /// here too, both are one VMmanager: it was first met at two addresses.
    pub(crate) fn arrived(
        &self,
        own: PlatformId,
        known: Option<PlatformId>,
        hosts: Option<&[Glimpse]>,
    ) -> Result<PlatformId> {
        let address = self.vmm.base();
        let Some(known) = known else {
            log::warn!("VMmanager platform {own} is at {address} now");
            return self.journal.note_platform(own, &address, &[]).map(|()| own);
        };
        let recorded = self.journal.telling_vms(known, SAMPLE)?;
        if self.are_here(&recorded, hosts)? {
            log::warn!("VMmanager platforms {known} and {own} are one: {address} shows the VMs of both");
            return self.journal.merge_platform(known, own).map(|()| own);
        }
        if recorded.is_empty() {
            // It cannot show a VM, but it can show its clusters.
            let clusters = self.clusters()?;
            if self.has_clusters(known, &clusters)? && !self.has_clusters(own, &clusters)? {
                return Ok(known);
            }
        }
        log::warn!("VMmanager platform {own} is at {address} now, where platform {known} was");
        self.journal.note_platform(own, &address, &[]).map(|()| own)
    }

    /// A platform whose recorded VMs are here.
    fn find_known(&self, except: Option<PlatformId>, hosts: Option<&[Glimpse]>) -> Result<Option<PlatformId>> {
        let others = self.journal.platforms()?.into_iter().map(|Platform { id, .. }| id);
        for id in others.filter(|id| Some(*id) != except) {
            if self.are_here(&self.journal.telling_vms(id, SAMPLE)?, hosts)? {
                return Ok(Some(id));
            }
        }
        Ok(None)
    }

    /// The one platform whose clusters are here, with VMs that others might have too.
    fn find_by_clusters(
        &self,
        clusters: &[(ClusterId, String)],
        hosts: Option<&[Glimpse]>,
    ) -> Result<Option<PlatformId>> {
        let mut found = Vec::new();
        for Platform { id, clusters: known, .. } in self.journal.platforms()? {
            let mut recorded = self.journal.recorded_vms(id)?;
            recorded.truncate(SAMPLE);
            if known.iter().any(|cluster| clusters.contains(cluster)) && self.are_here(&recorded, hosts)? {
                found.push(id);
            }
        }
        Ok(found.pop().filter(|_| found.is_empty()))
    }

    /// The first VM that is here decides.
    fn look_at(&self, recorded: &[RecordedVm], hosts: Option<&[Glimpse]>) -> Result<Seen> {
        let mut seen = if recorded.is_empty() { Seen::NoRecord } else { Seen::Nothing };
        for record in recorded {
            match self.look_at_one(record, hosts)? {
                Seen::Same => return Ok(Seen::Same),
                Seen::Other => seen = Seen::Other,
                Seen::Nothing | Seen::NoRecord => {}
            }
        }
        Ok(seen)
    }

    /// Whether one of them is here, and no other VM has the id of one.
    fn are_here(&self, recorded: &[RecordedVm], hosts: Option<&[Glimpse]>) -> Result<bool> {
        let seen = recorded.iter().map(|record| self.look_at_one(record, hosts)).collect::<Result<Vec<_>>>()?;
        Ok(seen.contains(&Seen::Same) && !seen.contains(&Seen::Other))
    }

    fn look_at_one(&self, record: &RecordedVm, hosts: Option<&[Glimpse]>) -> Result<Seen> {
        let shown = match hosts {
            Some(hosts) => hosts.iter().find(|host| host.id == record.vm).cloned(),
            None => self.vmm.host(record.vm)?.map(|host| Glimpse::from(&host)),
        };
        Ok(match shown {
            Some(host) if is_recorded(&host, record) => Seen::Same,
            // A date that cannot be read says nothing.
            Some(host) if host.create_date != record.created && !host.create_date.is_empty() => Seen::Other,
            _ => Seen::Nothing,
        })
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

/// The VM is the recorded one, and nothing shows another owner.
pub(crate) fn is_recorded(host: &Glimpse, record: &RecordedVm) -> bool {
    let owners = record.account.zip(host.account.as_ref());
    (host.id, &host.create_date) == (record.vm, &record.created)
        && owners.is_none_or(|(recorded, owner)| recorded == owner.id)
}

/// The error for a number that no platform has.
pub(crate) fn unknown(platform: PlatformId) -> Error {
    let text = format!("there is no platform {platform}");
    Error::new(Kind::BadArgument, "platform", text).cure("to see which there are, run: pmvmmanager6 platform")
}
