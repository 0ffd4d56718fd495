//! OS templates and recipes that clients may order, kept equal to what the handler's VMmanager has [protocol 3.16].
//!
//! New values are added, values that are gone are withdrawn, everything else is left alone: texts and tariffs are the
//! administrator's. Names on which an order could stumble are reported.

use std::collections::{BTreeMap, BTreeSet};

use crate::error::Result;
use crate::log;
use crate::mask::sounds_secret;
use crate::service::handler::HandlerJob;
use crate::service::order::recipe;
use crate::service::platform::catalogue::forgiving;
use crate::vmm::{Os, Recipe, RecipeParam};

/// Brings both lists of the handler in line.
pub(crate) fn sync(job: &HandlerJob) -> Result<()> {
    let cluster = job.cluster()?;
    let lxd = cluster.virtualization_type == "lxd";
    let usable = |os: &Os| os.is_usable_on(cluster.id) && os.is_lxd_image == lxd;
    let templates = job.vmm.os_list()?.into_iter().filter(usable).map(|os| (os.repository, os.name));
    keep_equal(job, "ostempl", templates)?;
    let recipes = if job.settings.use_recipes { orderable(job)? } else { Vec::new() };
    keep_equal(job, "recipe", recipes)
}

/// The recipes whose required parameters an order can give.
fn orderable(job: &HandlerJob) -> Result<Vec<(String, String)>> {
    let (mut orders, mut found) = (None, Vec::new());
    for recipe in job.vmm.recipes()? {
        if recipe.params_count.unwrap_or_default() > 0 {
            let orders = match &orders {
                Some(known) => known,
                None => orders.insert(job.panel.item_params()?),
            };
            if !can_be_filled(job, &recipe, orders)? {
                continue;
            }
        }
        found.push((recipe.repository, recipe.name));
    }
    Ok(found)
}

/// `orders` are the parameters that an order may have, and whether they are stored encrypted.
fn can_be_filled(job: &HandlerJob, recipe: &Recipe, orders: &BTreeMap<String, bool>) -> Result<bool> {
    let name = &recipe.name;
    let asked = match job.vmm.recipe_params(recipe.id) {
        Err(error) if error.kind.is_connection() || error.may_pass() => return Err(error),
        Err(error) => {
            log::warn!("recipe \"{name}\" is not offered, because what it asks for is not known: {error}");
            return Ok(false);
        }
        Ok(asked) => asked,
    };
    let mut missing = Vec::new();
    for RecipeParam { name: asked, kind, required, .. } in asked {
        let filling = orders.iter().find(|(ordered, _)| recipe::fills(ordered, &asked));
        match filling {
            None if required => missing.push(recipe::filling(&asked)),
            Some((ordered, false)) if sounds_secret(&asked) || sounds_secret(&kind) => {
                log::warn!(
                    "recipe \"{name}\": \"{ordered}\" of the item type vds is a secret and is not stored encrypted"
                );
            }
            _ => {}
        }
    }
    if !missing.is_empty() {
        let missing = missing.join("\", \"");
        log::warn!("recipe \"{name}\" is not offered before the item type vds has the parameters \"{missing}\"");
    }
    Ok(missing.is_empty())
}

fn keep_equal(job: &HandlerJob, param: &str, entries: impl IntoIterator<Item = (String, String)>) -> Result<()> {
    let handler = job.handler.id;
    let wanted: BTreeMap<String, (String, String)> = entries
        .into_iter()
        .filter(|(repository, name)| is_sayable(param, repository) && is_sayable(param, name))
        .map(|(repository, name)| (format!("{repository}__{name}"), (repository, name)))
        .collect();
    report(param, wanted.keys());
    let known = job.panel.offered(handler, param)?;
    for gone in known.iter().filter(|offered| !wanted.contains_key(&offered.value)) {
        job.panel.withdraw(handler, gone.id)?;
        log::info!("handler {handler}: {param} \"{}\" is gone in VMmanager and no longer offered", gone.value);
    }
    let known: BTreeSet<&str> = known.iter().map(|offered| offered.value.as_str()).collect();
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for (_, name) in wanted.values() {
        *names.entry(name).or_default() += 1;
    }
    for (value, (repository, name)) in wanted.iter().filter(|(value, _)| !known.contains(value.as_str())) {
        let twice = names.get(name.as_str()).is_some_and(|count| *count > 1);
        let shown = if twice { format!("{name} ({repository})") } else { name.clone() };
        job.panel.offer(handler, param, value, &shown)?;
        log::info!("handler {handler}: {param} \"{value}\" is new in VMmanager and offered now");
    }
    Ok(())
}

/// A name with control characters cannot be handed to BILLmanager whole.
pub(super) fn is_sayable(param: &str, name: &str) -> bool {
    let sayable = !name.is_empty() && !name.contains(char::is_control);
    if !sayable {
        log::warn!("{param}: {name:?} cannot be offered, rename it in VMmanager");
    }
    sayable
}

/// Groups of names that only a hyphen or the case of letters distinguishes: BILLmanager's database may take them for one.
pub(crate) fn alike<'a>(values: impl Iterator<Item = &'a String>) -> Vec<Vec<&'a str>> {
    let mut alike: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for value in values {
        alike.entry(forgiving(value)).or_default().push(value);
    }
    alike.into_values().filter(|names| names.len() > 1).collect()
}

fn report<'a>(param: &str, values: impl Iterator<Item = &'a String>) {
    for names in alike(values) {
        log::warn!(
            "{param}: \"{}\" differ by hyphens or letter case only and are easily mistaken for one another; rename all but \
             one of them in VMmanager",
            names.join("\", \"")
        );
    }
}
