//! What is sent: bodies of requests. VMmanager refuses an unknown property, so unset fields are left out.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::model::Tuning;
use crate::id::{AccountId, ClusterId};

/// Values by the name of their field.
pub type Fields = BTreeMap<&'static str, Value>;

/// New values of a VM's resources [api 4.8]; `body` leaves unset ones out.
#[derive(Clone, Debug, Default, Deserialize, Serialize, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Resources {
    pub cpu_number: Option<u64>,
    pub ram_mib: Option<u64>,
    pub net_in_mbitps: Option<u64>,
    pub net_out_mbitps: Option<u64>,
    /// Limits and modes [api B14].
    #[serde(flatten, skip_deserializing)]
    pub tuning: Fields,
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
    pub ssh_keys: Option<Vec<u64>>,
    #[serde(flatten)]
    pub tuning: Tuning,
    /// Of limits and modes what the order says: it goes over the tuning.
    #[serde(flatten)]
    pub ordered: Fields,
}

/// A secret inside a body; only the client that sends it opens it.
pub(super) type Password = Option<SecretString>;

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

/// A recipe to run after the installation [api B12].
#[derive(Clone, Debug, Serialize)]
pub struct RecipeRun {
    /// Recipe id.
    pub recipe: u64,
    /// Values of its parameters.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub recipe_params: Vec<RecipeValue>,
}

/// The value of a recipe's parameter, which may be a secret: nothing but the body opens it.
#[derive(Clone, Debug, Serialize)]
pub struct RecipeValue {
    /// Name of the parameter.
    pub name: String,
    /// As text, whatever the parameter's kind.
    #[serde(serialize_with = "opened")]
    pub value: SecretString,
}

fn opened<S: Serializer>(value: &SecretString, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.expose_secret())
}

/// The values of recipes' parameters in a body, each of which may be a secret.
pub(super) fn recipe_values(body: &Value) -> impl Iterator<Item = &str> {
    let runs = body.get("recipe_list").and_then(Value::as_array).into_iter().flatten();
    let params = runs.filter_map(|run| run.get("recipe_params")?.as_array()).flatten();
    params.filter_map(|param| param.get("value")?.as_str())
}

/// The same, to be replaced.
pub(super) fn recipe_values_mut(body: &mut Value) -> impl Iterator<Item = &mut Value> {
    let runs = body.get_mut("recipe_list").and_then(Value::as_array_mut).into_iter().flatten();
    let params = runs.filter_map(|run| run.get_mut("recipe_params")?.as_array_mut()).flatten();
    params.filter_map(|param| param.get_mut("value"))
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
