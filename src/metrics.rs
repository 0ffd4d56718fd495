//! Counters of all runs together, in a file of their own.
//!
//! Each panel command adds what it has counted ([`crate::tally`]) at its very end, in one transaction; whoever is
//! killed before that takes only his own numbers with him. The file is in the runtime directory: a reboot begins anew,
//! which Prometheus understands. It is not `runtime.db`, so that counting neither holds the queue's guard nor can
//! damage its index. Nothing depends on it: a damaged file is set aside, one that cannot be written is not.

use rusqlite::params;

use crate::config::Config;
use crate::error::Result;
use crate::fault;
use crate::state::{Damaged, Database, Schema};
use crate::tally;

static SCHEMA: Schema = Schema {
    file: "metrics.db",
    application_id: 0x706d_766d,
    migrations: &["CREATE TABLE sample (
        metric TEXT NOT NULL, labels TEXT NOT NULL, part TEXT NOT NULL, value INTEGER NOT NULL,
        PRIMARY KEY (metric, labels, part)) STRICT, WITHOUT ROWID;"],
    durable: false,
    damaged: Damaged::SetAside,
};

/// A stored number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sample {
    /// [`tally::Metric::name`].
    pub metric: String,
    /// As Prometheus writes them: `command="open",result="success"`.
    pub labels: String,
    /// As in [`tally::Series`].
    pub part: String,
    /// Events, or microseconds.
    pub value: i64,
}

impl Sample {
    /// Names and values of the labels: words of the program, in which nothing is escaped.
    pub fn labels(&self) -> Vec<(String, String)> {
        let pairs = self.labels.split(',').filter_map(|label| label.split_once('='));
        pairs.map(|(name, value)| (name.to_owned(), value.trim_matches('"').to_owned())).collect()
    }
}

/// Adds what this run has counted.
pub fn store(config: &Config) -> Result<()> {
    let counted = tally::take();
    let sql = "INSERT INTO sample (metric, labels, part, value) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (metric, labels, part) DO UPDATE SET value = value + excluded.value";
    Database::open(&config.runtime_dir(), &SCHEMA)?.write(|tx| {
        let mut statement = tx.prepare_cached(sql)?;
        for ((metric, values, part), value) in &counted {
            let labels = metric.labels().iter().zip(values).map(|(name, value)| format!("{name}=\"{value}\""));
            statement.execute(params![metric.name(), labels.collect::<Vec<_>>().join(","), part, value])?;
            fault::point("metrics.storing");
        }
        Ok(())
    })
}

/// Everything stored, in order; nothing when no run has stored anything yet.
pub fn read(config: &Config) -> Result<Vec<Sample>> {
    let directory = config.runtime_dir();
    if !directory.join(SCHEMA.file).exists() {
        return Ok(Vec::new());
    }
    Database::open(&directory, &SCHEMA)?.read(|transaction| {
        let mut statement = transaction.prepare("SELECT metric, labels, part, value FROM sample ORDER BY 1, 2, 3")?;
        let rows = statement.query_map([], |row| {
            Ok(Sample { metric: row.get(0)?, labels: row.get(1)?, part: row.get(2)?, value: row.get(3)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    })
}

#[cfg(test)]
mod tests {
    use super::SCHEMA;
    use crate::digest::sha256;

    /// A file that a released version wrote must be the file that this version knows: add a script, change none.
    #[test]
    fn released_scripts_never_change() {
        let released = ["38e5226e092dfaf877535b34734ada58cc6317123a3605ebfc13b045c7c92233"];
        let digests = SCHEMA.migrations.iter().map(|script| sha256(script.as_bytes()));
        assert_eq!(digests.take(released.len()).collect::<Vec<_>>(), released);
    }
}
