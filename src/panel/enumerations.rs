//! Enumerations: what clients choose from where an add-on is no number [protocol 5.7, A7].

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Panel;
use super::database::Param;
use super::value::Value;
use crate::error::Result;
use crate::id::HandlerId;

impl Panel {
    /// The enumerations from which tariffs of a handler offer an add-on, each with the internal names of its items.
    pub fn enumerations(&self, handler: HandlerId, addon: &str) -> Result<BTreeMap<u64, BTreeSet<String>>> {
        let sql = "SELECT DISTINCT p.enumeration, p.intname, t.intname FROM pricelist p \
                   JOIN itemtype t ON p.itemtype = t.id JOIN processingmodule2pricelist l ON l.pricelist = p.parent \
                   WHERE l.processingmodule = ? AND p.addontype = 3 AND p.enumeration IS NOT NULL ORDER BY p.enumeration";
        let rows = self.rows(sql, &[Param::Id(handler.get())])?;
        let is_it = |key: &str| key.split_whitespace().any(|word| word == addon);
        let sold = rows.iter().filter(|row| is_it(row.filled(1).unwrap_or_else(|| row.text(2))));
        let mut found = BTreeMap::new();
        for id in sold.filter_map(|row| row.id(0)) {
            found.insert(id, self.items(id)?);
        }
        Ok(found)
    }

    fn items(&self, enumeration: u64) -> Result<BTreeSet<String>> {
        let sql = "SELECT intname FROM enumerationitem WHERE enumeration = ? ORDER BY id";
        let rows = self.rows(sql, &[Param::Id(enumeration)])?;
        Ok(rows.iter().filter_map(|row| row.filled(0)).map(str::to_owned).collect())
    }

    /// Adds an item whose internal name is its name in all languages.
    pub fn add_item(&self, enumeration: u64, name: &str) -> Result<()> {
        let (plid, columns) = (enumeration.to_string(), self.name_columns()?);
        let mut params =
            vec![("plid", Value::Plain(&plid)), ("intname", Value::Plain(name)), ("name", Value::Plain(name))];
        params.extend(columns.iter().map(|column| (column.as_str(), Value::Plain(name))));
        params.push(("sok", Value::Plain("ok")));
        let is_there = || Ok(self.items(enumeration)?.contains(name));
        self.call_once("enumerationitem.edit", &params, &is_there).map(drop)
    }
}
