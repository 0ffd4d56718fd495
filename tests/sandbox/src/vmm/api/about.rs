//! What the platform says about itself [api 4.13]; the shapes are untyped in every source.

#![allow(clippy::unnecessary_wraps, reason = "every handler has the same type")]

use serde_json::{Map, Value, json};

use super::super::error::ApiError;
use super::super::schema::Field;
use super::super::variant::{Description, Schedules, Variant};
use super::create::CREATE;
use super::resource::{SIZES, TUNING};
use super::routes::{ROUTES, Route};
use super::software::{REINSTALL, SOFTWARE};
use super::{Answer, Call, schedule, ssh_key};

pub(super) fn version(call: &mut Call<'_>) -> Answer {
    Ok(json!({ "version": call.platform.version }))
}

pub(super) fn licence(call: &mut Call<'_>) -> Answer {
    Ok(json!({
        "host_limit": 10_000, "host_limit_exceeded": false, "node_limit": 100, "node_limit_exceeded": false,
        "license": {
            "license_ttl": "2030-01-01", "signature_ttl": "2030-01-01", "valid": call.platform.licence_valid,
            "user_id": 1,
        },
    }))
}

pub(super) fn instance(call: &mut Call<'_>) -> Answer {
    Ok(json!({"id": 1, "product": "vm", "version": call.platform.version}))
}

/// Bodies that are described: those that the open questions are about [api 6].
const BODIES: &[(&str, &str, &[&[Field]])] = &[
    ("POST", "/vm/v3/host", &[CREATE, SOFTWARE, TUNING]),
    ("POST", "/vm/v3/host/*/reinstall", &[REINSTALL, SOFTWARE]),
    ("POST", "/vm/v3/host/*/resource", &[SIZES, TUNING]),
    ("POST", "/vm/v3/schedule/*", &[schedule::EDIT, schedule::MORE]),
];

/// The same where the build has another body.
fn body_of(variant: &Variant, route: &Route) -> Option<&'static [&'static [Field]]> {
    if route.1.starts_with("/vm/v3/schedule/") && variant.schedules == Schedules::Whole {
        return Some(&[schedule::WHOLE, schedule::MORE]);
    }
    BODIES.iter().find(|(method, path, _)| (*method, *path) == (route.0, route.1)).map(|(.., fields)| *fields)
}

/// `GET /vm/v3/api`.
pub(super) fn api(call: &mut Call<'_>) -> Answer {
    match call.platform.variant.description {
        Description::Api => described(call),
        _ => Err(ApiError::no_handler("GET", "/vm/v3/api")),
    }
}

/// The page for people; everybody may look at it.
pub(super) fn page(call: &mut Call<'_>) -> Answer {
    Ok(match call.platform.variant.description {
        Description::Api | Description::Script => Value::from(
            r#"<!doctype html><div id="swagger-ui"></div><script src="./swagger-ui-bundle.js"></script>
               <script src="./swagger-initializer.js"></script>"#,
        ),
        Description::Configuration => {
            Value::from(r#"<script>SwaggerUIBundle({ dom_id: '#ui', configUrl: "/swagger/config.json" })</script>"#)
        }
        Description::Missing => Value::from(r#"<script>ui({url: "https://elsewhere.example/vm.json"})</script>"#),
    })
}

pub(super) fn script(call: &mut Call<'_>) -> Answer {
    match call.platform.variant.description {
        Description::Script => Ok(Value::from(
            r#"window.ui = SwaggerUIBundle({ urls: [{url: "https://elsewhere.example/vm.json", name: "x"},
               {url: './auth_v4.json', name: 'auth_v4'}, {url: './vm.json', name: 'vm'}] })"#,
        )),
        _ => Err(ApiError::no_handler("GET", "/swagger/swagger-initializer.js")),
    }
}

pub(super) fn configuration(call: &mut Call<'_>) -> Answer {
    match call.platform.variant.description {
        Description::Configuration => Ok(json!({"urls": [
            {"url": "/swagger/auth_v4.json", "name": "auth_v4"}, {"url": "/swagger/vm.json", "name": "vm"},
        ]})),
        _ => Err(ApiError::no_handler("GET", "/swagger/config.json")),
    }
}

pub(super) fn of_sessions(_: &mut Call<'_>) -> Answer {
    Ok(json!({"swagger": "2.0", "paths": {"/auth/v4/public/token": {"post": {}}}}))
}

pub(super) fn of_vms(call: &mut Call<'_>) -> Answer {
    match call.platform.variant.description {
        Description::Script | Description::Configuration => described(call),
        _ => Err(ApiError::no_handler("GET", "/swagger/vm.json")),
    }
}

/// The paths as a Swagger document would list them.
fn described(call: &mut Call<'_>) -> Answer {
    let mut paths: Map<String, Value> = Map::new();
    let variant = &call.platform.variant;
    let is_there = |route: &&Route| {
        route.1.starts_with("/vm/v3/")
            && (variant.schedules != Schedules::Missing || !route.1.starts_with("/vm/v3/schedule"))
    };
    for route in ROUTES.iter().filter(is_there) {
        let methods = paths.entry(route.1.replace('*', "{id}")).or_insert_with(|| json!({}));
        let mut method = json!({"responses": {"200": {"description": "OK"}}});
        if let Some(fields) = body_of(variant, route) {
            let known = if route.1 == "/vm/v3/host" { variant.tuning_at_creation } else { variant.tuning_at_change };
            let is_hidden = |name: &str| match name {
                "interfaces" => !variant.interfaces,
                name => TUNING.iter().any(|field| field.name() == name) && !known.has(name),
            };
            let fields = || fields.iter().copied().flatten().filter(|field| !is_hidden(field.name()));
            let names = fields().map(|field| (field.name().to_owned(), json!({})));
            let required: Vec<&str> = fields().filter(|field| field.is_required()).map(Field::name).collect();
            let mut properties = names.collect::<Map<_, _>>();
            properties.remove(ssh_key::IN_VM);
            if let Some(kind) = ssh_key::field(variant, route.1) {
                properties.insert(ssh_key::IN_VM.into(), json!({"type": "array", "items": {"type": kind}}));
            }
            let schema = json!({"type": "object", "required": required, "properties": properties});
            method["parameters"] = json!([{"in": "body", "name": "body", "schema": schema}]);
        }
        methods[route.0.to_lowercase()] = method;
    }
    Ok(json!({"swagger": "2.0", "info": {"title": "vm", "version": call.platform.version}, "paths": paths}))
}

pub(super) fn settings(_: &mut Call<'_>) -> Answer {
    Ok(all_settings())
}

pub(super) fn setting(call: &mut Call<'_>) -> Answer {
    let name = call.wild.first().copied().unwrap_or_default();
    let value = all_settings().get(name).cloned().ok_or_else(|| ApiError::not_found("setting", name))?;
    Ok(json!({ name: value }))
}

fn all_settings() -> Value {
    json!({"domain": "vm6.host.example", "session_lifetime": 60, "lang": "en"})
}
