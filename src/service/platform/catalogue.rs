//! From names to ids at the moment of use: OS templates, recipes, VM configurations.
//!
//! BILLmanager knows `<repository>__<name>`; ids differ per installation and change when a template is added again
//! [api 4.3]. The exact name wins. Otherwise two traps that providers fall into, a hyphen for a blank and the case of
//! letters, are accepted when exactly one candidate remains.

use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::log;
use crate::service::order::Order;
use crate::vmm::{Client, Os, Preset, Recipe, Schedule};

/// The OS template `name` as it can be used on `cluster`.
pub(crate) fn os(vmm: &Client, name: &str, cluster: ClusterId) -> Result<Os> {
    let all = vmm.os_list()?;
    let found = os_among(&all, name, cluster);
    // Explaining may cost a request; the order has failed already.
    if found.as_ref().is_err_and(|error| error.kind != Kind::BadParam) && vmm.cluster(cluster)?.is_none() {
        let text = format!("VMmanager has no cluster with the id {cluster}");
        let error = Error::new(Kind::ClusterNotFound, "cluster", text);
        return Err(error.cure("choose a cluster in the handler's settings"));
    }
    found.cloned()
}

/// A template's name in BILLmanager.
pub(crate) fn os_title(os: &Os) -> String {
    format!("{}__{}", os.repository, os.name)
}

/// The same among templates that were read before; the cluster is taken to exist.
pub(crate) fn os_among<'a>(all: &'a [Os], name: &str, cluster: ClusterId) -> Result<&'a Os> {
    let usable: Vec<&Os> = all.iter().filter(|os| os.is_usable_on(cluster)).collect();
    if let Some(found) = pick("ostempl", name, &usable, os_title)? {
        return Ok(found);
    }
    let named: Vec<&Os> = all.iter().collect();
    if let Ok(Some(os)) = pick("ostempl", name, &named, os_title) {
        let reason = if !os.is_on(cluster) {
            format!("it is not attached to cluster {cluster}")
        } else if os.adminonly {
            "it is for administrators only".to_owned()
        } else {
            format!("its state is {}, not active", os.state)
        };
        let text = format!("the OS template \"{name}\" cannot be used: {reason}");
        Err(Error::new(Kind::OsNotOnCluster, "ostempl", text).cure("change it in VMmanager or order another OS"))
    } else {
        let text = format!("VMmanager has no OS template \"{name}\" (repository__template)");
        Err(Error::new(Kind::OsNotFound, "ostempl", text).cure("synchronise the handler's OS list"))
    }
}

/// The recipe `name`.
pub(crate) fn recipe(vmm: &Client, name: &str) -> Result<Recipe> {
    let all = vmm.recipes()?;
    let candidates: Vec<&Recipe> = all.iter().collect();
    let found = pick("recipe", name, &candidates, |recipe| format!("{}__{}", recipe.repository, recipe.name))?;
    // A provider's own recipes may be listed by their bare name.
    let found = match found {
        Some(found) => Some(found),
        None => pick("recipe", name, &candidates, |recipe| recipe.name.clone())?,
    };
    found.cloned().ok_or_else(|| {
        let text = format!("VMmanager has no recipe \"{name}\" (repository__recipe)");
        Error::new(Kind::RecipeNotFound, "recipe", text).cure("synchronise the handler's list of recipes")
    })
}

/// The VM configuration that the tariff names; nothing when it names none. It must exist when the tariff leaves a size
/// to it.
pub(crate) fn needed_preset<P: AsRef<[Preset]>>(
    presets: impl FnOnce() -> Result<P>,
    order: &Order,
    lxd: bool,
) -> Result<Option<Preset>> {
    let Some(name) = &order.preset else { return Ok(None) };
    let kind = if lxd { "lxd" } else { "kvm" };
    let fits = |preset: &Preset| preset.virtualization_type.is_empty() || preset.virtualization_type == kind;
    let presets = presets()?;
    let found = presets.as_ref().iter().find(|preset| preset.name == *name && fits(preset));
    let sizes = &order.sizes;
    if found.is_none() && [sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib].contains(&None) {
        let text = format!(
            "the tariff's internal name \"{name}\" is no VM configuration of VMmanager for this cluster, and the tariff does \
             not give all of ncpu, mem and disk itself"
        );
        return Err(Error::new(Kind::PresetNotFound, "preset", text).cure("correct one of them"));
    }
    Ok(found.cloned())
}

/// The backup schedule `name`, else the one with that id, among those that single VMs of the cluster are put into.
pub(crate) fn schedule<'a>(all: &'a [Schedule], name: &str, cluster: ClusterId) -> Result<&'a Schedule> {
    let usable: Vec<&Schedule> = all.iter().filter(|schedule| schedule.is_for_entries(cluster)).collect();
    let names = || usable.iter().map(|schedule| format!("\"{}\"", schedule.name)).collect::<Vec<_>>().join(", ");
    let cure = "correct the choice of the add-on, or the schedule in VMmanager";
    if usable.iter().filter(|schedule| schedule.name == name).count() > 1 {
        let text = format!("VMmanager has several backup schedules \"{name}\"");
        return Err(Error::new(Kind::BadParam, "backup_schedule", text).cure("give each its own name"));
    }
    if let Some(found) = pick("backup_schedule", name, &usable, |schedule| schedule.name.clone())? {
        return Ok(found);
    }
    usable.iter().find(|schedule| schedule.id.to_string() == name).copied().ok_or_else(|| {
        let possible = if usable.is_empty() { "none".to_owned() } else { names() };
        let text = format!(
            "VMmanager has no backup schedule \"{name}\" to which single VMs of cluster {cluster} belong; possible: {possible}"
        );
        Error::new(Kind::BadParam, "backup_schedule", text).cure(cure)
    })
}

fn pick<'a, T>(what: &str, name: &str, candidates: &[&'a T], title: impl Fn(&T) -> String) -> Result<Option<&'a T>> {
    if let Some(exact) = candidates.iter().find(|candidate| title(candidate) == name) {
        return Ok(Some(exact));
    }
    let wanted = forgiving(name);
    let close: Vec<_> = candidates.iter().filter(|candidate| forgiving(&title(candidate)) == wanted).collect();
    match close.as_slice() {
        [] => Ok(None),
        [one] => {
            log::warn!("\"{name}\" is taken for VMmanager's \"{}\"; correct the name in BILLmanager", title(one));
            Ok(Some(one))
        }
        several => {
            let titles: Vec<String> = several.iter().map(|candidate| format!("\"{}\"", title(candidate))).collect();
            let text = format!("\"{name}\" could be any of {} in VMmanager", titles.join(", "));
            Err(Error::new(Kind::BadParam, what, text).cure("use the exact name"))
        }
    }
}

/// A name without the differences that people overlook: hyphens, blanks, the case of letters.
pub(crate) fn forgiving(title: &str) -> String {
    title.trim().to_lowercase().replace('-', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}
