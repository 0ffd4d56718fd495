//! What can be chosen: clusters, nodes, storages, OS templates, images, presets, recipes [api 4.2, 4.3, 4.4, 4.5].

use serde_json::{Value, json};

use super::super::error::ApiError;
use super::super::view::plain;
use super::{Answer, Call};

const BY_ID: &[&str] = &["id"];

pub(super) fn clusters(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.clusters.values().map(|cluster| call.platform.cluster_view(cluster)).collect();
    call.list(elements, BY_ID)
}

pub(super) fn cluster(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    let found = call.platform.clusters.get(&id).ok_or_else(|| ApiError::not_found("cluster", id))?;
    Ok(call.platform.cluster_view(found))
}

pub(super) fn nodes(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.nodes.values().map(|node| call.platform.node_view(node)).collect();
    let filterable: &[&str] = if call.platform.lists.cluster_filters { &["id", "cluster.id"] } else { BY_ID };
    call.list(elements, filterable)
}

pub(super) fn node(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    let found = call.platform.nodes.get(&id).ok_or_else(|| ApiError::not_found("node", id))?;
    Ok(call.platform.node_view(found))
}

pub(super) fn storages(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.storages.values().map(plain).collect();
    call.list(elements, BY_ID)
}

/// Templates that some cluster has; a client does not see those for administrators.
pub(super) fn os(call: &mut Call<'_>) -> Answer {
    let shown = |os: &&super::super::model::Os| !os.clusters.is_empty() && (call.who.sees_all() || !os.adminonly);
    let elements = call.platform.os.values().filter(shown).map(|os| call.platform.os_view(os)).collect();
    call.sized_list(elements, &["id", "name"])
}

pub(super) fn all_os(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.os.values().map(|os| call.platform.os_view(os)).collect();
    call.sized_list(elements, &["id", "name"])
}

pub(super) fn images(call: &mut Call<'_>) -> Answer {
    let shown = call.platform.images.values().filter(|image| image.for_all || call.sees(image.account));
    let elements = shown.map(plain).collect();
    call.list(elements, BY_ID)
}

pub(super) fn repositories(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.repositories.values().map(plain).collect();
    call.list(elements, BY_ID)
}

pub(super) fn repository(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    call.platform.repositories.get(&id).map(plain).ok_or_else(|| ApiError::not_found("repository", id))
}

pub(super) fn presets(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.presets.values().map(plain).collect();
    call.list(elements, BY_ID)
}

pub(super) fn preset(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    call.platform.presets.get(&id).map(plain).ok_or_else(|| ApiError::not_found("preset", id))
}

pub(super) fn tags(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.tags.values().map(plain).collect();
    call.list(elements, BY_ID)
}

pub(super) fn recipes(call: &mut Call<'_>) -> Answer {
    let elements = call.platform.recipes.values().map(|recipe| call.platform.recipe_view(recipe)).collect();
    call.list(elements, BY_ID)
}

pub(super) fn recipe_params(call: &mut Call<'_>) -> Answer {
    let id = call.id(0)?;
    let recipe = call.platform.recipes.get(&id).ok_or_else(|| ApiError::not_found("recipe", id))?;
    let list: Vec<Value> = recipe.params.iter().map(plain).collect();
    Ok(json!({ "list": list }))
}
