//! One command on one handler: its VMmanager, and the right to work alone.
//!
//! Two runs of one command for one handler would do the same twice and report it twice; the second waits for the first.
//! Services are not locked by this: what changes one takes its ticket.

use std::cell::OnceCell;
use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::Result;
use crate::id::{HandlerId, PlatformId, ServiceId};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::log;
use crate::panel::{Handler, Panel};
use crate::service::job::mark::{Mark, Marker};
use crate::service::job::marker;
use crate::service::order::Placement;
use crate::service::platform::connection;
use crate::service::platform::recognise::Site;
use crate::settings::HandlerSettings;
use crate::state::named_lock;
use crate::vmm::{Client, Cluster, Glimpse};

/// Everything that a command on a handler needs.
pub(crate) struct HandlerJob<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    pub panel: &'a Panel,
    pub handler: Handler,
    /// What it has stored, parsed.
    pub settings: HandlerSettings,
    pub vmm: Client,
    /// What we asked for before.
    pub journal: Journal,
    /// Makes and knows our marks.
    pub marker: Marker,
    platform: OnceCell<PlatformId>,
    _alone: Lock,
}

impl<'a> HandlerJob<'a> {
    /// Waits for another run of `command` for the handler, then gathers what is needed; asks VMmanager nothing.
    pub(crate) fn new(config: &'a Config, panel: &'a Panel, handler: Handler, command: &str) -> Result<Self> {
        let alone = lock(config, handler.id, command)?;
        let vmm = connection::client(config, &handler)?;
        let settings = HandlerSettings::read(&handler.params);
        let journal = Journal::open(config)?;
        let marker = marker(panel, &journal)?;
        let platform = OnceCell::new();
        Ok(HandlerJob { config, panel, handler, settings, vmm, journal, marker, platform, _alone: alone })
    }

    /// The handler's cluster; `cluster_not_found` when VMmanager has no such cluster.
    pub(crate) fn cluster(&self) -> Result<Cluster> {
        connection::cluster(&self.vmm, Placement::read(&self.settings, &BTreeMap::new())?.cluster)
    }

    /// The platform at the handler's address; `hosts` is the list of all VMs where it was read already. What VMmanager
    /// shows to somebody without rights is not the truth, so we must be an administrator.
    pub(crate) fn platform(&self, hosts: Option<&[Glimpse]>) -> Result<PlatformId> {
        if let Some(platform) = self.platform.get() {
            return Ok(*platform);
        }
        let site = Site { handler: self.handler.id, vmm: &self.vmm, journal: &self.journal };
        let platform = site.recognise(hosts)?;
        site.require_administrator()?;
        Ok(*self.platform.get_or_init(|| platform))
    }

    /// The mark of a service's VM.
    pub(crate) fn mark(&self, item: ServiceId) -> Mark {
        self.marker.mark(item)
    }

    /// Whether a VM is a service's by the journal, else by its mark. Its owner is not asked for: enough to read from it,
    /// not to change it.
    pub(crate) fn is_of(&self, host: &Glimpse, item: ServiceId) -> Result<bool> {
        let platform = self.platform(None)?;
        Ok(match self.journal.find(item)?.filter(|record| record.is_living() && record.vm.is_some()) {
            Some(record) => {
                let is_here = record.platform.is_none_or(|own| own == platform);
                is_here && record.is_vm(host.id, &host.create_date)
            }
            None => self.mark(item).is_in(&host.comment),
        })
    }
}

fn lock(config: &Config, handler: HandlerId, command: &str) -> Result<Lock> {
    let mut waits = || log::info!("handler {handler}: another {command} runs; waiting for its end");
    named_lock(&config.runtime_dir(), "handler", &format!("{handler}-{command}"), &mut waits)
}
