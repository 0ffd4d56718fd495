//! A versioned `SQLite` file behind its guard.

use std::cell::RefCell;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rusqlite::backup::Backup;
use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::failure::{self, Failure};
use super::replace::create;
use super::{guard, prepare_directory};
use crate::error::{Error, Kind, Result};
use crate::log;

/// What a database file is.
#[derive(Debug)]
pub(crate) struct Schema {
    /// Name inside the state directory.
    pub file: &'static str,
    /// `PRAGMA application_id`: proves that the file is ours.
    pub application_id: i32,
    /// SQL scripts, one a version, append-only; released ones never change.
    pub migrations: &'static [&'static str],
    /// Size of a page of a new file: small where rows are few and short, since every page that is touched is kept in
    /// memory and written whole.
    pub page_bytes: u16,
    /// Whether a commit must survive a power loss.
    pub durable: bool,
    /// What happens to a file that is damaged, foreign, or written by a newer version.
    pub damaged: Damaged,
}

/// Policy for a file that cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damaged {
    /// Stop with an error that says what to do.
    Refuse,
    /// Rename it to `<file>.bad-1` (the one before to `.bad-2`) and begin a new one.
    SetAside,
}

/// An open database file.
#[derive(Debug)]
pub(crate) struct Database {
    path: PathBuf,
    schema: &'static Schema,
    open: Shared,
    /// A copy in memory: nobody else has it, and nothing of it is written to the disk.
    copy: bool,
}

/// One connection for everybody in a thread who opens the same file: the queue's tickets and the session cache do.
type Shared = Arc<Mutex<Option<Open>>>;

/// A connection that somebody in this thread may still hold, by its file and schema.
type Known = (PathBuf, &'static Schema, Weak<Mutex<Option<Open>>>);

thread_local! {
    static KNOWN: RefCell<Vec<Known>> = const { RefCell::new(Vec::new()) };
}

/// The connection of this thread to a file, which may not be open yet.
fn shared(path: &Path, schema: &'static Schema) -> Shared {
    KNOWN.with_borrow_mut(|known| {
        known.retain(|(_, _, open)| open.strong_count() > 0);
        let same = known.iter().find(|(at, of, _)| at == path && std::ptr::eq(*of, schema));
        same.and_then(|(_, _, open)| open.upgrade()).unwrap_or_else(|| {
            let open = Shared::default();
            known.push((path.to_owned(), schema, Arc::downgrade(&open)));
            open
        })
    })
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    /// Device and inode of the file behind the connection; nothing for a copy.
    file: Option<(u64, u64)>,
    /// Nobody has used it yet: the file may be empty, or of an older version.
    new: bool,
}

/// Pages of a backup in one step: all there are.
const ALL: i32 = i32::MAX;

impl Database {
    /// The file of `schema` in `directory`, which is created (0700) if needed. The file is opened at its first use,
    /// which creates it (0600) and migrates an older one.
    pub(crate) fn at(directory: &Path, schema: &'static Schema) -> Result<Self> {
        prepare_directory(directory)?;
        let path = directory.join(schema.file);
        Ok(Database { open: shared(&path, schema), path, schema, copy: false })
    }

    /// The same, and the file is known to be usable.
    pub(crate) fn open(directory: &Path, schema: &'static Schema) -> Result<Self> {
        let mut database = Self::at(directory, schema)?;
        database.read(|_| Ok(()))?;
        Ok(database)
    }

    /// A copy in memory of the file of `schema` as it is now. A file that does not exist yet is not made; its copy is
    /// empty.
    pub(crate) fn copy(directory: &Path, schema: &'static Schema) -> Result<Self> {
        let database = Database { path: directory.join(schema.file), schema, open: Shared::default(), copy: true };
        let connection = database.load().map_err(|failure| database.explain(failure))?;
        let open = Arc::new(Mutex::new(Some(Open { connection, file: None, new: false })));
        Ok(Database { open, ..database })
    }

    fn load(&self) -> std::result::Result<Connection, Failure> {
        let mut copy = Connection::open_in_memory()?;
        if self.path.exists() {
            let _guard = guard(&self.path)?;
            let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
            let file = Connection::open_with_flags(&self.path, flags)?;
            version(&file, self.schema)?;
            Backup::new(&file, &mut copy)?.run_to_completion(ALL, Duration::ZERO, None)?;
        }
        migrate(&mut copy, self.schema)?;
        Ok(copy)
    }

    /// Runs `work` in one transaction that writes; its error rolls everything back. `work` runs a second time when
    /// the file had to be set aside in between: it must not keep anything from the first time.
    pub(crate) fn write<T>(
        &mut self,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.guarded(TransactionBehavior::Immediate, work)
    }

    /// Runs `work` in one transaction that only reads.
    pub(crate) fn read<T>(
        &mut self,
        work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        self.guarded(TransactionBehavior::Deferred, work)
    }

    fn guarded<T>(
        &mut self,
        behavior: TransactionBehavior,
        mut work: impl FnMut(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> Result<T> {
        let _guard = if self.copy { None } else { Some(guard(&self.path)?) };
        let answer = match self.transact(behavior, &mut work) {
            Err(Failure::Damaged(reason)) if self.schema.damaged == Damaged::SetAside => {
                self.set_aside(&reason)?;
                self.transact(behavior, &mut work)
            }
            answer => answer,
        };
        answer.map_err(|failure| self.explain(failure))
    }

    fn transact<T>(
        &mut self,
        behavior: TransactionBehavior,
        work: &mut impl FnMut(&Transaction<'_>) -> std::result::Result<T, Failure>,
    ) -> std::result::Result<T, Failure> {
        let schema = self.schema;
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let Open { connection, new, .. } = self.connect(&mut open)?;
        let mut transaction = connection.transaction_with_behavior(behavior)?;
        let mut found = version(&transaction, schema)?;
        if *new && found != Some(schema.migrations.len()) {
            drop(transaction);
            if let (Some(old), Damaged::Refuse) = (found, schema.damaged) {
                keep(&self.path, old)?;
            }
            migrate(connection, schema)?;
            transaction = connection.transaction_with_behavior(behavior)?;
            found = version(&transaction, schema)?;
        }
        *new = false;
        if found.is_none() {
            // Emptied behind our back: as good as gone.
            return Err(Failure::Damaged("the file was emptied".to_owned()));
        }
        let answer = work(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// The connection to the file that has our name now. Needs the guard.
    fn connect<'a>(&self, open: &'a mut Option<Open>) -> std::result::Result<&'a mut Open, Failure> {
        let current = if self.copy { None } else { identity(&self.path) };
        if open.as_ref().is_none_or(|open| open.file != current) {
            *open = None;
            *open = Some(self.reopen(current.is_none())?);
        }
        open.as_mut().ok_or_else(|| Failure::Damaged("the file disappeared".to_owned()))
    }

    fn reopen(&self, create: bool) -> std::result::Result<Open, Failure> {
        if create {
            // SQLite would create it readable for everybody.
            OpenOptions::new()
                .write(true)
                .create_new(true)
                .mode(0o600)
                .open(&self.path)
                .map_err(|e| failure::io(&self.path, "the file cannot be created", &e))?;
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)?;
        let synchronous = if self.schema.durable { 2 } else { 0 };
        connection.pragma_update(None, "synchronous", synchronous)?;
        if create {
            connection.pragma_update(None, "page_size", self.schema.page_bytes)?;
        }
        let mode: String = connection.pragma_update_and_check(None, "journal_mode", "truncate", |row| row.get(0))?;
        // An unknown pragma says nothing, so it is read back.
        let read_back: i64 = connection.pragma_query_value(None, "synchronous", |row| row.get(0))?;
        if mode != "truncate" || read_back != synchronous {
            let text = format!("SQLite refused journal_mode={mode}, synchronous={read_back}");
            return Err(Error::new(Kind::State, self.path.display().to_string(), text).into());
        }
        let file = identity(&self.path).ok_or_else(|| Failure::Damaged("the file disappeared".to_owned()))?;
        Ok(Open { connection, file: Some(file), new: true })
    }

    /// Renames the file and its rollback journal out of the way. Needs the guard.
    fn set_aside(&mut self, reason: &str) -> Result<()> {
        *self.open.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let bad = |n: u8, tail: &str| self.path.with_extension(format!("db.bad-{n}{tail}"));
        for tail in ["", "-journal"] {
            let current = self.path.with_extension(format!("db{tail}"));
            for (from, to) in [(bad(1, tail), bad(2, tail)), (current, bad(1, tail))] {
                match std::fs::rename(&from, &to) {
                    Err(e) if e.kind() != ErrorKind::NotFound => {
                        return Err(failure::io(&from, "the damaged file cannot be set aside", &e));
                    }
                    _ => {}
                }
            }
        }
        let path = self.path.display();
        log::warn!("{path} cannot be used ({reason}): it is now {}, a new one is begun", bad(1, "").display());
        Ok(())
    }

    fn explain(&self, failure: Failure) -> Error {
        let cure = "restore it from a backup, or move it away if you know that no operation is unfinished";
        failure.explain(&self.path, cure)
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// The file's version; `None` when it is empty. A foreign or newer file is damaged for us.
fn version(connection: &Connection, schema: &Schema) -> std::result::Result<Option<usize>, Failure> {
    let number = |pragma| connection.prepare_cached(pragma)?.query_row([], |row| row.get::<_, i64>(0));
    let (id, version) = (number("PRAGMA application_id")?, number("PRAGMA user_version")?);
    if (id, version) == (0, 0) && number("PRAGMA schema_version")? == 0 {
        return Ok(None);
    }
    if id != i64::from(schema.application_id) {
        return Err(Failure::Damaged(format!("it is another program's file (application id {id:#x})")));
    }
    match usize::try_from(version) {
        Ok(version) if (1..=schema.migrations.len()).contains(&version) => Ok(Some(version)),
        _ => Err(Failure::Damaged(format!(
            "it has version {version}, this program knows up to {}: a newer version of the module wrote it",
            schema.migrations.len()
        ))),
    }
}

/// Keeps a file that cannot be made again as the older version of the module left it: `<file>.version-N`, for the way back
/// to that version. Needs the guard.
fn keep(path: &Path, old: usize) -> std::result::Result<(), Failure> {
    let kept = path.with_extension(format!("db.version-{old}"));
    let copied = std::fs::read(path).and_then(|bytes| {
        match std::fs::remove_file(&kept) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
        create(&kept, |file| file.write_all(&bytes))
    });
    copied.map_err(|e| failure::io(&kept, "the file of the older version cannot be kept", &e).into())
}

fn migrate(connection: &mut Connection, schema: &Schema) -> std::result::Result<(), Failure> {
    if version(connection, schema)? == Some(schema.migrations.len()) {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = version(&transaction, schema)?.unwrap_or(0);
    for script in &schema.migrations[done..] {
        transaction.execute_batch(script)?;
    }
    transaction.pragma_update(None, "application_id", schema.application_id)?;
    let version = i64::try_from(schema.migrations.len()).unwrap_or(i64::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const V1: Schema = Schema {
        file: "test.db",
        application_id: 77,
        migrations: &["CREATE TABLE t (a INTEGER)"],
        page_bytes: 4096,
        durable: true,
        damaged: Damaged::Refuse,
    };
    const V2: Schema = Schema { migrations: &["CREATE TABLE t (a INTEGER)", "ALTER TABLE t ADD COLUMN b"], ..V1 };

    fn insert(database: &mut Database) -> Result<usize> {
        database.write(|transaction| Ok(transaction.execute("INSERT INTO t (a) VALUES (1)", [])?))
    }

    fn count(database: &mut Database) -> i64 {
        database.read(|transaction| Ok(transaction.query_row("SELECT count(*) FROM t", [], |row| row.get(0))?)).unwrap()
    }

    #[test]
    fn an_older_file_is_migrated_and_a_newer_one_refused_under_a_living_connection_too() {
        let directory = tempfile::tempdir().unwrap();
        let mut old = Database::open(directory.path(), &V1).unwrap();
        insert(&mut old).unwrap();
        let left = std::fs::read(directory.path().join("test.db")).unwrap();
        let mut new = Database::open(directory.path(), &V2).unwrap();
        insert(&mut new).unwrap();
        assert_eq!(count(&mut new), 2);
        assert_eq!(std::fs::read(directory.path().join("test.db.version-1")).unwrap(), left);
        for error in [insert(&mut old).unwrap_err(), Database::open(directory.path(), &V1).unwrap_err()] {
            assert_eq!(error.kind, Kind::State);
            assert!(error.message().contains("a newer version of the module wrote it"), "{error}");
        }
        assert_eq!(count(&mut new), 2);
    }

    #[test]
    fn a_failed_work_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = Database::open(directory.path(), &V1).unwrap();
        let error = database.write(|transaction| {
            transaction.execute("INSERT INTO t (a) VALUES (1)", [])?;
            Err::<(), _>(Error::new(Kind::Db, "x", "no").into())
        });
        assert_eq!(error.unwrap_err().kind, Kind::Db);
        assert_eq!(count(&mut database), 0);
    }

    #[test]
    fn a_damaged_or_foreign_file_is_refused_with_the_cure_and_stays() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        std::fs::write(&path, [7; 5000]).unwrap();
        let error = Database::open(directory.path(), &V1).unwrap_err();
        assert!(error.message().contains("restore it from a backup"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), [7; 5000]);
        std::fs::remove_file(&path).unwrap();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
        let error = Database::open(directory.path(), &V1).unwrap_err();
        assert!(error.message().contains("another program's file"), "{error}");
    }

    #[test]
    fn a_file_that_was_replaced_is_opened_again() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = Database::open(directory.path(), &V1).unwrap();
        insert(&mut database).unwrap();
        std::fs::remove_file(directory.path().join("test.db")).unwrap();
        insert(&mut database).unwrap();
        assert_eq!(count(&mut Database::open(directory.path(), &V1).unwrap()), 1);
    }

    #[test]
    fn a_copy_leaves_the_file_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("test.db");
        assert_eq!(count(&mut Database::copy(directory.path(), &V1).unwrap()), 0);
        assert!(!path.exists());
        insert(&mut Database::open(directory.path(), &V1).unwrap()).unwrap();
        let before = std::fs::read(&path).unwrap();
        let mut copy = Database::copy(directory.path(), &V2).unwrap();
        insert(&mut copy).unwrap();
        assert_eq!((count(&mut copy), std::fs::read(&path).unwrap()), (2, before));
        std::fs::write(&path, [7; 5000]).unwrap();
        assert_eq!(Database::copy(directory.path(), &V1).unwrap_err().kind, Kind::State);
    }

    #[test]
    fn a_durable_file_is_synchronised_and_private() {
        let directory = tempfile::tempdir().unwrap();
        let mut database = Database::open(directory.path(), &V1).unwrap();
        let pragma = |name: &'static str| {
            move |transaction: &Transaction<'_>| {
                Ok(transaction.pragma_query_value(None, name, |row| row.get::<_, rusqlite::types::Value>(0))?)
            }
        };
        assert_eq!(database.read(pragma("synchronous")).unwrap(), rusqlite::types::Value::Integer(2));
        let mode = database.read(pragma("journal_mode")).unwrap();
        assert_eq!(mode, rusqlite::types::Value::Text("truncate".to_owned()));
        let file = std::fs::metadata(directory.path().join("test.db")).unwrap();
        assert_eq!(file.mode() & 0o777, 0o600);
    }
}
