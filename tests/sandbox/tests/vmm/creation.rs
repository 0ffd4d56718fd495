//! Creating VMs: what is accepted, what is refused, what fails later.

use std::time::Duration;

use sandbox::vmm::Setup;
use serde_json::{Value, json};

use crate::client::{SOON, body, site, site_with};

#[test]
fn a_vm_is_creating_until_its_task_is_over_and_then_has_everything() {
    let mut setup = Setup::default();
    setup.timing.create = Duration::from_millis(300);
    let site = site_with(setup);
    let answer = site
        .post("/vm/v3/host", &body(&json!({"domain": "vm7.host.example", "ipv6_enabled": true, "ipv6_prefix": 64})))
        .good();
    let (id, task) = (answer["id"].as_u64().unwrap(), answer["task"].as_u64().unwrap());
    let vm = site.read(id);
    assert_eq!((&vm["state"], &vm["ip4"]), (&json!("creating"), &json!([])));
    for action in ["stop", "start", "restart", "resource", "reinstall", "password", "ip"] {
        let body = if action == "password" { json!({"password": "New-pass-1"}) } else { json!({}) };
        site.post(&format!("/vm/v3/host/{id}/{action}"), &body).bad(400);
    }
    assert!(site.vmm.wait_until(SOON, |p| p.hosts[&id].state == "active"));
    let vm = site.read(id);
    assert_eq!(vm["comment"], "billmgr:7");
    assert_eq!(vm["domain"], "vm7.host.example");
    assert_eq!(vm["ip4"][0]["ip"], "203.0.113.10");
    assert_eq!(vm["ip6"][0]["ip"], "2001:db8:a::1");
    assert_eq!(vm["disk"]["disk_mib"], 20480);
    assert_eq!(vm["node"]["name"], "kvm-node1");
    let flat = site.get(&format!("/vm/v3/host/{id}")).good();
    assert!(flat["node"].is_u64() && flat.get("ip4").is_none() && flat.get("cluster").is_none());
    let meta = site.get(&format!("/vm/v3/host/{id}/metadata")).good();
    assert_eq!(meta["metadata"]["ipv4"][0]["ippool_id"], 1);
    let own = site.get(&format!("/vm/v3/task?where=((consul_id+EQ+'{task}')+AND+(name+EQ+'host_create'))")).good();
    assert_eq!((&own["size"], &own["list"][0]["status"]), (&json!(1), &json!("complete")));
    let all = site.get(&format!("/vm/v3/task?where=(consul_id+EQ+{task})")).good();
    assert_eq!(all["size"], 2, "the allocation of addresses has the same number");
}

#[test]
fn wrong_bodies_are_refused() {
    let site = site();
    for (changes, property) in [
        (json!({"ssh_keys": []}), "ssh_keys"),
        (json!({"ipv6_pool": [1]}), "ipv6_pool"),
        (json!({"recipe_list": [{"recipe": 4, "colour": 1}]}), "recipe_list.0.colour"),
    ] {
        let said = site.post("/vm/v3/host", &body(&changes));
        assert_eq!(said.body["error"]["value"]["property"], property);
        let (code, msg) = said.bad(400);
        assert_eq!((code, msg), (3008, format!("Unexpected property {property}")));
    }
    for changes in [
        json!({"cluster": "1"}),
        json!({"cpu_number": 1.5}),
        json!({"cpu_number": -1}),
        json!({"ipv6_enabled": "false"}),
        json!({"name": null}),
        json!({"cluster": null}),
        json!({"account": null}),
        json!({"password": null}),
        json!({"hdd_mib": null}),
        json!({"os": null}),
        json!({"image": 7}),
        json!({"preset": 1}),
        json!({"name": "with blank"}),
        json!({"name": ""}),
        json!({"name": "x".repeat(61)}),
        json!({"domain": "Upper.example"}),
        json!({"domain": "bad_label.example"}),
        json!({"ipv4_number": 0}),
        json!({"ipv4_number": -1}),
        json!({"ipv6_prefix": 64}),
        json!({"ipv6_enabled": true, "ipv6_prefix": 56}),
        json!({"ipv4_pool": [3]}),
        json!({"disks": [{"size_mib": 20480}]}),
        json!({"password": "short"}),
        json!({"os": 17}),
        json!({"os": 31}),
        json!({"os": 19}),
        json!({"os": 15}),
        json!({"os": 12, "ram_mib": 256}),
        json!({"preset": 3, "cpu_number": null, "ram_mib": null, "hdd_mib": null}),
        json!({"cpu_custom_model": "x"}),
        json!({"cpu_number": 1025}),
        json!({"recipe": 5}),
        json!({"recipe": 5, "recipe_params": [{"name": "EDITION", "value": "home"}]}),
        json!({"recipe": 5, "recipe_params": [{"name": "EDITION", "value": ""}]}),
        json!({"recipe": 8, "recipe_params": [{"name": "SITE_TITLE", "value": "no password"}]}),
        json!({"recipe": 6}),
        json!({"recipe": 3, "recipe_list": [{"recipe": 4}]}),
        json!({"interfaces": [{"interface": 0, "ippool": [1]}]}),
    ] {
        let said = site.post("/vm/v3/host", &body(&changes));
        assert_eq!(said.status, 400, "{changes}: {}", said.body);
    }
    for (changes, what) in [
        (json!({"cluster": 9}), "cluster"),
        (json!({"account": 99}), "account"),
        (json!({"os": 99}), "os"),
        (json!({"ipv4_pool": [99]}), "ippool"),
        (json!({"recipe": 99}), "recipe"),
    ] {
        let (code, msg) = site.post("/vm/v3/host", &body(&changes)).bad(404);
        assert!(code == 3080 && msg.contains(what), "{changes}: {msg}");
    }
    assert!(site.vmm.look(|p| p.hosts.is_empty() && p.tasks.is_empty()));
}

#[test]
fn explicit_null_is_not_a_missing_property() {
    let site = site();
    let mut body = body(&json!({}));
    body["domain"] = Value::Null;
    site.post("/vm/v3/host", &body).bad(400);
}

#[test]
fn presets_and_lxd_clusters_work() {
    let site = site();
    let sized = json!({"cpu_number": null, "ram_mib": null, "hdd_mib": null, "preset": 1});
    let vm = site.read(site.host(&sized));
    assert_eq!((&vm["cpu_number"], &vm["ram_mib"], &vm["disk"]["disk_mib"]), (&json!(2), &json!(2048), &json!(20480)));
    let vm = site.read(site.host(&json!({"cluster": 2, "os": 32})));
    assert_eq!(vm["cluster"]["virtualization_type"], "lxd");
    assert_eq!(vm["ip4"][0]["ip"], "198.51.100.10");
    site.post("/vm/v3/host", &body(&json!({"cluster": 2}))).bad(400);
}

#[test]
fn two_interfaces_take_their_addresses_from_their_own_pools() {
    let site = site();
    let interfaces = json!([{"interface": 0, "ippool": [4]}, {"interface": 1, "ippool": [5]}]);
    let changes = json!({"cluster": 3, "ipv4_number": null, "interfaces": interfaces});
    let vm = site.read(site.host(&changes));
    assert_eq!(vm["ip4"], json!([{"ip": "192.0.2.10", "interface": "0"}, {"ip": "10.20.0.10", "interface": "1"}]));
    assert_eq!(vm["interfaces"].as_array().unwrap().len(), 2);
    let wrong = json!([{"interface": 1, "ippool": [4]}]);
    site.post("/vm/v3/host", &body(&json!({"cluster": 3, "ipv4_number": null, "interfaces": wrong}))).bad(400);
    let custom = json!([{"model": "virtio", "is_main_network": true, "bridge": "vmbr0", "ippool": 4, "ip_count": 2}]);
    let vm = site.read(site.host(&json!({"cluster": 3, "ipv4_number": null, "custom_interfaces": custom})));
    assert_eq!(vm["ip4"].as_array().unwrap().len(), 2);
}

#[test]
fn recipes_make_the_creation_longer_and_have_tasks_of_their_own() {
    let site = site();
    let list = json!([{"recipe": 4}, {"recipe": 5, "recipe_params": [{"name": "EDITION", "value": "lite"}]}]);
    let answer = site.post("/vm/v3/host", &body(&json!({"recipe_list": list}))).good();
    assert_eq!(answer["recipe_task_list"].as_array().unwrap().len(), 2);
    site.settle();
    let id = answer["id"].as_u64().unwrap();
    assert_eq!(site.vmm.look(|p| p.hosts[&id].recipes.clone()), [4, 5]);
    let tasks = site.get(&format!("/vm/v3/task?where=consul_id+EQ+{}", answer["task"])).good();
    assert_eq!(tasks["size"], 4);
}

#[test]
fn an_exhausted_pool_is_followed_by_the_next_and_then_fails_the_task() {
    let site = site();
    site.vmm.change(|p| {
        p.pools.get_mut(&1).unwrap().ranges[0].count = 1;
        p.pools.get_mut(&2).unwrap().ranges[0].count = 1;
    });
    let first = site.host(&json!({}));
    let second = site.host(&json!({}));
    assert_eq!(site.read(second)["ip4"][0]["ip"], "198.18.0.10");
    let third = site.post("/vm/v3/host", &body(&json!({}))).good();
    site.settle();
    assert_eq!(site.outcome("host_create"), ("failed".into(), "no free IP address in pool 1, 2".into()));
    assert_eq!(site.read(third["id"].as_u64().unwrap())["state"], "creating");
    let task =
        site.get(&format!("/vm/v3/task?where=(consul_id+EQ+{})+AND+(name+EQ+'host_create')", third["task"])).good();
    assert!(task["list"][0].get("output").is_none(), "the list does not say why");
    let detail = site.get(&format!("/vm/v3/task/{}", task["list"][0]["id"])).good();
    assert_eq!(detail["task"]["output"], "no free IP address in pool 1, 2");
    site.delete(&format!("/vm/v3/host/{first}")).good();
    site.delete(&format!("/vm/v3/host/{}", third["id"])).good();
    site.settle();
    assert_eq!(site.read(site.host(&json!({})))["ip4"][0]["ip"], "203.0.113.10", "the address is free again");
}

#[test]
fn a_cluster_without_room_fails_the_task() {
    let site = site();
    site.vmm.change(|p| p.nodes.get_mut(&1).unwrap().maintenance_mode = true);
    assert_eq!(site.read(site.host(&json!({})))["node"]["id"], 2);
    site.vmm.change(|p| p.nodes.get_mut(&2).unwrap().ram_mib = 3000);
    site.post("/vm/v3/host", &body(&json!({}))).good();
    site.settle();
    assert!(site.outcome("host_create").1.contains("no suitable node"));
}

/// Cores and memory are sold as often as the node says, disk space once.
#[test]
fn overselling_makes_room() {
    let site = site();
    site.vmm.change(|p| p.nodes.get_mut(&1).unwrap().maintenance_mode = true);
    let placed = |cpu_number, ram_mib, storage_mib, overselling| {
        site.vmm.change(|p| {
            let node = p.nodes.get_mut(&2).unwrap();
            (node.cpu_number, node.ram_mib, node.storage_mib) = (cpu_number, ram_mib, storage_mib);
            node.overselling = overselling;
        });
        site.post("/vm/v3/host", &body(&json!({"cpu_number": 2, "ram_mib": 2048, "hdd_mib": 20_480}))).good();
        site.settle();
        let made = site.outcome("host_create").0 == "complete";
        let hosts: Vec<u64> = site.vmm.look(|p| p.hosts.keys().copied().collect());
        site.vmm.change(|p| hosts.into_iter().for_each(|id| p.remove_host(id)));
        made
    };
    assert!(placed(2, 2048, 20_480, 1));
    assert!(!placed(1, 2048, 20_480, 1) && placed(1, 2048, 20_480, 2), "cores");
    assert!(!placed(2, 1024, 20_480, 1) && placed(2, 1024, 20_480, 2), "memory");
    assert!(!placed(2, 2048, 10_240, 1) && !placed(2, 2048, 10_240, 2), "disk space");
}

#[test]
fn addresses_may_come_after_the_task() {
    let mut setup = Setup::default();
    setup.timing.addresses_after = Duration::from_secs(1);
    let site = site_with(setup);
    let id = site.host(&json!({}));
    assert_eq!(site.read(id)["ip4"], json!([]));
    assert!(site.vmm.wait_until(SOON, |p| !p.addresses(id, 4).is_empty()));
    assert_eq!(site.read(id)["ip4"][0]["ip"], "203.0.113.10");
}

#[test]
fn a_protected_vm_is_not_deleted_and_a_deleted_one_is_gone() {
    let site = site();
    let id = site.host(&json!({}));
    site.vmm.change(|p| p.hosts.get_mut(&id).unwrap().is_protected = true);
    assert!(site.delete(&format!("/vm/v3/host/{id}")).bad(400).1.contains("protected"));
    site.vmm.change(|p| p.hosts.get_mut(&id).unwrap().is_protected = false);
    site.delete(&format!("/vm/v3/host/{id}?force=false")).good();
    site.delete(&format!("/vm/v3/host/{id}")).good();
    site.settle();
    assert_eq!(site.outcome("host_delete"), ("failed".into(), format!("VM {id} not found")));
    assert_eq!(site.get(&format!("/vm/v3/host?where=(id+EQ+'{id}')")).good()["list"], json!([]));
    assert_eq!(site.get(&format!("/vm/v3/host/{id}")).bad(404).0, 5021);
    assert!(site.vmm.look(|p| p.ips.is_empty() && p.disks.is_empty() && p.free_addresses(1) == (200, 4096)));
}

#[test]
fn the_comment_can_be_edited_and_a_rule_set_cannot_be_sent_there() {
    let site = site();
    let id = site.host(&json!({}));
    site.post(&format!("/vm/v3/host/{id}"), &json!({"comment": "mine", "name": "other"})).good();
    assert_eq!(site.read(id)["comment"], "mine");
    assert_eq!(site.vmm.look(|p| p.host_by_comment("min").len()), 1);
    assert_eq!(site.post(&format!("/vm/v3/host/{id}"), &json!({"firewall_rules": []})).bad(400).0, 3008);
}
