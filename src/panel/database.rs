//! A connection to BILLmanager's database: MariaDB/MySQL, or `SQLite` in the sandbox.
//!
//! Rows come back as optional texts whatever the column's type is, so the queries in this folder are written once.
//! They use plain SQL that a 5.5 server and `SQLite` both understand [protocol 5.2]. The module writes nothing but
//! `itemstat`.

use std::path::Path;
use std::time::Duration;

use mysql::prelude::Queryable;

use super::database_tls::{self, OPTION};
use super::options::Options;
use super::socket::Socket;
use crate::error::{Error, Kind, Result};
use crate::id::ServiceId;

const CONNECT: Duration = Duration::from_secs(5);
const ANSWER: Duration = Duration::from_secs(30);

/// The longest packet that is taken, MariaDB's own upper limit.
const MAX_PACKET_BYTES: usize = 1 << 30;

/// A value for a `?` in a query.
#[derive(Clone, Copy, Debug)]
pub(super) enum Param<'a> {
    Id(u64),
    Text(&'a str),
}

/// SQL and the values for its `?`.
pub(super) type Query<'a> = (&'a str, &'a [Param<'a>]);

/// One row of an answer.
pub struct Row(Vec<Option<String>>);

impl Row {
    /// A column's text; NULL reads as empty.
    pub fn text(&self, column: usize) -> &str {
        self.0.get(column).and_then(Option::as_deref).unwrap_or_default()
    }

    /// A column's text unless it is NULL or empty.
    pub fn filled(&self, column: usize) -> Option<&str> {
        self.0.get(column).and_then(Option::as_deref).filter(|text| !text.is_empty())
    }

    /// A column's whole number; NULL and what is no number read as nothing.
    pub fn number(&self, column: usize) -> Option<i64> {
        let text = self.filled(column)?;
        // A decimal column answers `2.00`.
        text.parse().ok().or_else(|| text.split_once('.').and_then(|(whole, _)| whole.parse().ok()))
    }

    /// A column's id: a number above zero.
    pub fn id<T: From<u64>>(&self, column: usize) -> Option<T> {
        self.number(column).and_then(|n| u64::try_from(n).ok()).filter(|&id| id > 0).map(T::from)
    }
}

/// An open connection.
pub(super) enum Database {
    /// MariaDB or `MySQL`.
    MySql(Box<mysql::Conn>),
    /// A file, as in the sandbox.
    Sqlite(rusqlite::Connection),
}

/// Why there is no connection.
pub(super) struct Refused {
    pub error: Error,
    /// The server takes no connections now; it may be starting.
    pub may_pass: bool,
}

impl Database {
    /// Connects as `options` say; the error is `db` and never holds the password.
    pub(super) fn connect(options: &Options, root: &Path) -> std::result::Result<Self, Refused> {
        if options.sqlite {
            let opened = sqlite(&root.join(options.names.first().map_or("", String::as_str)));
            return opened.map_err(|error| Refused { error, may_pass: false });
        }
        let refused = |reason: &str, may_pass| Refused { error: unreachable(options, reason), may_pass };
        // A server that starts makes its socket.
        let socket = Socket::find(options).map_err(|reason| refused(&reason, true))?;
        // What goes over a socket stays on this machine.
        let authorities = if socket.is_none() { options.tls.demanded() } else { Ok(None) };
        let authorities = authorities.map_err(|reason| refused(&reason, false))?;
        let tls = authorities.map(|those| mysql::SslOpts::default().with_root_cert_path(those.file));
        let mut last = None;
        for name in &options.names {
            match mysql::Conn::new(address(options, name, socket.as_ref()).ssl_opts(tls.clone())) {
                Ok(connection) => return Ok(Database::MySql(Box::new(connection))),
                // Unknown database: an installation may use the older name [protocol 7.18].
                Err(mysql::Error::MySqlError(e)) if e.code == 1049 => last = Some(e.to_string()),
                Err(error) => {
                    let is_plain = tls.is_none() && socket.is_none();
                    if let Some(error) = about_tls(options, &error, is_plain) {
                        return Err(Refused { error, may_pass: false });
                    }
                    let text = error.to_string();
                    let text = socket.as_ref().map_or_else(|| text.clone(), |socket| socket.named(&text));
                    return Err(refused(&text, may_pass(&error)));
                }
            }
        }
        Err(refused(&last.unwrap_or_else(|| "no database name is configured".to_owned()), false))
    }

    /// The query that answers kind and version.
    pub(super) fn version_query(&self) -> &'static str {
        match self {
            Database::MySql(_) => "SELECT CONCAT('server ', VERSION())",
            Database::Sqlite(_) => "SELECT 'SQLite ' || sqlite_version()",
        }
    }

    /// Runs queries and returns the rows of each, in one round trip where no value needs quoting.
    pub(super) fn rows(&mut self, queries: &[Query]) -> Result<Vec<Vec<Row>>> {
        match self {
            Database::MySql(connection) => mysql_rows(connection, queries).map_err(|e| failed(&e.to_string())),
            Database::Sqlite(connection) => {
                let rows = queries.iter().map(|(sql, params)| sqlite_rows(connection, sql, params));
                rows.collect::<rusqlite::Result<_>>().map_err(|e| failed(&e.to_string()))
            }
        }
    }
}

/// The server is not there, starts, ends, or has too many connections.
fn may_pass(error: &mysql::Error) -> bool {
    match error {
        mysql::Error::IoError(_) => true,
        mysql::Error::DriverError(error) => {
            matches!(error, mysql::DriverError::ConnectTimeout | mysql::DriverError::CouldNotConnect(_))
        }
        mysql::Error::MySqlError(error) => [1040, 1053, 1203].contains(&error.code),
        _ => false,
    }
}

/// The query with its values in it, if they read the same whatever the server's settings are. A prepared statement
/// would take a second round trip, and a third one to be forgotten.
fn spelled(&(sql, params): &Query) -> Option<String> {
    let mut parts = sql.split('?');
    let mut text = parts.next()?.to_owned();
    for (param, part) in params.iter().zip(parts) {
        match param {
            Param::Id(id) => text += &id.to_string(),
            Param::Text(word) if word.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-.@".contains(&b)) => {
                text.extend(["'", word, "'"]);
            }
            Param::Text(_) => return None,
        }
        text += part;
    }
    Some(text)
}

fn address(options: &Options, name: &str, socket: Option<&Socket>) -> mysql::OptsBuilder {
    let builder = mysql::OptsBuilder::new()
        .user(Some(&options.user))
        .pass(Some(options.password_text()))
        .db_name(Some(name))
        .prefer_socket(false)
        // Otherwise the server is asked for its own limit first.
        .max_allowed_packet(Some(MAX_PACKET_BYTES))
        .tcp_connect_timeout(Some(CONNECT))
        .read_timeout(Some(ANSWER))
        .write_timeout(Some(ANSWER));
    if let Some(socket) = socket {
        return builder.socket(Some(socket.path()));
    }
    let (host, port) = options.place();
    builder.ip_or_hostname(Some(host)).tcp_port(port)
}

fn mysql_rows(connection: &mut mysql::Conn, queries: &[Query]) -> mysql::Result<Vec<Vec<Row>>> {
    let row = |row: mysql::Row| Row(row.unwrap().into_iter().map(mysql_text).collect());
    if let Some(texts) = queries.iter().map(spelled).collect::<Option<Vec<_>>>() {
        let mut answers = connection.query_iter(texts.join("; "))?;
        let mut found = Vec::new();
        while let Some(answer) = answers.iter() {
            found.push(answer.map(|read| read.map(row)).collect::<mysql::Result<_>>()?);
        }
        return Ok(found);
    }
    let value = |param: &Param| match param {
        Param::Id(id) => mysql::Value::UInt(*id),
        Param::Text(text) => mysql::Value::Bytes(text.as_bytes().to_vec()),
    };
    let prepared = queries.iter().map(|(sql, params)| {
        let values = mysql::Params::Positional(params.iter().map(value).collect());
        Ok(connection.exec::<mysql::Row, _, _>(*sql, values)?.into_iter().map(row).collect())
    });
    prepared.collect()
}

fn mysql_text(value: mysql::Value) -> Option<String> {
    match value {
        mysql::Value::NULL => None,
        mysql::Value::Bytes(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        mysql::Value::Int(number) => Some(number.to_string()),
        mysql::Value::UInt(number) => Some(number.to_string()),
        mysql::Value::Float(number) => Some(number.to_string()),
        mysql::Value::Double(number) => Some(number.to_string()),
        date_or_time => Some(date_or_time.as_sql(true).trim_matches('\'').to_owned()),
    }
}

fn sqlite(file: &Path) -> Result<Database> {
    let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = || {
        let connection = rusqlite::Connection::open_with_flags(file, flags)?;
        connection.busy_timeout(ANSWER)?;
        Ok(connection)
    };
    open().map(Database::Sqlite).map_err(|error: rusqlite::Error| {
        Error::new(
            Kind::Db,
            file.display().to_string(),
            format!("BILLmanager's SQLite database cannot be opened: {error}"),
        )
    })
}

fn sqlite_rows(connection: &rusqlite::Connection, sql: &str, params: &[Param]) -> rusqlite::Result<Vec<Row>> {
    use rusqlite::types::{Value, ValueRef};
    let mut statement = connection.prepare(sql)?;
    let columns = statement.column_count();
    let values = params.iter().map(|param| match param {
        Param::Id(id) => Value::Integer(i64::try_from(*id).unwrap_or(i64::MAX)),
        Param::Text(text) => Value::Text((*text).to_owned()),
    });
    let mut rows = statement.query(rusqlite::params_from_iter(values))?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        let text = |column| {
            Ok(match row.get_ref(column)? {
                ValueRef::Null => None,
                ValueRef::Integer(number) => Some(number.to_string()),
                ValueRef::Real(number) => Some(number.to_string()),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
            })
        };
        found.push(Row((0..columns).map(text).collect::<rusqlite::Result<_>>()?));
    }
    Ok(found)
}

fn unreachable(options: &Options, reason: &str) -> Error {
    let place = options.socket.as_ref().map_or_else(|| options.host.clone(), |socket| socket.display().to_string());
    Error::new(Kind::Db, place, format!("BILLmanager's database cannot be reached as {}: {reason}", options.user)).cure(
        "check DBHost, DBSocket, DBUser, DBPassword and DBName in etc/billmgr.conf.d and that the database server runs; with \
         DBHost localhost it is reached over its socket, with 127.0.0.1 over TCP",
    )
}

/// The error of a connection that ended because of TLS, if it did.
fn about_tls(options: &Options, error: &mysql::Error, is_plain: bool) -> Option<Error> {
    let (host, port) = options.place();
    let said = |text: String, cure: String| {
        Some(Error::new(Kind::Db, options.host.clone(), format!("BILLmanager's database: {text}")).cure(cure))
    };
    let verdict = match error {
        mysql::Error::DriverError(mysql::DriverError::TlsNotSupported) => {
            return said(
                format!("the server offers no TLS, which {OPTION} demands; no login was sent"),
                "switch TLS on at the database server; if it is on, somebody on the way takes the offer out".to_owned(),
            );
        }
        // ER_SECURE_TRANSPORT_REQUIRED; most servers say only that access is denied [protocol 1.2].
        mysql::Error::MySqlError(error) if error.code == 3159 || error.code == 1045 && is_plain => {
            return said(
                error.to_string(),
                format!(
                    "check DBUser and DBPassword; if the server or the user demands TLS (REQUIRE SSL), write `{OPTION} \
                     system` or `{OPTION} /path/to/authority.pem` in etc/billmgr.conf.d"
                ),
            );
        }
        mysql::Error::IoError(error) => database_tls::verdict(error)?,
        mysql::Error::CodecError(error) => database_tls::verdict(error)?,
        mysql::Error::TlsError(error) => error.to_string(),
        _ => return None,
    };
    let seen = database_tls::certificate(host, port, CONNECT);
    let seen = seen.map_or_else(String::new, |seen| format!("; the certificate: {seen}"));
    said(
        format!("no TLS connection to the server: {verdict}{seen}"),
        format!(
            "give the server a certificate for {host}, and name the file of the authority that signed it with {OPTION}; if you \
             do not know this certificate, somebody on the way pretends to be the server"
        ),
    )
}

fn failed(reason: &str) -> Error {
    Error::new(Kind::Db, "query", format!("BILLmanager's database refused a query: {reason}"))
}

/// A condition on a column. The numbers are in the text: an old server has a limit for placeholders.
pub(super) fn among(ids: &[ServiceId]) -> String {
    let ids: Vec<String> = ids.iter().map(ServiceId::to_string).collect();
    // No id is 0, and an empty list is no SQL.
    if ids.is_empty() { "IN (0)".to_owned() } else { format!("IN ({})", ids.join(",")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_needs_no_quoting_is_spelled_out() {
        let query = "SELECT a FROM t WHERE b = ? AND c = ?";
        let spelled = |word| spelled(&(query, &[Param::Id(7), Param::Text(word)]));
        assert_eq!(spelled("panel_id-1.a@b").as_deref(), Some("SELECT a FROM t WHERE b = 7 AND c = 'panel_id-1.a@b'"));
        assert_eq!(spelled("").as_deref(), Some("SELECT a FROM t WHERE b = 7 AND c = ''"));
        for word in ["it's", "a\\", "a\"b", "a b", "a?b", "a;b", "é", "a\0b", "a%b"] {
            assert_eq!(spelled(word), None, "{word}");
        }
    }
}
