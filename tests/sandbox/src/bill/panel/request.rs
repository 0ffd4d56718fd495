//! One call as a function sees it: the database, the parameters, and the checks that all functions share.

use anyhow::Context as _;

use super::answer::Refusal;
use super::args::Arguments;
use crate::bill::calls::CallParam;
use crate::bill::control::Behaviour;
use crate::bill::key::KeyPair;
use crate::bill::root::Root;
use crate::bill::rows::ItemRow;
use crate::bill::store::{Store, values};

/// Parameters that belong to the panel and never to a service.
const PANEL_PARAMS: &[&str] = &["elid", "plid", "sok", "out", "func", "lang", "crypted", "clicked_button"];

/// A call in progress, inside its transaction.
pub(super) struct Request<'a> {
    pub store: &'a mut Store,
    pub root: &'a Root,
    pub behaviour: &'a Behaviour,
    pub function: &'a str,
    params: &'a [CallParam],
}

impl<'a> Request<'a> {
    pub(super) fn new(
        store: &'a mut Store,
        root: &'a Root,
        behaviour: &'a Behaviour,
        arguments: &'a Arguments,
    ) -> Self {
        Self { store, root, behaviour, function: &arguments.function, params: &arguments.params }
    }

    /// The value of a parameter, the last one given; `None` when it is not there at all.
    pub(super) fn given(&self, name: &str) -> Option<&'a str> {
        self.params.iter().rev().find(|it| it.name == name).map(|it| it.value.as_str())
    }

    /// The value of a parameter unless it is absent or empty.
    pub(super) fn optional(&self, name: &str) -> Option<&'a str> {
        self.given(name).filter(|value| !value.is_empty())
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        self.optional(name).ok_or_else(|| Refusal::missed(name))
    }

    /// An id that must be there.
    pub(super) fn id(&self, name: &str) -> Result<u64, Refusal> {
        let value = self.required(name)?;
        value.parse().map_err(|_| Refusal::value(name, value))
    }

    /// A calendar date that must be there.
    pub(super) fn date(&self, name: &str) -> Result<&'a str, Refusal> {
        let value = self.required(name)?;
        let known = value.parse::<jiff::civil::Date>().is_ok() && value.len() == "2025-01-31".len();
        if known { Ok(value) } else { Err(Refusal::value(name, value)) }
    }

    /// Refuses a call that does not confirm itself with `sok=ok`.
    pub(super) fn confirmed(&self) -> Result<(), Refusal> {
        match self.given("sok") {
            Some("ok") => Ok(()),
            Some(other) => Err(Refusal::value("sok", other)),
            None => Err(Refusal::missed("sok")),
        }
    }

    /// Every parameter that is not the panel's own, in the order given.
    pub(super) fn free(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let own = |it: &&CallParam| !PANEL_PARAMS.contains(&it.name.as_str());
        self.params.iter().filter(own).map(|it| (it.name.as_str(), it.value.as_str()))
    }

    /// The service that `elid` names; add-ons are not services.
    pub(super) fn service(&mut self) -> Result<ItemRow, Refusal> {
        let item = self.id("elid")?;
        ItemRow::read(self.store, item)?
            .filter(|row| row.parent.is_none())
            .ok_or_else(|| Refusal::value("elid", &item.to_string()))
    }

    /// A row of a table, named by a parameter; answers its id.
    pub(super) fn row_of(&mut self, table: &str, param: &str) -> Result<u64, Refusal> {
        let id = self.id(param)?;
        let found = self.store.id(&format!("SELECT id FROM {table} WHERE id = ?"), values![id])?;
        found.ok_or_else(|| Refusal::value(param, &id.to_string()))
    }

    /// The installation's key.
    pub(super) fn key(&self) -> Result<KeyPair, Refusal> {
        Ok(KeyPair::read(&self.root.key()).context("the installation has no usable key")?)
    }

    /// Saves a parameter of a service; it lives in one of the two tables, never in both.
    pub(super) fn save(&mut self, item: u64, name: &str, value: &str, crypted: bool) -> Result<(), Refusal> {
        self.drop_param(item, name)?;
        let (table, value) =
            if crypted { ("itemcryptedparam", self.key()?.encrypt(value)?) } else { ("itemparam", value.to_owned()) };
        let row = [("item", item.into()), ("intname", name.into()), ("value", value.into())];
        self.store.insert(table, &row)?;
        Ok(())
    }

    /// Deletes a parameter of a service; answers how many rows there were.
    pub(super) fn drop_param(&mut self, item: u64, name: &str) -> Result<u64, Refusal> {
        let mut dropped = 0;
        for table in ["itemparam", "itemcryptedparam"] {
            let sql = format!("DELETE FROM {table} WHERE item = ? AND intname = ?");
            dropped += self.store.exec(&sql, values![item, name])?;
        }
        Ok(dropped)
    }

    /// Ends an operation on a service: its rows go, tasks that stood for it are closed. Answers how many there were.
    pub(super) fn end_operation(&mut self, item: u64, command: &str) -> Result<u64, Refusal> {
        let close = "UPDATE task SET status = 2 WHERE runningoperation IN
                     (SELECT id FROM runningoperation WHERE item = ? AND intname = ?)";
        self.store.exec(close, values![item, command])?;
        let delete = "DELETE FROM runningoperation WHERE item = ? AND intname = ?";
        Ok(self.store.exec(delete, values![item, command])?)
    }
}
