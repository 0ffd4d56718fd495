//! The one way to the database, the same for SQLite and MariaDB.
//!
//! Values travel as text or numbers and come back as text, which is what BILLmanager's own tools see. Statements are
//! prepared, with `?` for values, and written in the common part of both dialects.

use std::fmt::{self, Display};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use mysql::consts::ColumnType;
use mysql::prelude::Queryable;

/// How long a writer waits for the others on SQLite.
const BUSY: Duration = Duration::from_secs(30);

/// A value given to a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// SQL `NULL`.
    Null,
    /// A number.
    Int(i64),
    /// A text, also for dates and flags.
    Text(String),
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<i32> for Value {
    fn from(number: i32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u32> for Value {
    fn from(number: u32) -> Self {
        Self::Int(number.into())
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        i64::try_from(number).map_or_else(|_| Self::Text(number.to_string()), Self::Int)
    }
}

impl From<bool> for Value {
    /// A flag, as BILLmanager writes it.
    fn from(flag: bool) -> Self {
        Self::Text(if flag { "on" } else { "off" }.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl Display for Value {
    /// The value as text; nothing for `NULL`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Int(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

/// The values of one statement: `values![item, "open", None::<i64>]`.
macro_rules! values {
    ($($value:expr),* $(,)?) => { &[$($crate::bill::store::Value::from($value)),*][..] };
}
pub(crate) use values;

/// One row of an answer: every column as text, `None` for `NULL`.
pub type Row = Vec<Option<String>>;

/// Where the database is, as `etc/billmgr.conf.d/db.conf` says it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Location {
    /// A file.
    Sqlite {
        /// The database file.
        file: PathBuf,
    },
    /// A server reached over its unix socket.
    MariaDb {
        /// Its socket.
        socket: PathBuf,
        /// The user.
        user: String,
        /// The user's password.
        password: String,
        /// The database.
        name: String,
    },
}

/// An open connection.
pub(super) struct Store(Connection);

enum Connection {
    Sqlite(rusqlite::Connection),
    MariaDb(Box<mysql::Conn>),
}

impl Store {
    /// Connects.
    pub(super) fn open(location: &Location) -> Result<Self> {
        let connection = match location {
            Location::Sqlite { file } => {
                let connection = rusqlite::Connection::open(file)
                    .with_context(|| format!("cannot open the database {}", file.display()))?;
                connection.busy_timeout(BUSY)?;
                connection.pragma_update(None, "journal_mode", "WAL")?;
                connection.pragma_update(None, "synchronous", "OFF")?;
                Connection::Sqlite(connection)
            }
            Location::MariaDb { socket, user, password, name } => {
                let options = mysql::OptsBuilder::new()
                    .socket(Some(socket.to_string_lossy()))
                    .prefer_socket(true)
                    .user(Some(user))
                    .pass(Some(password))
                    .db_name((!name.is_empty()).then_some(name))
                    .init(vec!["SET NAMES utf8", "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"]);
                let connection =
                    mysql::Conn::new(options).with_context(|| format!("cannot connect to {}", socket.display()))?;
                Connection::MariaDb(Box::new(connection))
            }
        };
        Ok(Self(connection))
    }

    /// True on SQLite; the schema is the only one to ask.
    pub(super) fn is_sqlite(&self) -> bool {
        matches!(self.0, Connection::Sqlite(_))
    }

    /// Runs a statement; answers the number of rows it changed.
    pub(super) fn exec(&mut self, sql: &str, values: &[Value]) -> Result<u64> {
        let changed = match &mut self.0 {
            Connection::Sqlite(connection) => connection
                .prepare_cached(sql)
                .and_then(|mut statement| statement.execute(rusqlite::params_from_iter(values)))
                .map(|changed| changed as u64)
                .map_err(anyhow::Error::from),
            Connection::MariaDb(connection) => connection
                .exec_drop(sql, positional(values))
                .map(|()| connection.affected_rows())
                .map_err(anyhow::Error::from),
        };
        changed.with_context(|| format!("statement failed: {sql}"))
    }

    /// Inserts a row of the given columns; answers its id.
    pub(super) fn insert(&mut self, table: &str, row: &[(&str, Value)]) -> Result<u64> {
        let columns: Vec<&str> = row.iter().map(|(column, _)| *column).collect();
        let marks = vec!["?"; row.len()].join(", ");
        let values: Vec<Value> = row.iter().map(|(_, value)| value.clone()).collect();
        self.exec(&format!("INSERT INTO {table} ({}) VALUES ({marks})", columns.join(", ")), &values)?;
        self.last_id()
    }

    /// Id of the row inserted last on this connection.
    pub(super) fn last_id(&self) -> Result<u64> {
        Ok(match &self.0 {
            Connection::Sqlite(connection) => u64::try_from(connection.last_insert_rowid())?,
            Connection::MariaDb(connection) => connection.last_insert_id(),
        })
    }

    /// All rows of a query.
    pub(super) fn rows(&mut self, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
        match &mut self.0 {
            Connection::Sqlite(connection) => sqlite_rows(connection, sql, values),
            Connection::MariaDb(connection) => mariadb_rows(connection, sql, values),
        }
        .with_context(|| format!("query failed: {sql}"))
    }

    /// The first row of a query, if there is one.
    pub(super) fn row(&mut self, sql: &str, values: &[Value]) -> Result<Option<Row>> {
        Ok(self.rows(sql, values)?.into_iter().next())
    }

    /// The first column of the first row; `None` for no row and for `NULL`.
    pub(super) fn text(&mut self, sql: &str, values: &[Value]) -> Result<Option<String>> {
        Ok(self.row(sql, values)?.and_then(|row| row.into_iter().next().flatten()))
    }

    /// The same as a number.
    pub(super) fn number(&mut self, sql: &str, values: &[Value]) -> Result<Option<i64>> {
        self.text(sql, values)?
            .map(|text| text.parse().with_context(|| format!("`{text}` is not a number: {sql}")))
            .transpose()
    }

    /// The same as an id.
    pub(super) fn id(&mut self, sql: &str, values: &[Value]) -> Result<Option<u64>> {
        self.number(sql, values)?
            .map(|number| u64::try_from(number).with_context(|| format!("{number} is no id: {sql}")))
            .transpose()
    }

    /// All of `work` or nothing of it.
    pub(super) fn transaction<T, E>(&mut self, work: impl FnOnce(&mut Self) -> Result<T, E>) -> Result<T, E>
    where
        E: From<anyhow::Error>,
    {
        let begin = if self.is_sqlite() { "BEGIN IMMEDIATE" } else { "START TRANSACTION" };
        self.command(begin)?;
        match work(self) {
            Ok(value) => {
                self.command("COMMIT")?;
                Ok(value)
            }
            Err(error) => {
                self.command("ROLLBACK")?;
                Err(error)
            }
        }
    }

    /// A statement that cannot be prepared.
    pub(super) fn command(&mut self, sql: &str) -> Result<()> {
        match &mut self.0 {
            Connection::Sqlite(connection) => connection.execute_batch(sql)?,
            Connection::MariaDb(connection) => connection.query_drop(sql)?,
        }
        Ok(())
    }
}

impl rusqlite::ToSql for Value {
    fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
        match self {
            Self::Null => Ok(rusqlite::types::Null.into()),
            Self::Int(number) => number.to_sql(),
            Self::Text(text) => text.to_sql(),
        }
    }
}

fn positional(values: &[Value]) -> mysql::Params {
    if values.is_empty() {
        return mysql::Params::Empty;
    }
    mysql::Params::Positional(
        values
            .iter()
            .map(|value| match value {
                Value::Null => mysql::Value::NULL,
                Value::Int(number) => mysql::Value::Int(*number),
                Value::Text(text) => mysql::Value::Bytes(text.clone().into_bytes()),
            })
            .collect(),
    )
}

fn sqlite_rows(connection: &rusqlite::Connection, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
    use rusqlite::types::ValueRef;
    let mut statement = connection.prepare_cached(sql)?;
    let width = statement.column_count();
    let mut found = statement.query(rusqlite::params_from_iter(values))?;
    let mut rows = Vec::new();
    while let Some(row) = found.next()? {
        let cells = (0..width).map(|column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(text) => Some(String::from_utf8(text.to_vec())?),
                ValueRef::Blob(_) => bail!("a binary value where BILLmanager has none"),
            })
        });
        rows.push(cells.collect::<Result<Row>>()?);
    }
    Ok(rows)
}

fn mariadb_rows(connection: &mut mysql::Conn, sql: &str, values: &[Value]) -> Result<Vec<Row>> {
    let found: Vec<mysql::Row> = connection.exec(sql, positional(values))?;
    found
        .into_iter()
        .map(|row| {
            let kinds: Vec<ColumnType> = row.columns_ref().iter().map(mysql::Column::column_type).collect();
            row.unwrap().into_iter().zip(kinds).map(|(value, kind)| cell(value, kind)).collect()
        })
        .collect()
}

fn cell(value: mysql::Value, kind: ColumnType) -> Result<Option<String>> {
    use mysql::Value as My;
    Ok(Some(match value {
        My::NULL => return Ok(None),
        My::Bytes(bytes) => String::from_utf8(bytes)?,
        My::Int(number) => number.to_string(),
        My::UInt(number) => number.to_string(),
        My::Float(number) => number.to_string(),
        My::Double(number) => number.to_string(),
        My::Date(year, month, day, ..) if kind == ColumnType::MYSQL_TYPE_DATE => {
            format!("{year:04}-{month:02}-{day:02}")
        }
        My::Date(year, month, day, hour, minute, second, _) => {
            format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
        }
        My::Time(..) => bail!("a time of day where BILLmanager has none"),
    }))
}
