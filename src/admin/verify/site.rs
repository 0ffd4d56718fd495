//! The VMmanager that is asked. What several questions look at is read once.

use std::cell::OnceCell;

use serde_json::Value;

use super::description::Description;
use super::swagger;
use crate::error::Result;
use crate::vmm::Client;

/// Elements of a list that are looked at, the newest ones.
const SAMPLE: usize = 100;

/// A VMmanager and what was read of it.
pub(super) struct Site<'a> {
    pub vmm: &'a Client,
    /// Counters of traffic before and after the last end of a month.
    pub turns: Vec<(u64, u64)>,
    description: OnceCell<Option<Description>>,
    hosts: OnceCell<Vec<Value>>,
    tasks: OnceCell<Vec<Value>>,
}

impl<'a> Site<'a> {
    /// Reads nothing yet.
    pub(super) fn new(vmm: &'a Client, turns: Vec<(u64, u64)>) -> Self {
        Site { vmm, turns, description: OnceCell::new(), hosts: OnceCell::new(), tasks: OnceCell::new() }
    }

    /// The description of the API; nothing when this VMmanager has none that can be understood.
    pub(super) fn description(&self) -> Result<Option<&Description>> {
        once(&self.description, || swagger::describe(self.vmm)).map(Option::as_ref)
    }

    /// The newest VMs.
    pub(super) fn hosts(&self) -> Result<&[Value]> {
        once(&self.hosts, || self.newest("/vm/v3/host")).map(Vec::as_slice)
    }

    /// The newest tasks.
    pub(super) fn tasks(&self) -> Result<&[Value]> {
        once(&self.tasks, || self.newest("/vm/v3/task")).map(Vec::as_slice)
    }

    /// The newest elements of a list.
    pub(super) fn newest(&self, path: &str) -> Result<Vec<Value>> {
        self.list(&format!("{path}?limit=0,{SAMPLE}&orderby=id%20desc"))
    }

    /// The elements of a list as they are; nothing that can be read as one is none.
    pub(super) fn list(&self, path: &str) -> Result<Vec<Value>> {
        let answer: Value = self.vmm.get(path)?;
        Ok(answer.get("list").and_then(Value::as_array).cloned().unwrap_or_default())
    }
}

fn once<T>(place: &OnceCell<T>, read: impl FnOnce() -> Result<T>) -> Result<&T> {
    if let Some(known) = place.get() {
        return Ok(known);
    }
    let fresh = read()?;
    Ok(place.get_or_init(|| fresh))
}
