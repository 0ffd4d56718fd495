//! One operation on one service: everything a use-case needs, and the way to the service's VM.

use std::path::PathBuf;
use std::rc::Rc;

use super::identity::{self, Mark};
use crate::config::{Config, Limits};
use crate::error::{Error, Kind, Result};
use crate::journal::Journal;
use crate::panel::{Handler, Panel, Service};
use crate::queue::Label;
use crate::rehearsal::Script;
use crate::service::order::Placement;
use crate::service::platform::{connection, interfaces};
use crate::vmm::{Client, Host};

/// One operation on one service: everything a use-case needs.
pub struct Job<'a> {
    /// BILLmanager.
    pub panel: &'a Panel,
    /// The service.
    pub service: Service,
    /// Its handler.
    pub handler: Handler,
    /// The handler's VMmanager.
    pub vmm: Client,
    /// What we asked for before.
    pub journal: Journal,
    /// The mark of the service's VM.
    pub mark: Mark,
    /// Directory of the queue.
    pub directory: PathBuf,
    /// Who we are in the queue.
    pub label: Label,
    /// `--runningoperation`: the same number again means that the panel repeats an operation.
    pub operation: Option<u64>,
    /// Somebody only asks: nothing may be changed, and no ticket is held.
    pub asks_only: bool,
}

/// What an operation is about, before anything is opened for it.
pub struct Assignment<'a> {
    /// Paths and limits.
    pub config: &'a Config,
    /// BILLmanager.
    pub panel: &'a Panel,
    /// The handler of the service.
    pub handler: Handler,
    /// The service.
    pub service: Service,
    /// Who we are in the queue.
    pub label: Label,
    /// As in [`Job::operation`].
    pub operation: Option<u64>,
}

impl<'a> Assignment<'a> {
    /// Gathers what the operation needs; asks VMmanager nothing.
    pub fn job(self) -> Result<Job<'a>> {
        let (vmm, journal) = (connection::client(self.config, &self.handler)?, Journal::open(self.config)?);
        self.with(vmm, journal)
    }

    /// The same for a rehearsal: what would be changed goes into `script`, the journal is a copy, nothing is waited
    /// for.
    pub fn rehearsal(self, script: &Rc<Script>) -> Result<Job<'a>> {
        let config = Config { limits: self.config.limits.rehearsing(), ..self.config.clone() };
        let vmm = connection::client(&config, &self.handler)?.rehearsing(script);
        self.with(vmm, Journal::copy(&config)?)
    }

    fn with(self, vmm: Client, journal: Journal) -> Result<Job<'a>> {
        let Assignment { config, panel, handler, service, label, operation } = self;
        let mark = Mark { installation: journal.installation(|| panel.installation())?, item: service.id };
        let (directory, asks_only) = (config.runtime_dir(), false);
        Ok(Job { panel, service, handler, vmm, journal, mark, directory, label, operation, asks_only })
    }
}

impl Job<'_> {
    /// Where and how the handler and the tariff want VMs.
    pub fn place(&self) -> Result<Placement> {
        Placement::read(&self.handler.params, &self.service.tariff)
    }

    /// Deadlines.
    pub fn limits(&self) -> &Limits {
        self.vmm.limits()
    }

    /// The VM that BILLmanager or our journal names.
    pub fn recorded_vm(&self) -> Result<Option<u64>> {
        let named = self.service.param("panelid").map(|text| {
            text.trim().parse::<u64>().map_err(|_| {
                let text = format!("the VM id (panelid) of service {} is \"{text}\", not a number", self.service.id);
                Error::new(Kind::BadParam, "panelid", text)
            })
        });
        match named.transpose()?.filter(|&id| id > 0) {
            Some(id) => Ok(Some(id)),
            None => Ok(self.journal.find(self.service.id)?.and_then(|record| record.vm)),
        }
    }

    /// A VM with the addresses that are sold.
    pub fn host(&self, id: u64) -> Result<Option<Host>> {
        self.vmm.host(id)?.map(|host| interfaces::main_only(&self.vmm, || self.place(), host)).transpose()
    }

    /// The service's VM, proved to be its own: by its recorded id, else by its mark. Nothing when VMmanager itself says
    /// that neither exists; `vm6_foreign` when what was found is not, or not only, ours.
    pub fn locate(&self) -> Result<Option<Host>> {
        if let Some(id) = self.recorded_vm()?
            && let Some(host) = self.host(id)?
        {
            identity::prove(self, &host)?;
            return Ok(Some(host));
        }
        self.locate_by_mark()
    }

    /// The one VM that bears our mark.
    pub fn locate_by_mark(&self) -> Result<Option<Host>> {
        let mut found = self.locate_marked()?;
        if found.len() > 1 {
            let names: Vec<String> = found.iter().map(|host| format!("{} ({})", host.id, host.name)).collect();
            let text = format!(
                "several VMs bear the mark \"{}\" of service {}: {}; nothing was changed, remove the mark from the wrong ones",
                self.mark,
                self.service.id,
                names.join(", ")
            );
            return Err(Error::new(Kind::Vm6Foreign, self.mark.to_string(), text));
        }
        let Some(host) = found.pop() else { return Ok(None) };
        identity::prove(self, &host)?;
        interfaces::main_only(&self.vmm, || self.place(), host).map(Some)
    }

    /// Every VM that bears our mark, whoever owns it.
    pub fn locate_marked(&self) -> Result<Vec<Host>> {
        let ours = |host: &Host| Mark::find_all(&host.comment).contains(&self.mark);
        Ok(self.vmm.hosts()?.into_iter().filter(ours).collect())
    }

    /// The service's VM where the operation makes no sense without one.
    pub fn vm(&self) -> Result<Host> {
        self.locate()?.ok_or_else(|| {
            let text = format!(
                "VMmanager has no VM of service {} (recorded id {}, mark \"{}\"); if it was deleted there, close the service, \
                 or run reopen to create it anew",
                self.service.id,
                self.service.param("panelid").unwrap_or("none"),
                self.mark
            );
            Error::new(Kind::Vm6NotFound, format!("service {}", self.service.id), text)
        })
    }

    /// Records that the VM is complete, whatever the journal knew of it.
    pub fn journal_ready(&self, host: &Host) -> Result<()> {
        let (item, account) = (self.service.id, host.account.as_ref().map(|account| account.id));
        let mark = self.mark.to_string();
        self.journal.complete(item, self.service.client.id, &mark, account, host.id, &host.create_date)
    }
}
