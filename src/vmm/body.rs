//! What is sent: bodies of requests. VMmanager refuses an unknown property, so unset fields are left out.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::model::Tuning;
use crate::id::{AccountId, ClusterId};

/// New values of a VM's resources [api 4.8]; `body` leaves unset ones out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Resources {
    pub cpu_number: Option<u64>,
    pub ram_mib: Option<u64>,
    pub net_in_mbitps: Option<u64>,
    pub net_out_mbitps: Option<u64>,
}

/// Body of `POST /host` [api 4.7.1]; `body` leaves unset fields out.
#[derive(Clone, Debug, Default, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct CreateHost {
    pub name: String,
    pub comment: String,
    #[serde(skip_serializing)]
    pub password: Password,
    pub cluster: ClusterId,
    pub account: AccountId,
    pub os: u64,
    pub preset: Option<u64>,
    pub cpu_number: Option<u64>,
    pub ram_mib: Option<u64>,
    pub hdd_mib: Option<u64>,
    pub domain: Option<String>,
    pub ipv4_number: Option<u64>,
    pub ipv4_pool: Option<Vec<u64>>,
    pub interfaces: Option<Vec<InterfacePools>>,
    pub custom_interfaces: Option<Vec<CustomInterface>>,
    pub ipv6_enabled: bool,
    pub ipv6_prefix: Option<u64>,
    pub recipe_list: Option<Vec<RecipeRun>>,
    #[serde(flatten)]
    pub tuning: Tuning,
}

/// A secret inside a body; only the client that sends it opens it.
pub(super) type Password = Option<secrecy::SecretString>;

/// An interface of a new VM by the cluster's index, and where its address may come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct InterfacePools {
    /// Index, 0 the main one.
    pub interface: u64,
    /// Pool ids.
    pub ippool: Vec<u64>,
}

/// The same in the words of the clients that are known to run [api 4.7.4, B10].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CustomInterface {
    /// `virtio`.
    pub model: &'static str,
    /// One of them is.
    pub is_main_network: bool,
    /// Pool id.
    pub ippool: u64,
    /// Addresses.
    pub ip_count: u64,
}

/// A recipe to run after the installation.
#[derive(Clone, Debug, Serialize)]
pub struct RecipeRun {
    /// Recipe id.
    pub recipe: u64,
}

/// The fields of a request as its body. What is unset is not sent: VMmanager has no use for null, and a build that does
/// not know a property refuses it.
pub(super) fn body(fields: &impl Serialize) -> serde_json::Result<Value> {
    let mut body = serde_json::to_value(fields)?;
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|_, value| !value.is_null());
    }
    Ok(body)
}
