//! Several platforms: the same numbers on each, and addresses that change.

use sandbox::vmm::{ClusterNames, Setup, VmManager};
use serde_json::{Value, json};

use crate::client::{Site, agent, site, site_with};

/// Another client of the platform behind a site, at whatever address.
fn status(url: &str, token: &str) -> Option<u16> {
    let answer = agent().get(format!("{url}/vm/v3/host")).header("x-xsrf-token", token).call();
    answer.ok().map(|answer| answer.status().as_u16())
}

fn first_ids(site: &Site) -> (u64, u64, u64) {
    let account = json!({"email": "c@client.example", "password": "k3n9x0qp", "role": "@user"});
    let account = site.post("/vm/v3/account", &account).good()["id"].as_u64().unwrap();
    let host = site.host(&json!({ "account": account }));
    let task = site.vmm.look(|p| p.tasks.values().next().unwrap().consul_id);
    (account, host, task)
}

#[test]
fn the_ids_of_two_platforms_collide() {
    assert_eq!(first_ids(&site()), first_ids(&site()));
}

#[test]
fn a_platform_moves_and_keeps_its_state() {
    let site = site();
    let (old, host) = (site.vmm.url(), site.vmm.change(|p| p.add_host("a", 1, 1)));
    site.get("/vm/v3/host").good();
    site.vmm.move_to(0).unwrap();
    assert_ne!(site.vmm.url(), old);
    assert_eq!(site.read(host)["id"], host, "the session goes on as well");
    assert_eq!(status(&old, &site.token), None, "nobody is at the old address");
}

#[test]
fn another_platform_takes_over_an_address() {
    let first = site();
    first.vmm.change(|p| p.add_host("a", 1, 1));
    let (address, second) = (first.vmm.url(), VmManager::start(Setup::default()).unwrap());
    let own = second.url();
    second.take_over(&first.vmm).unwrap();
    assert_eq!(status(&address, &first.token), Some(401), "another platform knows nothing of the session");
    assert_eq!((second.url(), status(&own, "")), (own.clone(), Some(401)), "it keeps its own address");
    assert_eq!(status(&first.vmm.url(), &first.token), Some(200), "the first one is at its new address");
}

#[test]
fn address_blocks_have_nothing_in_common() {
    let address = |block| {
        let site = site_with(Setup { address_block: block, ..Setup::default() });
        let host = site.host(&json!({"ipv6_enabled": true}));
        site.read(host)["ip_summary"].clone()
    };
    assert_eq!(address(0), json!(["203.0.113.10", "2001:db8:a::1"]));
    assert_eq!(address(1), json!(["203.0.114.10", "2001:db8:10a::1"]));
}

#[test]
fn clusters_can_differ_in_number_and_name() {
    let names = ClusterNames { offset: 10, suffix: "-fra".into() };
    let site = site_with(Setup { clusters: names, ..Setup::default() });
    let clusters = site.get("/vm/v3/cluster").good()["list"].clone();
    let of = |n: usize| (clusters[n]["id"].clone(), clusters[n]["name"].clone());
    assert_eq!([of(0), of(2)], [(json!(11), json!("kvm-1-fra")), (json!(13), json!("kvm-2if-fra"))]);
    let host = site.host(&json!({ "cluster": 11 }));
    assert_ne!(site.read(host)["ip4"], Value::Array(Vec::new()), "nodes, templates and pools moved with it");
}
