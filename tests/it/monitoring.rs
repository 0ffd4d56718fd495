//! The monitoring pack: alert rules, dashboard and template speak of the metrics that the program exports.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::process::{Command, Output};

use serde_json::Value;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::markdown::{quoted, read, repository, table};
use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

const FOLDER: &str = "packaging/monitoring";
const ALERTS: &str = "packaging/monitoring/alerts.yml";
const TESTS: &str = "packaging/monitoring/alerts.test.yml";
const DASHBOARD: &str = "packaging/monitoring/grafana-dashboard.json";
const TEMPLATE: &str = "packaging/monitoring/zabbix-template.yaml";
/// Labels that Prometheus adds, or that a metric of another program has.
const FOREIGN_LABELS: [&str; 3] = ["file", "instance", "le"];
const OURS: &str = "pmvmmanager6_";

/// Types of all exported metrics by name.
fn exported() -> BTreeMap<String, String> {
    let run = TestWorld::start().bill.run(&["metrics", "--probe", "--capacity"]);
    Metrics::parse(&run.stdout).types
}

/// The metrics that a text names, each with the text behind the name. Series of a histogram count as the histogram.
fn named(text: &str) -> Vec<(String, &str)> {
    let types = exported();
    let is_part = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts = text.match_indices(OURS).map(|(at, _)| at);
    let alone = starts.filter(|at| !text[..*at].ends_with(|c: char| c.is_ascii_alphanumeric() || "/.-_".contains(c)));
    alone
        .map(|at| {
            let end = text[at..].find(|c| !is_part(c)).map_or(text.len(), |length| at + length);
            let (name, rest) = (&text[at..end], &text[end..]);
            let tails = ["_bucket", "_sum", "_count"].into_iter().filter_map(|tail| name.strip_suffix(tail));
            let histogram = tails.into_iter().find(|name| types.get(*name).is_some_and(|kind| kind == "histogram"));
            (histogram.unwrap_or(name).to_owned(), rest)
        })
        .collect()
}

fn names(text: &str) -> BTreeSet<String> {
    named(text).into_iter().map(|(name, _)| name).collect()
}

fn yaml(file: &str) -> Yaml {
    YamlLoader::load_from_str(&read(file)).unwrap_or_else(|error| panic!("{file}: {error}")).remove(0)
}

fn text<'a>(node: &'a Yaml, key: &str) -> &'a str {
    node[key].as_str().unwrap_or_else(|| panic!("{key} is no text: {node:?}"))
}

fn list(node: &Yaml) -> &[Yaml] {
    node.as_vec().map_or(&[], Vec::as_slice)
}

fn promtool(arguments: &[&str]) -> Output {
    let run = Command::new("promtool").args(arguments).current_dir(repository(FOLDER)).output();
    run.unwrap_or_else(|error| panic!("promtool ({error}): install prometheus, or run \"make promtool\" as root"))
}

#[test]
fn what_they_name_is_exported() {
    let exported: BTreeSet<String> = exported().into_keys().collect();
    for file in [ALERTS, TESTS, DASHBOARD, TEMPLATE] {
        let unknown: Vec<String> = names(&read(file)).difference(&exported).cloned().collect();
        assert!(unknown.is_empty(), "{file} names metrics that do not exist: {unknown:?}");
    }
}

#[test]
fn the_dashboard_shows_every_metric() {
    let exported: BTreeSet<String> = exported().into_keys().collect();
    assert_eq!(names(&read(DASHBOARD)), exported);
}

/// The README says which metric has which labels.
#[test]
fn selectors_use_labels_that_the_metrics_have() {
    let readme = read("README.md");
    let rows = table(&readme, "### Metrics");
    let names_and_labels = |row: &Vec<String>| {
        let name = quoted(&row[0]).next()?.to_owned();
        Some((name, quoted(&row[1]).map(str::to_owned).collect()))
    };
    let labels: BTreeMap<String, BTreeSet<String>> = rows.iter().filter_map(names_and_labels).collect();
    for file in [ALERTS, TESTS, DASHBOARD, TEMPLATE] {
        let content = read(file).replace("\\\"", "\"");
        for (name, rest) in named(&content) {
            let Some(selector) = rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) else { continue };
            for condition in selector.0.split(',') {
                let label = condition.split(['=', '!']).next().unwrap_or_default().trim();
                let known = labels[&name].contains(label) || FOREIGN_LABELS.contains(&label);
                assert!(known, "{file}: {name} has no label {label}");
            }
        }
    }
}

#[test]
fn the_alerts_fire_and_clear() {
    let run = promtool(&["test", "rules", "alerts.test.yml"]);
    let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{said}");
    let rules = yaml(ALERTS);
    let rules = list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"]));
    let alerts: BTreeSet<String> = rules.map(|rule| text(rule, "alert").to_owned()).collect();
    assert!(alerts.len() > 10, "{alerts:?}");
    // Quiet and firing are both tested, or an alert that always fires would pass.
    let tests = yaml(TESTS);
    let cases = list(&tests["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"]));
    let (fires, quiet): (Vec<&Yaml>, Vec<&Yaml>) = cases.partition(|case| !list(&case["exp_alerts"]).is_empty());
    for (cases, what) in [(fires, "fires"), (quiet, "is quiet")] {
        let tested: BTreeSet<String> = cases.into_iter().map(|case| text(case, "alertname").to_owned()).collect();
        assert_eq!(tested, alerts, "each alert has a test in which it {what}");
    }
}

#[test]
fn an_alert_says_what_to_do() {
    let rules = yaml(ALERTS);
    for rule in list(&rules["groups"]).iter().flat_map(|group| list(&group["rules"])) {
        let severity = text(&rule["labels"], "severity");
        assert!(["warning", "critical"].contains(&severity), "{severity}");
        let (summary, description) = (text(&rule["annotations"], "summary"), text(&rule["annotations"], "description"));
        assert!(!summary.ends_with('.') && description.ends_with('.'), "{summary}: {description}");
    }
}

/// Every object that stands anywhere in a document.
fn objects(value: &Value) -> Vec<&serde_json::Map<String, Value>> {
    match value {
        Value::Object(map) => std::iter::once(map).chain(map.values().flat_map(objects)).collect(),
        Value::Array(values) => values.iter().flat_map(objects).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_dashboard_can_be_imported() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<u64> = panels.iter().filter_map(|panel| panel["id"].as_u64()).collect();
    assert_eq!(ids.len(), panels.len());
    let number = |panel: &Value, name: &str| panel["gridPos"][name].as_u64().unwrap();
    let mut taken = BTreeSet::new();
    for panel in panels {
        let (x, y) = (number(panel, "x"), number(panel, "y"));
        for place in (x..x + number(panel, "w")).flat_map(|x| (y..y + number(panel, "h")).map(move |y| (x, y))) {
            assert!(place.0 < 24 && taken.insert(place), "{} overlaps another", panel["title"]);
        }
    }
    // Whose Prometheus it is, is chosen on the page.
    let sources = objects(&dashboard).into_iter().filter_map(|object| object.get("datasource"));
    assert!(sources.clone().count() > panels.len() / 2);
    sources.for_each(|source| assert_eq!(source["uid"], "${datasource}"));
}

/// Prometheus itself reads them, as rules.
#[test]
fn the_expressions_of_the_dashboard_are_valid() {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let expressions = objects(&dashboard).into_iter().filter_map(|object| object.get("expr")?.as_str());
    let rules: Vec<Value> = expressions
        .map(|expression| expression.replace("$__rate_interval", "5m").replace("$instance", ".*"))
        .enumerate()
        .map(|(at, expr)| serde_json::json!({"record": format!("panel_{at}"), "expr": expr}))
        .collect();
    assert!(rules.len() > 20);
    // JSON is YAML.
    let mut file = tempfile::NamedTempFile::new().unwrap();
    write!(file, "{}", serde_json::json!({"groups": [{"name": "dashboard", "rules": rules}]})).unwrap();
    let run = promtool(&["check", "rules", file.path().to_str().unwrap()]);
    assert!(run.status.success(), "{}{}", String::from_utf8_lossy(&run.stdout), String::from_utf8_lossy(&run.stderr));
}

/// Items of the Zabbix template, those of the discovery rules too.
fn items(template: &Yaml) -> Vec<&Yaml> {
    let found = list(&template["discovery_rules"]).iter().flat_map(|rule| list(&rule["item_prototypes"]));
    list(&template["items"]).iter().chain(found).collect()
}

#[test]
fn the_template_can_be_imported() {
    let document = yaml(TEMPLATE);
    let template = &list(&document["zabbix_export"]["templates"])[0];
    let items = items(template);
    let keys: BTreeSet<&str> = items.iter().map(|item| text(item, "key")).collect();
    assert_eq!(keys.len(), items.len(), "no key twice");
    for node in items.iter().copied().chain(list(&template["discovery_rules"])) {
        if node["type"].as_str() == Some("DEPENDENT") {
            assert!(keys.contains(text(&node["master_item"], "key")), "{node:?}");
            assert!(text(&list(&node["preprocessing"])[0], "type").starts_with("PROMETHEUS_"), "{node:?}");
        }
    }
    let triggers = items.iter().flat_map(|item| {
        let own = list(&item["triggers"]).iter().chain(list(&item["trigger_prototypes"]));
        own.map(move |trigger| (*item, trigger))
    });
    let macros: BTreeSet<&str> = list(&template["macros"]).iter().map(|it| text(it, "macro")).collect();
    let name = text(template, "template");
    for (item, trigger) in triggers {
        let expression = text(trigger, "expression");
        assert!(expression.contains(&format!("/{name}/{}", text(item, "key"))), "{expression}");
        let used =
            expression.match_indices("{$").map(|(at, _)| &expression[at..=at + expression[at..].find('}').unwrap()]);
        used.for_each(|used| assert!(macros.contains(used), "{used} has no value"));
        assert!(text(trigger, "description").ends_with('.'), "{trigger:?}");
    }
}

/// Zabbix takes only UUIDs of version 4, each once.
#[test]
fn the_template_s_ids_are_unique() {
    let template = read(TEMPLATE);
    let ids: Vec<&str> =
        template.lines().filter_map(|line| line.trim().trim_start_matches("- ").strip_prefix("uuid: ")).collect();
    assert!(ids.len() > 20);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    for id in ids {
        let fits = id.len() == 32 && id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        assert!(fits && &id[12..13] == "4" && "89ab".contains(&id[16..17]), "{id}");
    }
}
