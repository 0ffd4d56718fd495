//! The queue's rows in `runtime.db`: an index over the ticket files, rebuilt from them when it is missing.

use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::admission::Ahead;
use super::label::Label;
use super::process::Process;
use super::ticket::{Running, Ticket};
use crate::state::Failure;

type Outcome<T> = std::result::Result<T, Failure>;

const COLUMNS: &str = "id, key, queues, command, item, handler, pid, pid_start, boot, entered, number, started";

/// Whether the index knows every ticket.
pub(super) fn is_complete(transaction: &Transaction<'_>) -> Outcome<bool> {
    let mut query = transaction.prepare_cached("SELECT 1 FROM ticket_index")?;
    Ok(query.query_row([], |_| Ok(())).optional()?.is_some())
}

/// Notes that the index knows every ticket.
pub(super) fn set_complete(transaction: &Transaction<'_>) -> Outcome<()> {
    transaction.execute("INSERT INTO ticket_index VALUES (1)", [])?;
    Ok(())
}

/// Adds a row, with the ticket's id if it has one (not 0), and returns the id.
pub(super) fn insert(transaction: &Transaction<'_>, ticket: &Ticket) -> Outcome<i64> {
    let sql = format!("INSERT INTO ticket ({COLUMNS}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    transaction.prepare_cached(&sql)?.execute(params![
        (ticket.id != 0).then_some(ticket.id),
        ticket.key,
        ticket.queues,
        ticket.label.command,
        ticket.label.item.map(|id| id.get().cast_signed()),
        ticket.label.handler.map(|id| id.get().cast_signed()),
        ticket.process.pid,
        ticket.process.pid_start.cast_signed(),
        ticket.process.boot,
        ticket.entered,
        ticket.running.map(|running| running.number),
        ticket.running.map(|running| running.started),
    ])?;
    Ok(transaction.last_insert_rowid())
}

/// Notes that a ticket has started.
pub(super) fn start(transaction: &Transaction<'_>, id: i64, running: Running) -> Outcome<()> {
    let mut update = transaction.prepare_cached("UPDATE ticket SET number = ?2, started = ?3 WHERE id = ?1")?;
    update.execute(params![id, running.number, running.started])?;
    Ok(())
}

/// Removes a row.
pub(super) fn delete(transaction: &Transaction<'_>, id: i64) -> Outcome<()> {
    transaction.prepare_cached("DELETE FROM ticket WHERE id = ?1")?.execute([id])?;
    Ok(())
}

/// The row of a ticket.
pub(super) fn get(transaction: &Transaction<'_>, id: i64) -> Outcome<Option<Ticket>> {
    Ok(select(transaction, "WHERE id = ?1", params![id])?.pop())
}

/// The tickets of a key before `id`, oldest first.
pub(super) fn ahead(transaction: &Transaction<'_>, key: &str, id: i64) -> Outcome<Vec<Ahead>> {
    let mut query = transaction
        .prepare_cached("SELECT id, number IS NOT NULL FROM ticket WHERE key = ?1 AND id < ?2 ORDER BY id")?;
    let rows = query.query_map(params![key, id], |row| Ok(Ahead { id: row.get(0)?, running: row.get(1)? }))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// The tickets of a key that have started, oldest first.
pub(super) fn running(transaction: &Transaction<'_>, key: &str) -> Outcome<Vec<Ticket>> {
    select(transaction, "WHERE key = ?1 AND number IS NOT NULL ORDER BY id", params![key])
}

/// The oldest tickets of all keys.
pub(super) fn oldest(transaction: &Transaction<'_>, count: u32) -> Outcome<Vec<i64>> {
    let mut query = transaction.prepare_cached("SELECT id FROM ticket ORDER BY id LIMIT ?1")?;
    let rows = query.query_map([count], |row| row.get(0))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// All tickets, oldest first.
pub(super) fn all(transaction: &Transaction<'_>) -> Outcome<Vec<Ticket>> {
    select(transaction, "ORDER BY id", params![])
}

fn select(transaction: &Transaction<'_>, tail: &str, values: &[&dyn rusqlite::ToSql]) -> Outcome<Vec<Ticket>> {
    let mut query = transaction.prepare_cached(&format!("SELECT {COLUMNS} FROM ticket {tail}"))?;
    let rows = query.query_map(values, ticket)?.collect::<rusqlite::Result<_>>()?;
    Ok(rows)
}

/// SQLite counts with signs; ids and times stay far below the limit.
fn id<T: From<u64>>(value: Option<i64>) -> Option<T> {
    value.map(|number| T::from(number.cast_unsigned()))
}

fn ticket(row: &Row<'_>) -> rusqlite::Result<Ticket> {
    let running = match (row.get(10)?, row.get(11)?) {
        (Some(number), Some(started)) => Some(Running { number, started }),
        _ => None,
    };
    Ok(Ticket {
        id: row.get(0)?,
        key: row.get(1)?,
        queues: row.get(2)?,
        label: Label { command: row.get(3)?, item: id(row.get(4)?), handler: id(row.get(5)?) },
        process: Process { pid: row.get(6)?, pid_start: i64::cast_unsigned(row.get(7)?), boot: row.get(8)? },
        entered: row.get(9)?,
        running,
    })
}
