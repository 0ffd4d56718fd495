//! Everything that is known of one service, from every place that knows something, for the people who have to find out
//! what happened to it.
//!
//! Only reading: no VM, no journal and no parameter is changed, no ticket is taken. Each part is alone: what cannot
//! be read is an error in its place, and the rest is shown.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::SecretString;

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::{ServiceId, VmId};
use crate::journal::{Cap, Journal, Meter, Record, ScheduleEntry};
use crate::log;
use crate::panel::{Handler, Operation, Panel, Service, Slot};
use crate::queue::{self, Entry, Scope};
use crate::service::job::claims::others_naming;
use crate::service::job::evidence::Facts;
use crate::service::job::facts::{Background, is_of_earlier};
use crate::service::job::mark::{Mark, Marker};
use crate::service::order::Order;
use crate::service::platform::connection;
use crate::service::platform::recognise::is_recorded;
use crate::settings::{HandlerSettings, service_key};
use crate::vmm::{Client, Host, Past};

/// Tasks of the VM that are shown, newest first.
const TASKS: usize = 10;
/// Failed tasks whose reason VMmanager is asked for: one request each.
const REASONS: usize = 3;

/// What each place says of a service.
pub(crate) struct Report {
    pub item: ServiceId,
    pub bill: Result<BillingPart>,
    pub journal: Result<JournalPart>,
    pub platform: Result<PlatformPart>,
    pub queue: Result<QueuePart>,
    /// The newest lines of our log about it, oldest first.
    pub log: Result<Vec<String>>,
}

pub(crate) struct BillingPart {
    pub service: Service,
    pub handler: Handler,
    /// What the module reads from the tariff and its add-ons.
    pub order: Result<Order>,
    /// The service's crypted parameters.
    pub secrets: BTreeMap<String, SecretString>,
    /// Slots of its addresses.
    pub slots: Vec<Slot>,
    /// What BILLmanager is about to do.
    pub operations: Vec<Operation>,
}

/// Our journal's rows; nothing where it has none.
#[derive(Default)]
pub(crate) struct JournalPart {
    /// Creation, removal, restart.
    pub record: Option<Record>,
    /// Traffic of the month that was read last.
    pub meter: Option<Meter>,
    pub cap: Option<Cap>,
    /// Backup schedules into which we have put its VM.
    pub schedules: Vec<ScheduleEntry>,
    /// What makes our marks, if it was computed before.
    marker: Option<Marker>,
}

pub(crate) struct PlatformPart {
    /// For further questions.
    pub client: Client,
    /// The service's mark.
    pub mark: Mark,
    /// The VM that BILLmanager or the journal names, else one that has the mark; with what proves it.
    pub vm: Option<(Host, Facts)>,
    /// Further VMs that bear the mark.
    pub others: Vec<Host>,
    /// The VM's newest tasks, newest first, failed ones with VMmanager's reason; nothing when it does not report it.
    pub tasks: Option<Vec<TaskEntry>>,
}

/// A task, and VMmanager's reason if it failed and was asked about.
pub(crate) type TaskEntry = (Past, Option<Error>);

/// The service's places in the queue.
pub(crate) struct QueuePart {
    pub entries: Vec<Entry>,
    /// Pauses that hold it up, or would.
    pub pauses: Vec<Scope>,
}

/// Asks every place, with at most `lines` lines of the log. An error only when there is no such service, or it is not
/// ours.
pub(crate) fn collect(config: &Config, item: ServiceId, lines: usize) -> Result<Report> {
    let config = config.impatient();
    // First, because looking leaves lines of its own.
    let log = recent_log(&config, item, lines);
    let panel = Panel::new(&config);
    let bill = match bill(&panel, item) {
        Err(error) if matches!(error.kind, Kind::BadArgument | Kind::UnsupportedModule) => return Err(error),
        bill => bill,
    };
    let journal = remembered(&config, item);
    let platform = match &bill {
        Ok(bill) => platform(&config, &panel, bill, journal.as_ref().ok()),
        Err(_) => Err(Error::new(Kind::Db, "handler", "without BILLmanager's rows nobody knows where it is")),
    };
    let queue = standing(&config.runtime_dir(), item, bill.as_ref().ok());
    Ok(Report { item, bill, journal, platform, queue, log })
}

impl Report {
    /// Every part could be read.
    pub(crate) fn is_complete(&self) -> bool {
        let told = self.bill.is_ok() && self.journal.is_ok() && self.platform.is_ok();
        told && self.queue.is_ok() && self.log.is_ok()
    }

    /// What cannot be true together, in sentences.
    pub(crate) fn contradictions(&self) -> Vec<String> {
        super::contradictions::find(self)
    }

    /// An operation works on the service or is about to: things may differ for a while.
    pub(super) fn is_under_way(&self) -> bool {
        self.bill.as_ref().is_ok_and(|bill| !bill.operations.is_empty())
            || self.queue.as_ref().is_ok_and(|queue| !queue.entries.is_empty())
    }
}

fn recent_log(config: &Config, item: ServiceId, lines: usize) -> Result<Vec<String>> {
    log::excerpt(config, item, lines).map_err(|error| {
        let path = config.log().display().to_string();
        Error::new(Kind::State, path.as_str(), format!("{path} cannot be read: {error}"))
    })
}

fn bill(panel: &Panel, item: ServiceId) -> Result<BillingPart> {
    let (handler, service) = (panel.handler_of(item)?, panel.service(item)?);
    Ok(BillingPart {
        handler,
        order: Order::read(&service),
        slots: panel.slots(item)?,
        operations: panel.operations(item)?,
        secrets: panel.secrets(item)?,
        service,
    })
}

fn remembered(config: &Config, item: ServiceId) -> Result<JournalPart> {
    let Some(journal) = Journal::existing(config)? else {
        let place = config.state_dir().display().to_string();
        let text = format!("there is no journal in {place}: nothing was ever opened here, or it was lost");
        return Err(Error::new(Kind::State, place, text));
    };
    let record = journal.find(item)?;
    let platform = record.as_ref().and_then(|record| record.platform);
    Ok(JournalPart {
        schedules: platform.map_or_else(|| Ok(Vec::new()), |platform| journal.schedule_entries(item, platform))?,
        record,
        meter: journal.meter(item)?,
        cap: journal.cap(item)?,
        marker: journal.known_installation()?.map(|(installation, key)| Marker::new(installation, key)),
    })
}

fn platform(
    config: &Config,
    panel: &Panel,
    bill: &BillingPart,
    remembered: Option<&JournalPart>,
) -> Result<PlatformPart> {
    let client = connection::observer(config, &bill.handler)?;
    let known = remembered.and_then(|remembered| remembered.marker.clone());
    let marker = match known {
        Some(marker) => marker,
        None => Marker::new(panel.installation()?, panel.mark_key()?),
    };
    let mark = marker.mark(bill.service.id);
    let record = remembered.and_then(|remembered| remembered.record.as_ref());
    let named = bill.service.named_vm().ok().flatten();
    let named = match named.or(record.and_then(|record| record.vm)) {
        Some(id) => client.host(id)?,
        None => None,
    };
    let mut others = client.hosts()?;
    others.retain(|host| mark.is_in(&host.comment));
    let host = named.or_else(|| others.first().cloned());
    others.retain(|other| host.as_ref().is_none_or(|host| host.id != other.id));
    let tasks = match &host {
        Some(host) => tasks(&client, host.id)?,
        None => None,
    };
    let journal = remembered.map(|_| Journal::existing(config)).transpose()?.flatten();
    let known = Known { journal: journal.as_ref(), panel, client: &client, marker: &marker, mark: &mark, record };
    let vm = host.map(|host| known.facts(&bill.service, &host).map(|facts| (host, facts))).transpose()?;
    Ok(PlatformPart { client, mark, vm, others, tasks })
}

/// What the facts about a VM are gathered from.
struct Known<'a> {
    journal: Option<&'a Journal>,
    panel: &'a Panel,
    client: &'a Client,
    marker: &'a Marker,
    mark: &'a Mark,
    record: Option<&'a Record>,
}

impl Known<'_> {
    /// As an operation would see them, but nothing is recorded.
    fn facts(&self, service: &Service, host: &Host) -> Result<Facts> {
        let Known { journal, panel, client, marker, mark, record } = *self;
        let record = record.filter(|record| record.is_living());
        let owner = host.account.as_ref().map(|account| account.id).unwrap_or_default();
        let mut background = Background {
            service,
            marker,
            mark,
            record,
            platform: record.and_then(|record| record.platform).unwrap_or_default(),
            tie: None,
            is_claimed: false,
            is_others: false,
            is_earlier: is_of_earlier(service, record),
        };
        let Some(journal) = journal else { return Ok(background.facts(host)) };
        let is_same = journal.telling_vm(service.id)?.is_some_and(|it| is_recorded(&host.into(), &it));
        if let Some(at_address) = journal.platform_at(&client.base())?.filter(|_| !is_same) {
            background.platform = at_address;
        }
        let platform = background.platform;
        background.tie = journal.tie_of(platform, owner)?;
        background.is_others = !journal.others_with_vm(platform, host.id, service.id)?.is_empty();
        let namings = panel.services_naming(host.id)?;
        let others = others_naming(journal, Some(platform), &client.base(), &namings, service.id, host)?;
        background.is_claimed = !others.is_empty();
        Ok(background.facts(host))
    }
}

fn tasks(client: &Client, host: VmId) -> Result<Option<Vec<TaskEntry>>> {
    let Some(mut history) = client.history(host)? else { return Ok(None) };
    history.sort_by_key(|past| std::cmp::Reverse(past.id));
    history.truncate(TASKS);
    let mut reasons = REASONS;
    let told = history.into_iter().map(|past| {
        let asked = past.ended() == Some(false) && reasons > 0;
        reasons -= usize::from(asked);
        let reason = asked.then(|| client.failed_before(&past));
        (past, reason)
    });
    Ok(Some(told.collect()))
}

fn standing(directory: &Path, item: ServiceId, bill: Option<&BillingPart>) -> Result<QueuePart> {
    let mut entries = queue::list(directory)?;
    entries.retain(|entry| entry.label.item == Some(item));
    let mut keys: Vec<String> = entries.iter().map(|entry| entry.key.clone()).collect();
    keys.push(service_key(item));
    if let Some(bill) = bill {
        let queue_key = HandlerSettings::read(&bill.handler.params).queue_key;
        keys.extend(bill.operations.iter().map(|it| queue_key.of(&it.command, bill.handler.id, item)));
    }
    let holds = |scope: &Scope| match scope {
        Scope::All => true,
        Scope::Key(key) => keys.contains(key),
    };
    Ok(QueuePart { entries, pauses: queue::paused(directory).into_iter().filter(holds).collect() })
}
