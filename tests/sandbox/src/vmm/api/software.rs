//! OS templates, images and recipes on VMs: choice, reinstallation, later runs [api 4.3, 4.5, 4.8].

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::model::Recipe;
use super::super::platform::Platform;
use super::super::schema::{Field, Kind, may, must};
use super::super::task::Order;
use super::super::work::Work;
use super::account::check_password;
use super::{Answer, Call, Properties, ssh_key};

pub(super) const REINSTALL: &[Field] =
    &[may("password", Kind::Text), may("disk", Kind::Int(1)), may("send_email_mode", Kind::Text)];
const RUN: &[Field] = &[
    must("recipe", Kind::Int(1)),
    may("recipe_params", Kind::Objects(PARAM)),
    may("send_email", Kind::Bool),
    may("ignore_recipe_filters", Kind::Bool),
    may("recipients", Kind::Objects(RECIPIENT)),
];
/// What create and reinstall have in common.
pub(super) const SOFTWARE: &[Field] = &[
    may("os", Kind::Int(1)),
    may("image", Kind::Int(1)),
    may("recipe", Kind::Int(1)),
    may("recipe_params", Kind::Objects(PARAM)),
    may("recipe_list", Kind::Objects(LISTED)),
    may(ssh_key::IN_VM, Kind::Ids),
    may("ignore_recipe_filters", Kind::Bool),
];
const LISTED: &[Field] = &[
    must("recipe", Kind::Int(1)),
    may("recipe_params", Kind::Objects(PARAM)),
    may("send_email", Kind::Bool),
    may("recipients", Kind::Objects(RECIPIENT)),
];
const PARAM: &[Field] = &[must("name", Kind::Text), must("value", Kind::Text)];
const RECIPIENT: &[Field] = &[must("lang", Kind::Text), must("email", Kind::Text)];

/// What is to be installed.
pub(super) struct Software {
    pub os: Option<u64>,
    pub image: Option<u64>,
    pub recipes: Vec<u64>,
}

/// Where it is to be installed.
pub(super) struct Target {
    pub cluster: u64,
    pub ram_mib: u64,
    pub disk_mib: u64,
}

impl Software {
    /// Reads OS or image and recipes, and refuses what would not run there.
    pub(super) fn read(call: &Call<'_>, body: &Map<String, Value>, target: &Target) -> Result<Self, ApiError> {
        let (os, image) = (body.number("os"), body.number("image"));
        match (os, image) {
            (Some(os), None) => check_os(call, os, target)?,
            (None, Some(image)) => check_image(call, image, target)?,
            _ => return Err(ApiError::invalid("os", "exactly one of os and image expected")),
        }
        Ok(Self { os, image, recipes: recipes(call.platform, body, os)? })
    }

    /// Companion tasks of the recipes: the numbers for `recipe_task_list`.
    pub(super) fn announce(&self, call: &mut Call<'_>, host: u64, consul_id: u64) -> Vec<u64> {
        let start = |_| {
            let mut order = Order::new("host_run_recipe", host, call.who.account, Work::Companion);
            order.consul_id = Some(consul_id);
            let number = call.platform.next.task;
            call.platform.submit(order, call.now);
            number
        };
        self.recipes.iter().map(start).collect()
    }

    /// The time the recipes add to an installation.
    pub(super) fn extra(&self, platform: &Platform) -> Duration {
        platform.timing.recipe * u32::try_from(self.recipes.len()).unwrap_or(u32::MAX)
    }
}

/// Installs the OS again, on the same addresses.
pub(super) fn reinstall(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[REINSTALL, SOFTWARE])?;
    body.text("password").map_or(Ok(()), check_password)?;
    ssh_key::refuse_unknown(call, &body, ssh_key::REINSTALLATION)?;
    let host = call.ready_host()?;
    let keys = ssh_key::chosen(call, &body, host.account)?;
    let disk_mib = call.platform.main_disk(host.id).map_or(0, |disk| disk.size_mib);
    let target = Target { cluster: host.cluster, ram_mib: host.ram_mib, disk_mib };
    let software = Software::read(call, &body, &target)?;
    let work = Work::Reinstall {
        os: software.os,
        image: software.image,
        password: body.text("password").map(str::to_owned),
        recipes: software.recipes.clone(),
    };
    let id = host.id;
    let order =
        Order { extra: software.extra(call.platform), ..Order::new("host_reinstall", id, call.who.account, work) };
    if let Some(host) = call.platform.hosts.get_mut(&id) {
        host.ssh_keys = keys;
    }
    let mut answer = call.accept(order);
    let list = software.announce(call, id, answer["task"].as_u64().unwrap_or(0));
    answer["recipe_task"] = json!(list.first().copied().unwrap_or(0));
    answer["recipe_task_list"] = json!(list);
    answer["spice_task"] = json!(0);
    Ok(answer)
}

/// Runs a recipe on a running VM.
pub(super) fn run_recipe(call: &mut Call<'_>) -> Answer {
    let body = call.body(&[RUN])?;
    let host = call.ready_host()?;
    if host.state != "active" {
        return Err(ApiError::refused(format!("VM {} is not running", host.id)));
    }
    let id = host.id;
    let recipes = recipes(call.platform, &body, host.os)?;
    let work = Work::RunRecipes(recipes);
    let mut answer = call.accept(Order::new("host_run_recipe", id, call.who.account, work));
    answer["recipe_task"] = json!(0);
    answer["recipe_task_list"] = json!([]);
    Ok(answer)
}

fn check_os(call: &Call<'_>, id: u64, target: &Target) -> Result<(), ApiError> {
    let os = call.platform.os.get(&id).filter(|os| !os.adminonly || call.who.sees_all());
    let os = os.ok_or_else(|| ApiError::not_found("os", id))?;
    let cluster = call.platform.clusters.get(&target.cluster);
    let lxd = cluster.is_some_and(|cluster| cluster.virtualization_type == "lxd");
    let refusal = if os.state != "active" {
        format!("OS {} is {}", os.name, os.state)
    } else if !os.clusters.contains(&target.cluster) || os.is_lxd_image != lxd {
        format!("OS {} is not available on cluster {}", os.name, target.cluster)
    } else if target.disk_mib < os.hdd_mib_required {
        format!("OS {} needs {} MiB of disk, got {}", os.name, os.hdd_mib_required, target.disk_mib)
    } else if target.ram_mib < os.min_ram_mib {
        format!("OS {} needs {} MiB of memory, got {}", os.name, os.min_ram_mib, target.ram_mib)
    } else {
        return Ok(());
    };
    Err(ApiError::refused(refusal))
}

fn check_image(call: &Call<'_>, id: u64, target: &Target) -> Result<(), ApiError> {
    let image = call.platform.images.get(&id).filter(|image| image.for_all || call.sees(image.account));
    let image = image.ok_or_else(|| ApiError::not_found("image", id))?;
    if image.state != "active" || !image.clusters.contains(&target.cluster) || image.size_mib > target.disk_mib {
        return Err(ApiError::refused(format!("Image {} cannot be used for this VM", image.name)));
    }
    Ok(())
}

/// The chosen recipes: `recipe` with `recipe_params`, or `recipe_list`.
fn recipes(platform: &Platform, body: &Map<String, Value>, os: Option<u64>) -> Result<Vec<u64>, ApiError> {
    if body.contains_key("recipe") && body.contains_key("recipe_list") {
        return Err(ApiError::invalid("recipe", "either recipe or recipe_list expected"));
    }
    if body.contains_key("recipe_params") && !body.contains_key("recipe") {
        return Err(ApiError::invalid("recipe_params", "only with recipe"));
    }
    let single = body.contains_key("recipe").then_some(body);
    let any_os = body.flag("ignore_recipe_filters").unwrap_or(false);
    let os_name = os.and_then(|id| platform.os.get(&id)).map(|os| os.name.as_str());
    let mut chosen = Vec::new();
    for item in single.into_iter().chain(body.objects("recipe_list")) {
        let id = item.number("recipe").unwrap_or(0);
        let recipe = platform.recipes.get(&id).ok_or_else(|| ApiError::not_found("recipe", id))?;
        check_params(recipe, &item.objects("recipe_params"))?;
        let fits = recipe.only_os.is_empty() || os_name.is_some_and(|name| recipe.only_os.iter().any(|o| o == name));
        if !fits && !any_os {
            return Err(ApiError::refused(format!("Recipe {} is not for this OS", recipe.name)));
        }
        chosen.push(id);
    }
    Ok(chosen)
}

fn check_params(recipe: &Recipe, given: &[&Map<String, Value>]) -> Result<(), ApiError> {
    let known = |name: &str| recipe.params.iter().any(|param| param.name == name);
    if let Some(name) = given.iter().filter_map(|param| param.text("name")).find(|name| !known(name)) {
        return Err(ApiError::invalid("recipe_params", format!("recipe {} has no parameter {name}", recipe.name)));
    }
    for param in &recipe.params {
        let values: Vec<&str> = given
            .iter()
            .filter(|it| it.text("name") == Some(&param.name))
            .map(|it| it.text("value").unwrap_or_default())
            .collect();
        let refused = |what: &str| Err(ApiError::invalid("recipe_params", format!("{} {what}", param.name)));
        match values.as_slice() {
            [] | [""] if param.required => return refused("is required"),
            [] => {}
            [value] if param.select_values.is_empty() || param.select_values.iter().any(|it| it["name"] == *value) => {}
            [value] => return refused(&format!("cannot be '{value}'")),
            _ => return refused("is given twice"),
        }
    }
    Ok(())
}
