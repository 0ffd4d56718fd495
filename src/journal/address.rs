//! What a service's addresses are to its client: which ones were sold, and the names that we gave them.

use super::{Journal, Subject, now};
use crate::error::Result;
use crate::id::ServiceId;

impl Journal {
    /// Addresses of the service's VM that its slots hold or held.
    pub fn sold(&self, item: ServiceId) -> Result<Vec<String>> {
        self.words(item, "sold")
    }

    /// The same as they are now.
    pub fn sell(&self, subject: Subject, addresses: &[String]) -> Result<()> {
        self.put_words(subject, "sold", addresses)
    }

    /// Reverse names that the service's addresses were given, the last one last.
    pub fn reverse_names(&self, item: ServiceId) -> Result<Vec<String>> {
        self.words(item, "reverse_names")
    }

    /// Addresses are about to be given the last of these reverse names.
    pub fn name_addresses(&self, subject: Subject, names: &[String]) -> Result<()> {
        self.put_words(subject, "reverse_names", names)
    }

    fn words(&self, item: ServiceId, column: &str) -> Result<Vec<String>> {
        let sql = format!("SELECT {column} FROM service WHERE item = ?1");
        let text: Option<String> = self.first(&sql, &[&item], |row| row.get(0))?;
        Ok(text.unwrap_or_default().split_whitespace().map(str::to_owned).collect())
    }

    fn put_words(&self, subject: Subject, column: &str, words: &[String]) -> Result<()> {
        let Subject { item, client, platform, mark } = subject;
        let sql = format!(
            "INSERT INTO service (item, client, phase, mark, hash, {column}, changed, platform)
             VALUES (?1, ?2, 'ready', ?3, '', ?4, ?5, ?6)
             ON CONFLICT (item) DO UPDATE SET {column} = ?4, changed = ?5"
        );
        self.put(item, &sql, rusqlite::params![item, client, mark, words.join(" "), now(), platform])
    }
}
