//! What has to be known of every VM of a platform to find one among them.
//!
//! Whatever else a VM shows, and in whatever form, stops nothing: only ids have to be numbers. A field that does not
//! fit reads as empty. The VM that was found is read again, strictly.

use serde::Deserialize;
use serde_json::Value;

use super::client::Client;
use super::filter::Filter;
use super::host::{Host, Owner};
use super::lenient::{if_fits, number};
use super::model::List;
use crate::error::Result;
use crate::id::VmId;
use crate::log;

/// A VM, as far as it has to be known in order to be found.
#[derive(Clone, Debug, Deserialize)]
pub struct Glimpse {
    /// Id.
    #[serde(deserialize_with = "number")]
    pub id: VmId,
    /// Free text; holds our mark.
    #[serde(default, deserialize_with = "if_fits")]
    pub comment: String,
    /// Display name.
    #[serde(default, deserialize_with = "if_fits")]
    pub name: String,
    /// Creation time, compared as text only.
    #[serde(default, deserialize_with = "if_fits")]
    pub create_date: String,
    /// Owner.
    #[serde(default, deserialize_with = "if_fits")]
    pub account: Option<Owner>,
}

impl From<&Host> for Glimpse {
    fn from(host: &Host) -> Self {
        let Host { id, comment, name, create_date, account, .. } = host.clone();
        Glimpse { id, comment, name, create_date, account }
    }
}

impl Client {
    /// Whether VMmanager says that no VM has the name [api B8]. Where it does not, nothing is said: a build may not know such
    /// filters.
    pub fn lacks_vm_named(&self, name: &str) -> Result<bool> {
        let path = format!("/vm/v3/host?{}&limit=0,1", Filter::eq("name", name)?.query());
        match self.get::<List<Value>>(&path) {
            Ok(List { list, size }) => Ok(list.is_empty() && size.unwrap_or_default() == 0),
            Err(error) if error.kind.is_connection() => Err(error),
            Err(error) => {
                log::debug!("VMs cannot be asked for by name: {error}");
                Ok(false)
            }
        }
    }

    /// Every VM of the platform.
    pub fn glimpses(&self) -> Result<Vec<Glimpse>> {
        self.all("/vm/v3/host")
    }
}
