//! The schema of `runtime.db`: the queue's index, the session cache, and the journal's witness. A reboot may take it away.

use super::{Damaged, Schema};

/// `runtime.db` in the runtime directory. `ticket` indexes the files in `tickets/`; it is complete once `ticket_index`
/// has its row (the queue writes it, see `queue::store`). Moments are milliseconds of [`super::boot::now_ms`].
pub(crate) const RUNTIME: Schema = Schema {
    file: "runtime.db",
    application_id: 0x564d_3672,
    migrations: &[
        "
        CREATE TABLE ticket (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            key TEXT NOT NULL,
            queues INTEGER NOT NULL,
            command TEXT NOT NULL,
            item INTEGER,
            handler INTEGER,
            pid INTEGER NOT NULL,
            pid_start INTEGER NOT NULL,
            boot TEXT NOT NULL,
            entered INTEGER NOT NULL,
            number INTEGER,
            started INTEGER
        ) STRICT;
        CREATE INDEX ticket_by_key ON ticket (key, id);
        CREATE TABLE ticket_index (complete INTEGER PRIMARY KEY) STRICT;
        CREATE TABLE session (
            identity TEXT PRIMARY KEY,
            url TEXT NOT NULL,
            username TEXT NOT NULL,
            token BLOB NOT NULL,
            boot TEXT NOT NULL,
            obtained INTEGER NOT NULL,
            ttl INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE refusal (
            identity TEXT PRIMARY KEY,
            object TEXT NOT NULL,
            value TEXT NOT NULL,
            boot TEXT NOT NULL,
            at INTEGER NOT NULL
        ) STRICT;
    ",
        "
        ALTER TABLE refusal ADD COLUMN cure TEXT;
    ",
        "
        CREATE TABLE witness (boot TEXT PRIMARY KEY, since INTEGER NOT NULL) STRICT;
        CREATE TABLE asked (item INTEGER PRIMARY KEY) STRICT;
    ",
    ],
    page_bytes: 1024,
    durable: false,
    damaged: Damaged::SetAside,
};

#[cfg(test)]
mod tests {
    use super::RUNTIME;
    use crate::digest::sha256;

    /// A file that a released version wrote must be the file that this version knows: add a script, change none.
    #[test]
    fn released_scripts_never_change() {
        let released = ["aaf944035b0b9832a47e6520918675cbf03c8177890cc40404986cd8118672a6"];
        let digests = RUNTIME.migrations.iter().map(|script| sha256(script.as_bytes()));
        assert_eq!(digests.take(released.len()).collect::<Vec<_>>(), released);
    }
}
