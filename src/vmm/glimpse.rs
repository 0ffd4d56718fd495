//! What has to be known of every VM of a platform to find one among them.
//!
//! Whatever else a VM shows, and in whatever form, stops nothing: only ids have to be numbers. A field that does not
//! fit reads as empty. The VM that was found is read again, strictly.

use serde::Deserialize;

use super::client::Client;
use super::host::{Host, Owner};
use super::lenient::{if_fits, number};
use crate::error::Result;
use crate::id::VmId;

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
    /// Every VM of the platform.
    pub fn glimpses(&self) -> Result<Vec<Glimpse>> {
        self.all("/vm/v3/host")
    }
}
