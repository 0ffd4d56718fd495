//! Power, resources, disks, software of existing VMs.

use sandbox::vmm::{Month, Traffic};
use serde_json::{Value, json};

use crate::client::{SOON, Site, site};

const LATER: &str = "host_stop";

fn resource(site: &Site, id: u64, body: &Value) -> crate::client::Said {
    site.post(&format!("/vm/v3/host/{id}/resource"), body)
}

fn state(site: &Site, id: u64) -> String {
    site.vmm.look(|p| p.hosts[&id].state.clone())
}

#[test]
fn a_start_of_a_running_vm_and_a_stop_of_a_stopped_one_are_errors() {
    let site = site();
    let id = site.host(&json!({}));
    site.post(&format!("/vm/v3/host/{id}/start"), &json!({})).bad(400);
    site.post(&format!("/vm/v3/host/{id}/stop"), &json!({"force": true})).good();
    site.settle();
    assert_eq!(state(&site, id), "stopped");
    site.post(&format!("/vm/v3/host/{id}/stop"), &json!({})).bad(400);
    site.post(&format!("/vm/v3/host/{id}/restart"), &json!({})).bad(400);
    site.post(&format!("/vm/v3/host/{id}/start"), &Value::Null).bad(400);
    site.post(&format!("/vm/v3/host/{id}/start"), &json!({})).good();
    site.settle();
    assert_eq!(state(&site, id), "active");
}

#[test]
fn deferred_changes_run_at_the_stop_of_a_restart() {
    let site = site();
    let id = site.host(&json!({}));
    let disk = site.read(id)["disk"]["id"].clone();
    resource(&site, id, &json!({"cpu_number": 4})).bad(400);
    let task = resource(
        &site,
        id,
        &json!({"cpu_number": 4, "ram_mib": 4096, "net_bandwidth_mbitps": 200, "defer": {"action": LATER}}),
    )
    .good();
    let resize =
        site.post(&format!("/vm/v3/disk/{disk}"), &json!({"size_mib": 61440, "defer": {"action": LATER}})).good();
    let vm = site.read(id);
    assert_eq!((&vm["cpu_number"], &vm["cpu_number_new"]), (&json!(2), &json!(4)));
    assert_eq!((&vm["ram_mib_new"], &vm["net_bandwidth_mbitps_changed"]), (&json!(4096), &json!(true)));
    assert_eq!((&vm["disk"]["disk_mib"], &vm["disk"]["disk_mib_new"]), (&json!(20480), &json!(61440)));
    let consul = &task["task"];
    assert!(site.vmm.look(|p| p.tasks.values().any(|t| t.defer_reason.as_deref() == Some(LATER))));
    let restart = site.post(&format!("/vm/v3/host/{id}/restart"), &json!({})).good();
    assert!(restart.get("task").is_none());
    site.settle();
    let vm = site.read(id);
    assert_eq!((&vm["cpu_number"], &vm["cpu_number_new"], &vm["ram_mib"]), (&json!(4), &json!(0), &json!(4096)));
    assert_eq!((&vm["disk"]["disk_mib"], &vm["disk"]["disk_mib_new"]), (&json!(61440), &json!(0)));
    assert_eq!((&vm["state"], &vm["net_bandwidth_mbitps"]), (&json!("active"), &json!(200)));
    for (consul, name) in
        [(consul, "host_change_params"), (&resize["task"], "disk_resize"), (&restart["start_task"], "host_start")]
    {
        let found = site.get(&format!("/vm/v3/task?where=(consul_id+EQ+{consul})")).good();
        assert_eq!((&found["list"][0]["name"], &found["list"][0]["status"]), (&json!(name), &json!("complete")));
    }
}

#[test]
fn a_stopped_vm_changes_at_once_but_not_with_defer() {
    let site = site();
    let id = site.host(&json!({}));
    site.post(&format!("/vm/v3/host/{id}/stop"), &json!({})).good();
    site.settle();
    resource(&site, id, &json!({"ram_mib": 1024})).good();
    site.settle();
    assert_eq!(site.read(id)["ram_mib"], 1024);
    resource(&site, id, &json!({"cpu_number": 3, "defer": {"action": LATER}})).good();
    site.post(&format!("/vm/v3/host/{id}/start"), &json!({})).good();
    assert!(site.vmm.wait_until(SOON, |p| p.hosts[&id].state == "active"));
    assert_eq!(site.read(id)["cpu_number"], 2, "a deferred change waits for a stop, whatever the state was");
    site.post(&format!("/vm/v3/host/{id}/stop"), &json!({})).good();
    site.settle();
    assert_eq!(site.read(id)["cpu_number"], 3);
}

#[test]
fn hot_changes_only_grow_and_only_where_the_flags_allow() {
    let site = site();
    let id = site.host(&json!({"hot_plug": true, "live_resize": true}));
    let disk = site.read(id)["disk"]["id"].clone();
    resource(&site, id, &json!({"cpu_number": 1})).bad(400);
    resource(&site, id, &json!({"ram_mib": 2048 + 512})).bad(400);
    resource(&site, id, &json!({"cpu_number": 4, "net_in_mbitps": 10})).bad(400);
    resource(&site, id, &json!({"cpu_number": 4, "ram_mib": 4096, "net_bandwidth_mbitps": 0})).good();
    site.post(&format!("/vm/v3/disk/{disk}"), &json!({"size_mib": 40960})).good();
    site.settle();
    let vm = site.read(id);
    assert_eq!((&vm["cpu_number"], &vm["ram_mib"], &vm["disk"]["disk_mib"]), (&json!(4), &json!(4096), &json!(40960)));
    assert_eq!(site.vmm.look(|p| p.hosts[&id].starts), 1);
}

#[test]
fn hot_growth_has_limits() {
    let site = site();
    let windows = site.host(&json!({"hot_plug": true}));
    let linux = site.host(&json!({"hot_plug": true}));
    site.vmm.change(|p| {
        let os = p.os.values().find(|os| os.os_group == "windows").unwrap().id;
        p.hosts.get_mut(&windows).unwrap().os = Some(os);
    });
    for (id, most) in [(windows, 128), (linux, 240)] {
        resource(&site, id, &json!({"cpu_number": most + 1})).bad(400);
        resource(&site, id, &json!({"cpu_number": most})).good();
    }
    site.vmm.change(|p| p.hosts.get_mut(&linux).unwrap().hot_plug_cell_counter = 16);
    resource(&site, linux, &json!({"ram_mib": 3072})).bad(400);
    resource(&site, linux, &json!({"ram_mib": 3072, "defer": {"action": LATER}})).good();
}

#[test]
fn a_disk_never_shrinks() {
    let site = site();
    let id = site.host(&json!({}));
    let disk = site.read(id)["disk"]["id"].clone();
    for size in [10240, 20480] {
        site.post(&format!("/vm/v3/disk/{disk}"), &json!({"size_mib": size, "defer": {"action": LATER}})).bad(400);
    }
    site.post(&format!("/vm/v3/disk/{disk}"), &json!({"size_mib": 30720})).bad(400);
    site.post("/vm/v3/disk/99999", &json!({"size_mib": 30720})).bad(404);
    assert_eq!(site.get(&format!("/vm/v3/disk?where=id+EQ+{disk}")).good()["list"][0]["size_mib"], 20480);
}

#[test]
fn firewall_rules_replace_the_whole_set() {
    let site = site();
    let id = site.host(&json!({}));
    let rule = json!({"action": "drop", "direction": "in", "protocols": ["tcp"], "portstart": 25, "portend": 25});
    resource(&site, id, &json!({"firewall_rules": [rule]})).good();
    site.settle();
    assert_eq!(site.read(id)["firewall_rules"], json!([rule]));
}

#[test]
fn a_reinstallation_takes_another_os_and_password_and_keeps_the_address() {
    let site = site();
    let id = site.host(&json!({}));
    let path = format!("/vm/v3/host/{id}/reinstall");
    site.post(&path, &json!({"os": 15, "password": "New-pass-1"})).bad(400);
    site.post(&path, &json!({"os": 31})).bad(400);
    site.post(&path, &json!({"password": "New-pass-1"})).bad(400);
    let answer = site
        .post(&path, &json!({"os": 11, "password": "New-pass-1", "send_email_mode": "default", "recipe": 6}))
        .good();
    assert_eq!(answer["recipe_task_list"].as_array().unwrap().len(), 1);
    site.settle();
    let vm = site.read(id);
    assert_eq!((&vm["os"]["id"], &vm["ip4"][0]["ip"]), (&json!(11), &json!("203.0.113.10")));
    assert_eq!(site.vmm.look(|p| (p.hosts[&id].installs, p.hosts[&id].password.clone())), (2, "New-pass-1".into()));
    site.post(&format!("/vm/v3/host/{id}/password"), &json!({"password": "Newer-pass-2"})).good();
    site.post(&format!("/vm/v3/host/{id}/runrecipe"), &json!({"recipe": 4})).good();
    site.settle();
    assert_eq!(
        site.vmm.look(|p| (p.hosts[&id].recipes.clone(), p.hosts[&id].password.clone())),
        (vec![6, 4], "Newer-pass-2".into())
    );
}

#[test]
fn a_vm_can_be_given_to_another_account() {
    let site = site();
    let id = site.host(&json!({}));
    let account = json!({"email": "c@client.example", "password": "k3n9x0qp", "role": "@user"});
    let account = site.post("/vm/v3/account", &account).good()["id"].clone();
    site.post(&format!("/vm/v3/host/{id}/account"), &json!({"account": 99})).bad(404);
    site.post(&format!("/vm/v3/host/{id}/account"), &json!({"account": account})).good();
    site.settle();
    assert_eq!(site.read(id)["account"]["email"], "c@client.example");
}

#[test]
fn a_vm_moves_between_the_nodes_of_its_cluster() {
    let site = site();
    let id = site.host(&json!({}));
    site.post(&format!("/vm/v3/host/{id}/migrate"), &json!({"node": 4})).bad(400);
    site.post(&format!("/vm/v3/host/{id}/migrate"), &json!({"node": 2})).good();
    site.settle();
    assert_eq!(site.read(id)["node"]["name"], "kvm-node2");
}

#[test]
fn traffic_is_a_bare_array_and_may_be_unavailable() {
    let site = site();
    let id = site.host(&json!({}));
    site.vmm.change(|p| {
        let host = p.hosts.get_mut(&id).unwrap();
        host.net_rx_summary = Some(18_253_611_008);
        host.net_tx_summary = None;
    });
    let path = |target: &str| format!("/vm/v3/host/{id}/metrics?target={target}&output=single&interval=1month");
    assert_eq!(site.get(&path("net_rx_summary")).good()[0]["datapoints"][0][0], 18_253_611_008_u64);
    site.get(&path("net_tx_summary")).bad(400);
    let graph = site.get(&format!("/vm/v3/host/{id}/metrics?target=cpu_load&from=00:00_20250601")).good();
    assert!(graph[0]["datapoints"].as_array().unwrap().len() > 1);
}

#[test]
fn a_month_is_that_of_a_calendar_or_a_window() {
    let site = site();
    let id = site.host(&json!({}));
    let received = || {
        let path = format!("/vm/v3/host/{id}/metrics?target=net_rx_summary&output=single&interval=1month");
        site.get(&path).good()[0]["datapoints"][0][0].as_u64().unwrap()
    };
    let at = |month: Month, now: &str| {
        let mut traffic = Traffic::new("2025-06-10T10:00".parse().unwrap(), month);
        traffic.flow(id, 100, 1);
        traffic.now = "2025-06-30T23:00".parse().unwrap();
        traffic.flow(id, 20, 1);
        traffic.now = now.parse().unwrap();
        site.vmm.change(|platform| platform.traffic = Some(traffic));
        received()
    };
    assert_eq!(at(Month::Calendar(0), "2025-06-30T23:30"), 120);
    assert_eq!(at(Month::Calendar(0), "2025-07-01T00:20"), 0);
    assert_eq!(at(Month::Calendar(2), "2025-06-30T23:30"), 20);
    assert_eq!(at(Month::Calendar(-1), "2025-07-01T00:20"), 120);
    assert_eq!(at(Month::Window(30), "2025-07-10T09:00"), 120);
    assert_eq!(at(Month::Window(30), "2025-07-10T11:00"), 20);
    site.vmm.change(|platform| platform.traffic.as_mut().unwrap().lose(id));
    assert_eq!(received(), 0);
}
