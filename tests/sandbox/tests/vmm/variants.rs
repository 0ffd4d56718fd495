//! Builds that differ: history, snapshots, hot changes, creations that fail halfway, late lists, error documents.

use std::time::{Duration, Instant};

use sandbox::vmm::{Action, Description, Fault, Figures, History, Setup, Timing};
use serde_json::{Value, json};

use crate::client::{SOON, body, site, site_with};

#[test]
fn the_history_has_three_shapes() {
    let site = site();
    let host = site.host(&json!({}));
    let names = |shape| -> Vec<String> {
        site.vmm.change(|p| p.variant.history = shape);
        let history = site.get(&format!("/vm/v3/host/{host}/history")).good();
        history["list"][0].as_object().unwrap().keys().cloned().collect()
    };
    assert_eq!(names(History::Full).len(), 7);
    assert_eq!(names(History::Short), ["date_create", "id", "name", "state", "task"]);
    assert_eq!(names(History::WithoutIds), ["date_create", "name", "params", "state", "user"]);
}

#[test]
fn the_description_of_the_api_is_where_the_build_has_it() {
    let site = site();
    let found = |description| {
        site.vmm.change(|p| p.variant.description = description);
        let pages = ["/vm/v3/api", "/swagger/vm.json", "/swagger/swagger-initializer.js", "/swagger/config.json"];
        assert!(site.get("/swagger/").good().as_str().unwrap().contains("<script"));
        pages.map(|page| site.get(page).status == 200)
    };
    assert_eq!(found(Description::Api), [true, false, false, false]);
    assert_eq!(found(Description::Script), [false, true, true, false]);
    assert_eq!(found(Description::Configuration), [false, true, false, true]);
    assert_eq!(found(Description::Missing), [false; 4]);
}

#[test]
fn a_build_that_does_not_know_interfaces_refuses_and_hides_them() {
    let site = site();
    site.vmm.change(|p| p.variant.interfaces = false);
    let interfaces = json!([{"interface": 0, "ippool": [4]}, {"interface": 1, "ippool": [5]}]);
    let refused =
        site.post("/vm/v3/host", &body(&json!({"cluster": 3, "ipv4_number": null, "interfaces": interfaces})));
    assert_eq!(refused.bad(400).0, 3008);
    let described = site.get("/vm/v3/api").good()["paths"]["/vm/v3/host"]["post"]["parameters"].to_string();
    assert!(!described.contains("\"interfaces\"") && described.contains("\"custom_interfaces\""), "{described}");
}

#[test]
fn a_vm_with_snapshots_keeps_its_size_and_addresses() {
    let site = site();
    let host = site.host(&json!({}));
    site.vmm.change(|p| p.hosts.get_mut(&host).unwrap().snapshot_count = 2);
    assert_eq!(site.read(host)["snapshot_count"], 2);
    let disk = site.read(host)["disk"]["id"].clone();
    let changes = [
        (format!("/vm/v3/host/{host}/resource"), json!({"ram_mib": 4096, "defer": {"action": "host_stop"}})),
        (format!("/vm/v3/disk/{disk}"), json!({"size_mib": 40960, "defer": {"action": "host_stop"}})),
        (format!("/vm/v3/host/{host}/ip"), json!({"ipv4_number": 1})),
        (format!("/vm/v3/host/{host}/iface"), json!({"bridge": "vmbr1", "ippool": 1})),
    ];
    for (path, change) in &changes {
        assert!(site.post(path, change).bad(400).1.contains("snapshots"), "{path}");
    }
    site.post(&format!("/vm/v3/host/{host}/resource"), &json!({"firewall_rules": []})).good();
    site.vmm.change(|p| p.hosts.get_mut(&host).unwrap().snapshot_count = 0);
    for (path, change) in &changes {
        site.post(path, change).good();
    }
}

#[test]
fn a_hot_change_can_fail_in_its_task() {
    let site = site();
    let host = site.host(&json!({}));
    let (path, change) = (format!("/vm/v3/host/{host}/resource"), json!({"ram_mib": 4096}));
    site.post(&path, &change).bad(400);
    site.vmm.change(|p| p.variant.hot_limits_in_task = true);
    site.post(&path, &change).good();
    let disk = site.read(host)["disk"]["id"].clone();
    site.post(&format!("/vm/v3/disk/{disk}"), &json!({"size_mib": 40960})).good();
    site.settle();
    for task in ["host_change_params", "disk_resize"] {
        let (word, text) = site.outcome(task);
        assert!(word == "failed" && text.contains("needs a stop"), "{word}: {text}");
    }
    assert_eq!(
        (site.read(host)["ram_mib"].as_u64(), site.read(host)["disk"]["disk_mib"].as_u64()),
        (Some(2048), Some(20480))
    );
}

#[test]
fn a_failed_creation_leaves_the_vm_in_any_state() {
    let site = site();
    for state in ["stopped", "active"] {
        let action = Action::FailInState { word: "failed", text: "no recipe".into(), state: state.into() };
        site.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
        let host = site.post("/vm/v3/host", &body(&json!({}))).good()["id"].as_u64().unwrap();
        site.settle();
        assert_eq!(site.outcome("host_create"), ("failed".into(), "no recipe".into()));
        let read = site.read(host);
        assert_eq!((&read["state"], read["ip4"].as_array().map(Vec::len)), (&json!(state), Some(1)));
    }
}

#[test]
fn a_new_vm_is_listed_and_found_late() {
    let late =
        Timing { vm_listed_after: Duration::from_secs(1), vm_found_after: Duration::from_secs(1), ..Timing::default() };
    let site = site_with(Setup { timing: late, ..Setup::default() });
    let create = || site.post("/vm/v3/host", &body(&json!({}))).good()["id"].as_u64().unwrap();
    let listed = |host: u64| site.read(host) != Value::Null;
    let host = create();
    assert!(!listed(host));
    site.get(&format!("/vm/v3/host/{host}")).bad(404);
    let until = Instant::now() + SOON;
    while site.get(&format!("/vm/v3/host/{host}")).status != 200 || !listed(host) {
        assert!(Instant::now() < until, "the VM stays unknown");
    }
    site.vmm.change(|p| p.timing = Timing::default());
    let lag = Action::Lag { listed_after: Duration::from_mins(1), found_after: Duration::ZERO };
    site.vmm.fault(Fault::on("POST", "/vm/v3/host").act(lag));
    let host = create();
    assert!(!listed(host));
    site.get(&format!("/vm/v3/host/{host}")).good();
}

#[test]
fn errors_come_as_documents_before_and_after_the_work() {
    let site = site();
    let msg = || "the queue is full".to_owned();
    site.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::Error { status: 400, code: 5031, msg: msg() }));
    assert_eq!(site.post("/vm/v3/host", &body(&json!({}))).bad(400), (5031, msg()));
    let after = Action::ErrorAfterWork { status: 500, code: 500, msg: msg() };
    site.vmm.fault(Fault::on("POST", "/vm/v3/host").act(after));
    assert_eq!(site.post("/vm/v3/host", &body(&json!({}))).bad(500).1, msg());
    assert_eq!(site.vmm.look(|p| p.hosts.len()), 1);
}

#[test]
fn builds_tell_in_different_words_how_full_they_are() {
    let site = site();
    let told = |figures| {
        site.vmm.change(|p| p.variant.figures = figures);
        let [node, pool] = ["node", "ippool"].map(|list| site.get(&format!("/vm/v3/{list}")).good()["list"][0].clone());
        let names = |object: &Value, names: &[&str]| names.iter().filter(|name| object.get(**name).is_some()).count();
        let node = names(&node, &["cpu", "storage", "overselling"]) * 10 + names(&node, &["cpu_number", "storage_mib"]);
        (node, names(&pool, &["ipv4"]), names(&pool, &["total_ip", "using_ip"]))
    };
    assert_eq!(told(Figures::Full), (30, 1, 2));
    assert_eq!(told(Figures::WithoutOverselling), (20, 1, 2));
    assert_eq!(told(Figures::Old), (12, 0, 2));
    assert_eq!(told(Figures::Missing), (0, 0, 0));
}
