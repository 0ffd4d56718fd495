//! One command on one handler: its VMmanager, and the right to work alone.
//!
//! Two runs of one command for one handler would do the same twice and report it twice; the second waits for the first.
//! Services are not locked by this: what changes one takes its ticket.

use std::collections::BTreeMap;

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::{HandlerId, ServiceId};
use crate::journal::Journal;
use crate::lock::Lock;
use crate::log;
use crate::panel::{Handler, Panel};
use crate::service::job::identity::Mark;
use crate::service::order::Placement;
use crate::service::platform::connection;
use crate::settings::HandlerSettings;
use crate::state::prepare_directory;
use crate::vmm::{Client, Cluster, Host};

/// Everything that a command on a handler needs.
pub struct HandlerJob<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    /// BILLmanager.
    pub panel: &'a Panel,
    /// The handler.
    pub handler: Handler,
    /// What it has stored, parsed.
    pub settings: HandlerSettings,
    /// Its VMmanager.
    pub vmm: Client,
    /// What we asked for before.
    pub journal: Journal,
    /// Our name in marks.
    pub installation: String,
    _alone: Lock,
}

impl<'a> HandlerJob<'a> {
    /// Waits for another run of `command` for the handler, then gathers what is needed; asks VMmanager nothing.
    pub fn new(config: &'a Config, panel: &'a Panel, handler: Handler, command: &str) -> Result<Self> {
        let alone = lock(config, handler.id, command)?;
        let vmm = connection::client(config, &handler)?;
        let settings = HandlerSettings::read(&handler.params);
        let journal = Journal::open(config)?;
        let installation = journal.installation(|| panel.installation())?;
        Ok(HandlerJob { config, panel, handler, settings, vmm, journal, installation, _alone: alone })
    }

    /// The handler's cluster; `cluster_not_found` when VMmanager has no such cluster.
    pub fn cluster(&self) -> Result<Cluster> {
        connection::cluster(&self.vmm, Placement::read(&self.settings, &BTreeMap::new())?.cluster)
    }

    /// The mark that the VM of a service has.
    pub fn mark(&self, item: ServiceId) -> Mark {
        Mark { installation: self.installation.clone(), item }
    }

    /// Whether a VM is proved to be a service's by its mark, else by the journal. Its owner is not asked for: enough to
    /// read from it, not to change it.
    pub fn is_of(&self, host: &Host, item: ServiceId) -> Result<bool> {
        let (marks, own) = (Mark::find_all(&host.comment), self.mark(item));
        if !marks.is_empty() {
            return Ok(marks.iter().all(|mark| *mark == own));
        }
        let record = self.journal.find(item)?;
        Ok(record.is_some_and(|record| crate::service::job::identity::is_recorded(&record, host)))
    }
}

fn lock(config: &Config, handler: HandlerId, command: &str) -> Result<Lock> {
    let directory = config.runtime_dir().join("handler");
    prepare_directory(&directory)?;
    let path = directory.join(format!("{handler}-{command}"));
    let mut waits = || log::info!("handler {handler}: another {command} runs; waiting for its end");
    Lock::at(&path, &mut waits).map_err(|error| {
        let text = format!("the lock of a handler cannot be taken: {error}");
        Error::new(Kind::State, path.display().to_string(), text)
    })
}
