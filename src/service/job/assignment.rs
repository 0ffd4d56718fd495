//! One operation on one service: everything a use-case needs.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::rc::Rc;

use secrecy::SecretString;

use super::mark::{Mark, Marker};
use crate::config::{Config, Limits};
use crate::dry_run::Plan;
use crate::error::Result;
use crate::id::{OperationId, PlatformId};
use crate::journal::Journal;
use crate::panel::{Handler, Panel, Service};
use crate::service::order::Placement;
use crate::service::platform::connection;
use crate::settings::HandlerSettings;
use crate::vmm::Client;

/// One operation on one service: everything a use-case needs.
pub struct Job<'a> {
    pub panel: &'a Panel,
    pub service: Service,
    pub handler: Handler,
    /// What the handler has stored, parsed.
    pub settings: HandlerSettings,
    /// The handler's VMmanager.
    pub vmm: Client,
    /// What we asked for before.
    pub journal: Journal,
    /// Makes and knows our marks.
    pub marker: Marker,
    /// The mark of the service's VM.
    pub mark: Mark,
    /// The platform at the handler's address, once it was recognised.
    pub(super) platform: OnceCell<PlatformId>,
    /// Directory of the queue.
    pub directory: PathBuf,
    /// `--runningoperation`: the same number again means that the panel repeats an operation.
    pub operation: Option<OperationId>,
    /// Somebody only asks: nothing may be changed, and no ticket is held.
    pub asks_only: bool,
}

/// What an operation is about, before anything is opened for it.
pub(crate) struct Assignment<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    pub panel: &'a Panel,
    /// The handler of the service.
    pub handler: Handler,
    pub service: Service,
    /// As in [`Job::operation`].
    pub operation: Option<OperationId>,
}

/// What makes the marks of this installation, as it was first computed.
pub(crate) fn marker(panel: &Panel, journal: &Journal) -> Result<Marker> {
    let installation = journal.installation(|| panel.installation())?;
    Ok(Marker::new(installation, journal.mark_key(|| panel.mark_key())?))
}

impl<'a> Assignment<'a> {
    /// Gathers what the operation needs; asks VMmanager nothing.
    pub(crate) fn job(self) -> Result<Job<'a>> {
        let (vmm, journal) = (connection::client(self.config, &self.handler)?, Journal::open(self.config)?);
        self.with(vmm, journal)
    }

    /// The same for a dry run: what would be changed goes into `plan`, the journal is a copy, nothing is waited
    /// for.
    pub(crate) fn dry_run(self, plan: &Rc<Plan>) -> Result<Job<'a>> {
        let config = Config { limits: self.config.limits.dry_run(), ..self.config.clone() };
        let vmm = connection::observer(&config, &self.handler)?.dry_run(plan);
        self.with(vmm, Journal::copy(&config)?)
    }

    fn with(self, vmm: Client, journal: Journal) -> Result<Job<'a>> {
        let Assignment { config, panel, handler, service, operation } = self;
        let marker = marker(panel, &journal)?;
        let mark = marker.mark(service.id);
        let (directory, asks_only) = (config.runtime_dir(), false);
        let (platform, settings) = (OnceCell::new(), HandlerSettings::read(&handler.params));
        Ok(Job {
            panel,
            service,
            handler,
            settings,
            vmm,
            journal,
            marker,
            mark,
            platform,
            directory,
            operation,
            asks_only,
        })
    }
}

impl Job<'_> {
    /// Where and how the handler and the tariff want VMs.
    pub fn place(&self) -> Result<Placement> {
        Placement::read(&self.settings, &self.service.tariff)
    }

    pub fn limits(&self) -> &Limits {
        self.vmm.limits()
    }

    /// Stores a crypted parameter of the service in the ways that the handler allows.
    pub fn save_secret(&self, name: &str, value: &SecretString) -> Result<()> {
        self.panel.save_secret(self.service.id, name, value, self.settings.secret_arguments)
    }
}
