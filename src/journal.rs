//! The durable record of what we asked VMmanager to do, one row a service.
//!
//! Invariant: before a request that creates or destroys leaves this process, its row is on the disk
//! (`synchronous=FULL`); the moment the answer names an id, the id is on the disk, before any waiting. So a crash at
//! any line leaves either nothing at VMmanager, or a row that says what to look for. A journal that cannot be written
//! stops the operation before the request is sent.
//!
//! The row is never removed by a close: it says "deleted" until it is pruned 90 days later. Deliberately absent:
//! locks (the service's ticket already lets one process at a time work on a service) and history (the log has it).

mod account;
mod address;
mod change;
mod password;
mod phase;
mod platform;
mod proof;
mod reported;
mod schedule;
mod schema;
mod traffic;
mod witness;

use std::cell::RefCell;
use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{OptionalExtension, Row, ToSql, Transaction};

use self::schema::SCHEMA;
use crate::config::Config;
use crate::error::Result;
use crate::id::{AccountId, ClientId, OperationId, PlatformId, ServiceId, TaskId, VmId};
use crate::state::{Database, Failure};

pub use account::Tie;
pub use password::PasswordPlace;
pub use phase::Phase;
pub use platform::{Platform, RecordedVm};
pub use proof::Proof;
pub use schedule::ScheduleEntry;
pub use traffic::{Cap, Counter, Meter};

const KEPT_SECONDS: i64 = 90 * 24 * 60 * 60;

/// The row of one service.
#[derive(Clone, Debug)]
pub struct Record {
    /// Client of BILLmanager; 0 when the service belonged to nobody yet.
    pub client: ClientId,
    /// The platform of its ids; nothing in a row of the first release whose VM was not seen since.
    pub platform: Option<PlatformId>,
    /// How far it came.
    pub phase: Phase,
    /// Mark in the VM's comment.
    pub mark: String,
    /// Hash of what was ordered.
    pub hash: String,
    /// Account of VMmanager.
    pub account: Option<AccountId>,
    /// VM.
    pub vm: Option<VmId>,
    /// VMmanager's own creation time of that VM; empty until it was read.
    pub vm_created: String,
    /// Running task: consul id and name.
    pub task: Option<(TaskId, String)>,
    /// The last restart.
    pub restart: Option<Restart>,
    /// Addresses of the VM that the service's slots hold or held.
    pub sold: Vec<String>,
    /// How often the VM was found running while the service was suspended.
    pub stopped_again: u64,
    /// Seconds since 1970 at the last change of the row.
    pub changed: i64,
    /// Seconds since 1970 at which the VM was known to be gone; nothing while it may exist.
    pub ended: Option<i64>,
}

/// The columns of a [`Record`].
const RECORD: &str = "item, client, phase, mark, hash, account, vm, vm_created, task, task_name, restart_operation, \
                      CAST(restart_after AS TEXT) AS restart_after, restart_task, stopped_again, changed, ended, platform, \
                      sold";

impl Record {
    /// The VM is the one of this row: an id that VMmanager gave again has another creation date. The date is not known
    /// before the VM is complete.
    pub fn is_vm(&self, vm: VmId, created: &str) -> bool {
        self.vm == Some(vm) && (self.vm_created.is_empty() || self.vm_created == created)
    }

    /// Its VM may exist.
    pub fn is_living(&self) -> bool {
        self.ended.is_none()
    }

    fn read(row: &Row) -> rusqlite::Result<Self> {
        let (task, name): (Option<TaskId>, Option<String>) = (row.get("task")?, row.get("task_name")?);
        let operation: Option<OperationId> = row.get("restart_operation")?;
        let (after, restart_task) = (row.get("restart_after")?, row.get("restart_task")?);
        Ok(Record {
            client: row.get("client")?,
            platform: row.get("platform")?,
            phase: Phase::from_name(&row.get::<_, String>("phase")?),
            mark: row.get("mark")?,
            hash: row.get("hash")?,
            account: row.get("account")?,
            vm: row.get("vm")?,
            vm_created: row.get("vm_created")?,
            task: task.map(|consul| (consul, name.unwrap_or_default())),
            restart: operation.map(|operation| Restart { operation, after, task: restart_task }),
            sold: row.get::<_, String>("sold")?.split_whitespace().map(str::to_owned).collect(),
            stopped_again: row.get("stopped_again")?,
            changed: row.get("changed")?,
            ended: row.get("ended")?,
        })
    }
}

/// Whose row it is.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The service.
    pub item: ServiceId,
    /// Its client.
    pub client: ClientId,
    /// Where its ids mean something.
    pub platform: PlatformId,
    /// The mark of its VM.
    pub mark: &'a str,
}

/// A restart that an operation has asked for, or was about to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// The running operation of BILLmanager.
    pub operation: OperationId,
    /// The end of the VM's history before the request, in VMmanager's terms, if it reports one.
    pub after: Option<String>,
    /// Consul id of its task; nothing when the answer never arrived here.
    pub task: Option<TaskId>,
}

/// The open journal.
pub struct Journal {
    database: RefCell<Database>,
    witness_directory: Option<std::path::PathBuf>,
}

impl Journal {
    /// Opens `journal.db` in the state directory, creating both.
    pub fn open(config: &Config) -> Result<Self> {
        let database = RefCell::new(Database::open(&config.state_dir(), &SCHEMA)?);
        Ok(Journal { database, witness_directory: Some(config.runtime_dir()) })
    }

    /// A copy in memory of the journal as it is now: for a dry run, which must not leave a trace.
    pub fn copy(config: &Config) -> Result<Self> {
        Ok(Journal { database: RefCell::new(Database::copy(&config.state_dir(), &SCHEMA)?), witness_directory: None })
    }

    /// The journal if there is one already: a reader creates nothing.
    pub fn existing(config: &Config) -> Result<Option<Self>> {
        config.state_dir().join(SCHEMA.file).exists().then(|| Self::open(config)).transpose()
    }

    /// The row of a service.
    pub fn find(&self, item: ServiceId) -> Result<Option<Record>> {
        self.first(&format!("SELECT {RECORD} FROM service WHERE item = ?1"), &[&item], Record::read)
    }

    /// Every row, by service.
    pub fn records(&self) -> Result<HashMap<ServiceId, Record>> {
        let rows =
            self.rows(&format!("SELECT {RECORD} FROM service"), &[], |row| Ok((row.get("item")?, Record::read(row)?)));
        Ok(rows?.into_iter().collect())
    }

    /// The phase of every service, and when its row last changed.
    pub fn phases(&self) -> Result<Vec<(Phase, i64)>> {
        let read = |row: &Row| Ok((Phase::from_name(&row.get::<_, String>(0)?), row.get(1)?));
        self.rows("SELECT phase, changed FROM service", &[], read)
    }

    /// A VM is wanted. Forgets an earlier VM of the service, which the caller knows to be gone.
    pub fn intend(&self, subject: Subject, hash: &str, account: AccountId) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        self.note_asked(item)?;
        let sql = "INSERT INTO service (item, client, phase, mark, hash, account, changed, platform)
                   VALUES (?1, ?2, 'intended', ?3, ?4, ?5, ?6, ?7)
                   ON CONFLICT (item) DO UPDATE SET client = ?2, phase = 'intended', mark = ?3, hash = ?4, account = ?5,
                   vm = NULL, vm_created = '', task = NULL, task_name = NULL, changed = ?6, ended = NULL, platform = ?7,
                   tariffs = NULL, before_change = NULL, sold = '', reverse_names = ''";
        self.database.borrow_mut().write(|tx| {
            put(tx, item, sql, rusqlite::params![item, client, mark, hash, account, now(), platform])?;
            tx.execute("DELETE FROM service WHERE ended < ?1", [now() - KEPT_SECONDS])?;
            Ok(())
        })
    }

    /// Moves on to a phase that needs no further facts.
    pub fn step(&self, item: ServiceId, phase: Phase) -> Result<()> {
        // A row of a living VM is kept however old it is.
        let ended = matches!(phase, Phase::Refused | Phase::Deleted).then(now);
        let sql =
            "UPDATE service SET phase = ?2, task = NULL, task_name = NULL, changed = ?3, ended = ?4 WHERE item = ?1";
        self.put(item, sql, rusqlite::params![item, phase.name(), now(), ended])
    }

    /// VMmanager named the VM, and the task that builds it.
    pub fn accept(&self, item: ServiceId, vm: VmId, task: Option<(TaskId, &str)>) -> Result<()> {
        let sql =
            "UPDATE service SET phase = 'accepted', vm = ?2, vm_created = '', task = ?3, task_name = ?4, changed = ?5
                   WHERE item = ?1";
        self.put(item, sql, rusqlite::params![item, vm, task.map(|t| t.0), task.map(|t| t.1), now()])
    }

    /// The VM is complete; `created` is VMmanager's own time of its creation. Makes the row when the journal was lost;
    /// a row that says so already is not written, and the disk not waited for.
    pub fn complete(&self, subject: Subject, account: Option<AccountId>, vm: VmId, created: &str) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        let sql = "INSERT INTO service (item, client, phase, mark, hash, account, vm, vm_created, changed, platform)
                   VALUES (?1, ?2, 'ready', ?3, '', ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (item) DO UPDATE SET client = ?2, phase = 'ready', mark = ?3,
                   account = coalesce(?4, account), vm = ?5,
                   vm_created = ?6, task = NULL, task_name = NULL, changed = ?7, ended = NULL, platform = ?8
                   WHERE (client, phase, mark, account, vm, vm_created, task, ended, platform)
                   IS NOT (?2, 'ready', ?3, coalesce(?4, account), ?5, ?6, NULL, NULL, ?8)";
        self.put(item, sql, rusqlite::params![item, client, mark, account, vm, created, now(), platform])
    }

    /// The VM of a service that the journal may not know yet is about to be removed, or its removal task is known.
    pub fn delete(&self, subject: Subject, vm: VmId, task: Option<(TaskId, &str)>) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        let sql = "INSERT INTO service (item, client, phase, mark, hash, vm, task, task_name, changed, platform)
                   VALUES (?1, ?2, 'deleting', ?3, '', ?4, ?5, ?6, ?7, ?8)
                   ON CONFLICT (item) DO UPDATE SET phase = 'deleting', vm_created = CASE WHEN vm = ?4 THEN vm_created ELSE '' END,
                   vm = ?4, task = ?5, task_name = ?6, changed = ?7, ended = NULL, platform = ?8";
        let (task, name) = (task.map(|t| t.0), task.map(|t| t.1));
        self.put(item, sql, rusqlite::params![item, client, mark, vm, task, name, now(), platform])
    }

    /// An operation is about to ask for a restart; `after` is the end of the VM's history by then. The first release kept
    /// a number in the same column.
    pub fn restarting(&self, subject: Subject, operation: OperationId, after: Option<&impl ToString>) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        let after = after.map(ToString::to_string);
        let sql =
            "INSERT INTO service (item, client, phase, mark, hash, restart_operation, restart_after, changed, platform)
                   VALUES (?1, ?2, 'ready', ?3, '', ?4, ?5, ?6, ?7)
                   ON CONFLICT (item) DO UPDATE SET restart_operation = ?4, restart_after = ?5, restart_task = NULL,
                   changed = ?6";
        self.put(item, sql, rusqlite::params![item, client, mark, operation, after, now(), platform])
    }

    /// VMmanager named the task of the restart.
    pub fn restart_accepted(&self, item: ServiceId, task: TaskId) -> Result<()> {
        self.put(item, "UPDATE service SET restart_task = ?2, changed = ?3 WHERE item = ?1", &[&item, &task, &now()])
    }

    /// The restart was refused or has failed: the operation may ask for another.
    pub fn restart_failed(&self, item: ServiceId) -> Result<()> {
        self.put(item, "UPDATE service SET restart_operation = NULL, changed = ?2 WHERE item = ?1", &[&item, &now()])
    }

    /// The restart that this very operation has asked for, or was about to.
    pub fn restart_of(&self, item: ServiceId, operation: Option<OperationId>) -> Result<Option<Restart>> {
        let restart = self.find(item)?.and_then(|record| record.restart);
        Ok(restart.filter(|restart| Some(restart.operation) == operation))
    }

    /// Counts that the VM of a suspended service was found running; how often so far.
    pub fn stopped_again(&self, item: ServiceId) -> Result<u64> {
        let sql = "UPDATE service SET stopped_again = stopped_again + 1 WHERE item = ?1 RETURNING stopped_again";
        self.database.borrow_mut().write(|tx| Ok(tx.query_row(sql, [item], |row| row.get(0))?))
    }

    /// The name of this installation in marks, as first computed: a later change of the key must not orphan them.
    pub fn installation(&self, compute: impl FnOnce() -> Result<String>) -> Result<String> {
        self.once("installation", compute)
    }

    /// The key of the tags in marks, in the same way.
    pub fn mark_key(&self, compute: impl FnOnce() -> Result<String>) -> Result<String> {
        self.once("mark_key", compute)
    }

    /// The installation's name and the key of its marks, if they were computed before.
    pub fn known_installation(&self) -> Result<Option<(String, String)>> {
        Ok(self.meta("installation")?.zip(self.meta("mark_key")?))
    }

    /// A value that is computed once in the life of the journal.
    fn once(&self, name: &str, compute: impl FnOnce() -> Result<String>) -> Result<String> {
        if let Some(known) = self.meta(name)? {
            return Ok(known);
        }
        let computed = compute()?;
        self.update("INSERT OR IGNORE INTO meta (name, value) VALUES (?1, ?2)", &[&name, &computed])?;
        Ok(computed)
    }

    fn meta(&self, name: &str) -> Result<Option<String>> {
        self.first("SELECT value FROM meta WHERE name = ?1", &[&name], |row| row.get(0))
    }

    /// The first row of a query.
    fn first<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        read: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        Ok(self.rows(sql, params, read)?.into_iter().next())
    }

    /// Every row of a query.
    fn rows<T>(
        &self,
        sql: &str,
        params: &[&dyn ToSql],
        mut read: impl FnMut(&Row) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.database.borrow_mut().read(|connection| {
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map(params, &mut read)?;
            Ok(rows.collect::<rusqlite::Result<_>>()?)
        })
    }

    fn update(&self, sql: &str, params: &[&dyn ToSql]) -> Result<()> {
        self.database.borrow_mut().write(|tx| Ok(tx.execute(sql, params).map(drop)?))
    }

    /// Writes the row of a service.
    fn put(&self, item: ServiceId, sql: &str, params: &[&dyn ToSql]) -> Result<()> {
        self.database.borrow_mut().write(|tx| put(tx, item, sql, params))
    }
}

/// Writes the row of a service and reads it back before the commit: a damaged file may take a row without giving it
/// back, and what is not on record must not be asked for.
fn put(tx: &Transaction, item: ServiceId, sql: &str, params: &[&dyn ToSql]) -> std::result::Result<(), Failure> {
    tx.execute(sql, params)?;
    let found = tx.query_row("SELECT item FROM service WHERE item = ?1", [item], |row| row.get(0)).optional()?;
    if found == Some(item) {
        return Ok(());
    }
    Err(Failure::Damaged(format!("the row of service {item} cannot be read back")))
}

/// Seconds since 1970, for people and pruning only: no decision about a VM depends on a clock.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).ok().and_then(|t| i64::try_from(t.as_secs()).ok()).unwrap_or_default()
}
