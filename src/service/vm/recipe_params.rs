//! The recipe of an order with the values of its parameters [api B12].
//!
//! The order gives them, in clear or encrypted; what the recipe requires is checked here, before anything exists. Values are
//! a client's words and may be secrets: they are in no text, and only the request to VMmanager opens them. What the order
//! has beyond the recipe's parameters is for other recipes and is left out.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::error::{Error, Kind, Result};
use crate::log;
use crate::mask;
use crate::service::job::Job;
use crate::service::order::recipe::{PREFIX, check, filling, fills};
use crate::service::platform::catalogue;
use crate::vmm::{Recipe, RecipeParam, RecipeRun, RecipeValue};

/// The recipe `name`, filled from the service's order.
pub(super) fn filled(job: &Job, name: &str) -> Result<RecipeRun> {
    let recipe = catalogue::recipe(&job.vmm, name)?;
    let asked = asked(job, &recipe)?;
    let given = if asked.is_empty() { BTreeMap::new() } else { given(job)? };
    let values = asked.iter().filter_map(|param| value(name, param, &given).transpose());
    Ok(RecipeRun { recipe: recipe.id, recipe_params: values.collect::<Result<_>>()? })
}

/// A build that does not count the parameters may not list them either.
fn asked(job: &Job, recipe: &Recipe) -> Result<Vec<RecipeParam>> {
    if recipe.params_count == Some(0) {
        return Ok(Vec::new());
    }
    match job.vmm.recipe_params(recipe.id) {
        Err(error) if recipe.params_count.is_none() && error.kind == Kind::Vm6Version => {
            log::debug!("recipe \"{}\" is run without parameters: {error}", recipe.name);
            Ok(Vec::new())
        }
        asked => asked,
    }
}

/// The order's parameters for recipes; an encrypted one goes over one in clear.
fn given(job: &Job) -> Result<BTreeMap<String, SecretString>> {
    let plain = job.service.params.iter().filter(|(name, _)| name.starts_with(PREFIX));
    let mut given: BTreeMap<String, SecretString> =
        plain.map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    given.extend(job.panel.secrets_beginning(job.service.id, PREFIX)?);
    given.retain(|_, value| !value.expose_secret().is_empty());
    Ok(given)
}

/// The value of one parameter; nothing when the order leaves it out and the recipe runs without it.
fn value(recipe: &str, param: &RecipeParam, given: &BTreeMap<String, SecretString>) -> Result<Option<RecipeValue>> {
    let asked = &param.name;
    let exact = given.get_key_value(&format!("{PREFIX}{asked}"));
    let Some((ordered, value)) = exact.or_else(|| given.iter().find(|(name, _)| fills(name, asked))) else {
        return if param.required { Err(missing(recipe, param)) } else { Ok(None) };
    };
    let is_secret = mask::sounds_secret(asked) || mask::sounds_secret(&param.kind);
    if is_secret {
        mask::remember(value);
    }
    check(ordered, value.expose_secret())?;
    let possible: Vec<&str> = param.select_values.iter().map(|choice| choice.name.as_str()).collect();
    if !possible.is_empty() && !possible.contains(&value.expose_secret()) {
        let what = if is_secret { mask::MASK } else { value.expose_secret() };
        let text = format!("\"{what}\" is no value of the parameter \"{asked}\" of the recipe \"{recipe}\"");
        let error = Error::new(Kind::BadParam, ordered, text);
        return Err(error.cure(format!("correct the order; possible are: {}", possible.join(", "))));
    }
    Ok(Some(RecipeValue { name: asked.clone(), value: value.clone() }))
}

fn missing(recipe: &str, RecipeParam { name, description, .. }: &RecipeParam) -> Error {
    let ordered = filling(name);
    let what = if description.is_empty() { String::new() } else { format!(" ({description})") };
    let text = format!("the recipe \"{recipe}\" needs the parameter \"{name}\"{what}, and the order does not give it");
    let cure = format!(
        "fill in \"{ordered}\" of the service; if orders do not ask for it, add it to the parameters of the item type vds"
    );
    Error::new(Kind::MissingParam, ordered, text).cure(cure)
}
