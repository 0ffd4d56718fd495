//! Proof that a VM is the service's, demanded before anything that changes it: the facts are gathered here and judged in
//! `evidence.rs`. Also the mark, which is written again where the journal proves a VM that has lost it.

use super::assignment::Job;
use super::evidence::{Facts, Refusal};
use super::facts::{Background, is_of_earlier};
use crate::error::{Error, Kind, Result};
use crate::id::PlatformId;
use crate::journal::{Record, Subject};
use crate::log;
use crate::service::platform::recognise::{Site, is_recorded};
use crate::vmm::{Failure, Glimpse, Host};

impl Job<'_> {
    /// The platform at the handler's address.
    pub fn platform(&self) -> Result<PlatformId> {
        self.platform_among(None)
    }

    /// The same, with the list of all VMs where it was read already.
    fn platform_among(&self, hosts: Option<&[Glimpse]>) -> Result<PlatformId> {
        if let Some(platform) = self.platform.get() {
            return Ok(*platform);
        }
        let platform = self.site().recognise(hosts)?;
        Ok(*self.platform.get_or_init(|| platform))
    }

    fn site(&self) -> Site<'_> {
        Site { handler: self.handler.id, vmm: &self.vmm, journal: &self.journal }
    }

    /// That a list lacks the service's VM means something only on its own platform, and only to an administrator.
    pub(super) fn confirm_absence(&self, hosts: &[Glimpse]) -> Result<()> {
        let platform = self.platform_among(Some(hosts))?;
        if let Some(Record { platform: Some(own), .. }) = self.living_record()?
            && own != platform
        {
            return Err(self.elsewhere(own, platform));
        }
        self.site().require_administrator()
    }

    /// Everything that speaks for or against `host` being the service's.
    pub fn facts(&self, host: &Host) -> Result<Facts> {
        let record = self.journal.find(self.service.id)?;
        let platform = self.platform_of(record.as_ref().filter(|record| record.is_living()), host)?;
        let owner = host.account.as_ref().map(|account| account.id).unwrap_or_default();
        let others = self.journal.others_with_vm(platform, host.id, self.service.id)?;
        let background = Background {
            service: &self.service,
            marker: &self.marker,
            mark: &self.mark,
            record: record.as_ref(),
            platform,
            tie: self.journal.tie_of(platform, owner)?,
            is_claimed: self.is_claimed(host)?,
            is_others: !others.is_empty(),
            is_earlier: is_of_earlier(&self.service, record.as_ref()) && !self.is_named_now()?,
        };
        Ok(background.facts(host))
    }

    /// Whether BILLmanager names a VM since this run has begun.
    fn is_named_now(&self) -> Result<bool> {
        Ok(self.panel.params(self.service.id)?.get("panelid").is_some_and(|id| !id.is_empty()))
    }

    /// Refuses unless `host` is proved to be the service's; writes a missing mark, unless somebody only asks.
    pub fn prove(&self, host: &Host) -> Result<()> {
        if let Err(refusal) = self.facts(host)?.judge() {
            return Err(self.explain(host, refusal)?);
        }
        if !self.mark.is_in(&host.comment) && !self.asks_only {
            log::warn!(
                "service {}: the mark in the comment of VM {} is missing; it is written again",
                self.service.id,
                host.id
            );
            self.write_mark(host);
        }
        Ok(())
    }

    /// The platform of a VM: a recorded VM with its creation date is proof of it.
    fn platform_of(&self, record: Option<&Record>, host: &Host) -> Result<PlatformId> {
        let telling = self.journal.telling_vm(self.service.id)?.filter(|it| is_recorded(&host.into(), it));
        let Some(record) = record.filter(|_| telling.is_some()) else { return self.platform() };
        let address = self.vmm.base();
        let platform = match (record.platform, self.journal.platform_at(&address)?) {
            (Some(own), Some(known)) if own == known => own,
            (Some(own), known) => self.site().arrived(own, known, None)?,
            (None, Some(known)) => known,
            (None, None) => self.platform()?,
        };
        if record.platform.is_none() {
            self.journal.settle_platform(self.service.id, platform)?;
        }
        Ok(*self.platform.get_or_init(|| platform))
    }

    /// Whether the VM's owner is the client's account.
    pub(super) fn is_clients(&self, host: &Host) -> Result<bool> {
        Ok(self.facts(host)?.owner != super::evidence::Owner::Other)
    }

    /// Whether another live service names the VM on this platform.
    pub fn is_claimed(&self, host: &Host) -> Result<bool> {
        Ok(!self.claims(host)?.is_empty())
    }

    /// Adds the service's mark to the VM's comment; what the client wrote there stays. The mark is a help for later, and a
    /// client can make it impossible to write: that stops nothing.
    pub fn write_mark(&self, host: &Host) {
        match self.vmm.set_comment(host.id, &self.mark.added_to(&host.comment)) {
            Ok(()) => {}
            Err(Failure::Unknown(error) | Failure::Refused(error)) => {
                log::warn!("service {}: the mark of VM {} could not be written: {error}", self.service.id, host.id);
            }
        }
    }

    /// Whose row of the journal it is.
    pub fn subject<'a>(&self, platform: PlatformId, mark: &'a str) -> Subject<'a> {
        Subject { item: self.service.id, client: self.service.client.id, platform, mark }
    }

    /// Records that the VM is complete, whatever the journal knew of it; its owner is the client's account.
    pub fn journal_ready(&self, host: &Host) -> Result<()> {
        let (platform, mark) = (self.platform()?, self.mark.to_string());
        let account = host.account.as_ref().map(|account| account.id);
        self.journal.complete(self.subject(platform, &mark), account, host.id, &host.create_date)
    }

    fn explain(&self, host: &Host, refusal: Refusal) -> Result<Error> {
        if refusal == Refusal::Elsewhere
            && let Some(Record { platform: Some(own), .. }) = self.living_record()?
        {
            return Ok(self.elsewhere(own, self.platform()?));
        }
        let claims = self.claims(host)?;
        let claims: Vec<String> = claims.iter().map(ToString::to_string).collect();
        let why = match refusal {
            Refusal::Claimed => format!("service {} names it too", claims.join(", ")),
            other => other.text().to_owned(),
        };
        Ok(self.refusal(host, &why))
    }

    pub(crate) fn refusal(&self, host: &Host, why: &str) -> Error {
        let item = self.service.id;
        let owner = host.account.as_ref();
        let owner =
            owner.map_or_else(|| "nobody".to_owned(), |owner| format!("{} (account {})", owner.email, owner.id));
        let journal = match self.living_record() {
            Ok(Some(Record { vm: Some(vm), vm_created, client, .. })) => {
                format!("VM {vm} created {vm_created} for client {client}")
            }
            _ => "nothing".to_owned(),
        };
        let text = format!(
            "VM {} is not proved to be service {item}: {why}; expected owner {} and mark \"{}\"; found name \"{}\", owner \
             {owner}, comment \"{}\", created {}; our journal holds {journal}; nothing was changed",
            host.id, self.service.client.email, self.mark, host.name, host.comment, host.create_date
        );
        Error::new(Kind::Vm6Foreign, format!("VM {}", host.id), text)
            .cure(format!("if it is the right VM, run: pmvmmanager6 link --item {item}"))
    }

    fn elsewhere(&self, own: PlatformId, here: PlatformId) -> Error {
        let item = self.service.id;
        let text = format!(
            "service {item} lives on platform {own}, but handler {} ({}) leads to platform {here} at {}",
            self.handler.id,
            self.handler.name,
            self.vmm.base()
        );
        let cure = format!(
            "give service {item} a handler of platform {own} (to see which leads there, run: pmvmmanager6 platform), or, if \
             both are one VMmanager, run: pmvmmanager6 platform move --from {own} --to {here} --yes"
        );
        Error::new(Kind::Vm6Platform, format!("service {item}"), text).cure(cure)
    }
}
