//! What a VM can be made of: OS templates, images, VM configurations, recipes.

#![allow(clippy::struct_excessive_bools, reason = "the platform has that many")]

use serde::Serialize;
use serde_json::Value;

use super::host::Tuning;

/// An OS template [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Os {
    pub id: u64,
    pub name: String,
    pub os_group: String,
    #[serde(skip)]
    pub repository: u64,
    pub state: String,
    pub adminonly: bool,
    pub tags: Vec<String>,
    #[serde(skip)]
    pub clusters: Vec<u64>,
    pub nodes: Vec<Value>,
    pub is_lxd_image: bool,
    pub hdd_mib_required: u64,
    pub min_ram_mib: u64,
    pub kms_supported: bool,
    pub kms_ip: Option<String>,
    pub kms_port: Option<u64>,
    pub product_key: Option<String>,
    pub efi_boot: bool,
    pub cpu_mode: Option<String>,
    pub comment: Option<String>,
    pub updated_at: String,
}

/// A user image [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Image {
    pub id: u64,
    pub name: String,
    pub account: u64,
    pub for_all: bool,
    #[serde(rename = "type")]
    pub kind: String,
    pub comment: String,
    pub state: String,
    pub size_mib: u64,
    pub nodes: Vec<Value>,
    #[serde(skip)]
    pub clusters: Vec<u64>,
}

/// A repository of templates and recipes [api 4.3].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Repository {
    pub id: u64,
    pub name: String,
    pub url: String,
    pub state: String,
    #[serde(rename = "type")]
    pub kind: String,
}

/// A VM configuration [api 4.4].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Preset {
    pub id: u64,
    pub name: String,
    pub comment: String,
    pub virtualization_type: String,
    pub cpu_number: u64,
    pub ram_mib: u64,
    pub hdd_mib: u64,
    pub disks: Vec<Value>,
    #[serde(flatten)]
    pub tuning: Tuning,
    pub snapshot_limit: u64,
}

/// A recipe [api 4.5].
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Number.
    pub id: u64,
    /// Name.
    pub name: String,
    /// Its repository, `None` for a local one.
    pub repository: Option<u64>,
    /// OS names it accepts (its `script_filter`); empty for all.
    pub only_os: Vec<String>,
    /// Parameters.
    pub params: Vec<RecipeParam>,
    /// Labels.
    pub tags: Vec<String>,
    /// Time of the last change.
    pub updated_at: String,
}

/// A parameter of a recipe [api 4.5].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct RecipeParam {
    pub name: String,
    pub description: String,
    pub required: bool,
    #[serde(rename = "type")]
    pub kind: String,
    pub select_values: Vec<Value>,
}

/// A storage tag [api 4.4].
#[derive(Clone, Debug, Serialize)]
#[allow(missing_docs, reason = "the names are the API's own")]
pub struct Tag {
    pub id: u64,
    pub name: String,
    pub note: String,
    pub immortal: bool,
    pub storages: Vec<u64>,
}
