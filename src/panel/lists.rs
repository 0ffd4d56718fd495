//! List parameters of the item type (`ostempl`, `recipe`) and what a handler offers in them [protocol 3.16].

use std::collections::{BTreeMap, BTreeSet};

use super::connection::Panel;
use super::database::Param;
use super::value::Value;
use crate::error::Result;
use crate::id::HandlerId;

/// A value of a list parameter that a handler offers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offered {
    /// `itemtypeparamvalue.id`.
    pub id: u64,
    /// Internal name, `<repository>__<name>`.
    pub value: String,
}

impl Panel {
    /// What the handler offers in a list parameter of `vds`, as BILLmanager knows it.
    pub fn offered(&self, handler: HandlerId, param: &str) -> Result<Vec<Offered>> {
        let sql = "SELECT v.id, v.intname FROM itemtypeparamvalue v \
                   JOIN processingmodule2itemtypeparamvalue l ON l.itemtypeparamvalue = v.id \
                   JOIN itemtypeparam p ON v.itemtypeparam = p.id JOIN itemtype t ON p.itemtype = t.id \
                   WHERE l.processingmodule = ? AND p.intname = ? AND t.intname = 'vds' ORDER BY v.id";
        let rows = self.rows(sql, &[Param::Id(handler.get()), Param::Text(param)])?;
        Ok(rows.iter().filter_map(|row| Some(Offered { id: row.id(0)?, value: row.text(1).to_owned() })).collect())
    }

    /// The values of a parameter that services of the handler have, deleted ones aside.
    pub fn used(&self, handler: HandlerId, param: &str) -> Result<BTreeSet<String>> {
        let sql = "SELECT DISTINCT p.value FROM itemparam p JOIN item i ON p.item = i.id \
                   WHERE p.intname = ? AND i.processingmodule = ? AND i.status <> 4";
        let rows = self.rows(sql, &[Param::Text(param), Param::Id(handler.get())])?;
        Ok(rows.iter().filter_map(|row| row.filled(0)).map(str::to_owned).collect())
    }

    /// How many services of the handler have a crypted parameter, deleted ones aside.
    pub fn services_with_secret(&self, handler: HandlerId, param: &str) -> Result<usize> {
        let sql = "SELECT i.id FROM itemcryptedparam p JOIN item i ON p.item = i.id \
                   WHERE p.intname = ? AND p.value <> '' AND i.processingmodule = ? AND i.status <> 4";
        Ok(self.rows(sql, &[Param::Text(param), Param::Id(handler.get())])?.len())
    }

    /// The parameters that services of `vds` have, and whether their values are stored encrypted.
    pub fn item_params(&self) -> Result<BTreeMap<String, bool>> {
        let sql = "SELECT p.intname, p.crypted FROM itemtypeparam p JOIN itemtype t ON p.itemtype = t.id \
                   WHERE t.intname = 'vds'";
        Ok(self.rows(sql, &[])?.iter().map(|row| (row.text(0).to_owned(), row.text(1) == "on")).collect())
    }

    /// Offers a value under one name in all languages; tariffs do not sell it before an administrator says so.
    pub fn offer(&self, handler: HandlerId, param: &str, value: &str, name: &str) -> Result<()> {
        let handler = handler.to_string();
        let columns = self.name_columns()?;
        let mut params = vec![
            ("itemtype", Value::Plain("vds")),
            ("module", Value::Plain(&handler)),
            ("param", Value::Plain(param)),
            ("value", Value::Plain(value)),
            ("disablepricelists", Value::Plain("on")),
            ("name", Value::Plain(name)),
        ];
        params.extend(columns.iter().map(|column| (column.as_str(), Value::Plain(name))));
        self.call("itemtype.param.value.sync", &params).map(drop)
    }

    /// The columns for a name in every language but the one that `name` stands for.
    pub(super) fn name_columns(&self) -> Result<Vec<String>> {
        let languages = self.rows("SELECT langcode FROM locale ORDER BY id", &[])?;
        let others = languages.iter().filter_map(|row| row.filled(0)).filter(|code| *code != "en");
        Ok(others.map(|code| format!("name_{code}")).collect())
    }

    /// The handler no longer offers a value.
    pub fn withdraw(&self, handler: HandlerId, value: u64) -> Result<()> {
        let sql = "SELECT itemtypeparamvalue FROM processingmodule2itemtypeparamvalue \
                   WHERE processingmodule = ? AND itemtypeparamvalue = ?";
        let is_gone = || Ok(self.rows(sql, &[Param::Id(handler.get()), Param::Id(value)])?.is_empty());
        let (elid, plid) = (handler.to_string(), value.to_string());
        let params = [("elid", Value::Plain(&elid)), ("plid", Value::Plain(&plid))];
        self.call_once("itemtype.param.value.processing.suspend", &params, &is_gone).map(drop)
    }
}
