//! VMmanager's own description of its API: Swagger 2 or `OpenAPI` 3, nobody has said which [api 4.13].

use std::collections::BTreeSet;

use serde_json::Value;

/// Where the paths of VMmanager's own service begin; a description may leave it out.
const SERVICE: &str = "/vm/v3";
/// Schemas may refer to each other in a circle.
const DEEPEST: u8 = 8;

pub(super) struct Description(Value);

impl Description {
    /// Nothing when it lists no paths.
    pub(super) fn read(document: Value) -> Option<Self> {
        let has_paths = document.get("paths").and_then(Value::as_object).is_some_and(|paths| !paths.is_empty());
        has_paths.then_some(Description(document))
    }

    /// Whether a request is described; a variable part of the path is `{}`.
    pub(super) fn has(&self, method: &str, path: &str) -> bool {
        self.operation(method, path).is_some()
    }

    /// Properties of the body of a request; nothing when the description does not list them.
    pub(super) fn body(&self, method: &str, path: &str) -> Option<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for schema in self.schemas(method, path) {
            self.collect(schema, DEEPEST, &|schema| keys(schema.get("properties")), &mut found);
        }
        (!found.is_empty()).then_some(found)
    }

    /// Those of them that must be there.
    pub(super) fn required(&self, method: &str, path: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for schema in self.schemas(method, path) {
            self.collect(schema, DEEPEST, &|schema| texts(schema.get("required")), &mut found);
        }
        found
    }

    /// Whether a property of a body is a list of numbers; nothing when there is no such property.
    pub(super) fn is_list_of_numbers(&self, method: &str, path: &str, name: &str) -> Option<bool> {
        let kind = |property: &Value| {
            let of_numbers = ["integer", "number"].iter().any(|kind| property["items"]["type"] == *kind);
            vec![(property["type"] == "array" && of_numbers).to_string()]
        };
        let told = |schema: &Value| schema.pointer(&format!("/properties/{name}")).map(kind).unwrap_or_default();
        let mut found = BTreeSet::new();
        for schema in self.schemas(method, path) {
            self.collect(schema, DEEPEST, &told, &mut found);
        }
        found.first().map(|first| found.len() == 1 && first == "true")
    }

    /// What describes the body of a request.
    fn schemas(&self, method: &str, path: &str) -> Vec<&Value> {
        let Some(operation) = self.operation(method, path) else { return Vec::new() };
        let parameters = operation.get("parameters").and_then(Value::as_array).into_iter().flatten();
        let in_body = parameters.filter(|parameter| parameter["in"] == "body").filter_map(|body| body.get("schema"));
        let content = operation.pointer("/requestBody/content").and_then(Value::as_object);
        let contents = content.into_iter().flat_map(|content| content.values()).filter_map(|body| body.get("schema"));
        in_body.chain(contents).collect()
    }

    fn operation(&self, method: &str, path: &str) -> Option<&Value> {
        let paths = self.0.get("paths")?.as_object()?;
        paths.iter().find(|(known, _)| plain(known) == plain(path))?.1.get(method.to_lowercase())
    }

    /// What `names` finds in a schema and in those that it is made of.
    fn collect(&self, schema: &Value, depth: u8, names: &dyn Fn(&Value) -> Vec<String>, found: &mut BTreeSet<String>) {
        let Some(depth) = depth.checked_sub(1) else { return };
        found.extend(names(schema));
        let referred =
            schema.get("$ref").and_then(Value::as_str).and_then(|at| self.0.pointer(at.trim_start_matches('#')));
        let parts = ["allOf", "anyOf", "oneOf"].into_iter().filter_map(|word| schema.get(word)?.as_array()).flatten();
        for part in referred.into_iter().chain(parts) {
            self.collect(part, depth, names, found);
        }
    }
}

fn keys(object: Option<&Value>) -> Vec<String> {
    object.and_then(Value::as_object).into_iter().flat_map(|map| map.keys().cloned()).collect()
}

fn texts(list: Option<&Value>) -> Vec<String> {
    list.and_then(Value::as_array).into_iter().flatten().filter_map(|text| text.as_str().map(str::to_owned)).collect()
}

/// A path without the service in front and without the names of its variable parts.
fn plain(path: &str) -> String {
    let path = path.strip_prefix(SERVICE).unwrap_or(path).trim_matches('/');
    let part = |part: &str| if part.starts_with('{') { "{}".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn both_kinds_of_descriptions() {
        let swagger = json!({
            "paths": {"/host/{id}": {"post": {"parameters": [{"in": "body", "schema": {"$ref": "#/definitions/Edit"}}]}}},
            "definitions": {"Edit": {"allOf": [{"properties": {"name": {}}, "required": ["name"]}, {"$ref": "#/definitions/Edit"}]}},
        });
        let content = json!({"application/json": {"schema": {"properties": {"name": {}}, "required": ["name"]}}});
        let open = json!({"paths": {"/vm/v3/host/{host_id}": {"post": {"requestBody": {"content": content}}}}});
        for document in [swagger, open] {
            let description = Description::read(document).unwrap();
            assert!(description.has("POST", "/vm/v3/host/{}") && !description.has("GET", "/vm/v3/host/{}"));
            assert_eq!(description.body("POST", "/vm/v3/host/{}"), Some(["name".to_owned()].into()));
            assert_eq!(description.required("POST", "/vm/v3/host/{}"), ["name".to_owned()].into());
        }
        for nothing in [json!({}), json!([]), json!({"paths": {}})] {
            assert!(Description::read(nothing).is_none());
        }
    }
}
