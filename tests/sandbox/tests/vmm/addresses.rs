//! Addresses and PTR names.

use serde_json::json;

use crate::client::site;

#[test]
fn addresses_are_added_by_difference_and_taken_away_one_by_one() {
    let site = site();
    let id = site.host(&json!({}));
    let ip = format!("/vm/v3/host/{id}/ip");
    site.post(&ip, &json!({"ipv4_number": -1})).bad(400);
    site.post(&ip, &json!({"ipv4_number": 0})).bad(400);
    site.post(&ip, &json!({"ipv4_number": 1, "ipv4_pool": [3]})).bad(400);
    site.post(&ip, &json!({"ipv4_number": 2, "ipv4_pool": [2]})).good();
    site.settle();
    let list = site.get(&format!("/vm/v3/host/{id}/ipv4")).good();
    assert_eq!(list["size"], 3);
    let (main, extra) = (list["list"][0]["id"].clone(), list["list"][1]["id"].clone());
    assert_eq!(list["list"][1]["ip_addr"], "198.18.0.10");
    site.delete(&format!("/vm/v3/ip/{main}")).bad(400);
    site.delete(&format!("/vm/v3/ip/{extra}")).good();
    site.settle();
    assert_eq!(site.get(&format!("/vm/v3/host/{id}/ipv4")).good()["size"], 2);
    assert_eq!(site.get("/ip/v3/ip?where=name+EQ+'198.18.0.10'").good()["list"], json!([]));
    site.delete(&format!("/vm/v3/ip/{extra}")).bad(404);
}

#[test]
fn a_shortage_fails_the_task_and_gives_nothing() {
    let site = site();
    let id = site.host(&json!({}));
    site.post(&format!("/vm/v3/host/{id}/ip"), &json!({"ipv4_number": 300, "ipv4_pool": [1]})).good();
    site.settle();
    assert_eq!(site.outcome("ip_change"), ("failed".into(), "no free IP address in pool 1".into()));
    assert_eq!(site.get(&format!("/vm/v3/host/{id}/ipv4")).good()["size"], 1);
}

#[test]
fn ipv6_is_switched_on_and_off() {
    let site = site();
    let id = site.host(&json!({}));
    let ip = format!("/vm/v3/host/{id}/ip");
    site.post(&ip, &json!({"ipv6_prefix": 64})).bad(400);
    site.post(&ip, &json!({"ipv6_enabled": true, "ipv6_prefix": 48})).bad(400);
    site.post(&ip, &json!({"ipv6_enabled": true, "ipv6_prefix": 80})).good();
    site.settle();
    let flags = site.get(&format!("/vm/v3/host/{id}/ipv6")).good();
    assert_eq!(flags, json!({"ipv6_enabled": true, "ipv6_ptr_enabled": true, "ipv6_prefix": 80}));
    assert_eq!(site.read(id)["ip6"].as_array().unwrap().len(), 1);
    site.post(&format!("/vm/v3/host/{id}/ptr"), &json!({"name": "2001:db8:a::1", "domain": "six.host.example"})).good();
    site.settle();
    let list = site.get(&format!("/vm/v3/host/{id}/ptr")).good();
    assert_eq!(list["list"][1]["ip"][0]["domain"], "six.host.example");
    site.post(&ip, &json!({"ipv6_enabled": false})).good();
    site.settle();
    assert_eq!(site.read(id)["ip6"], json!([]));
}

#[test]
fn a_ptr_is_set_by_the_number_of_the_address() {
    let site = site();
    let id = site.host(&json!({}));
    let ip = site.get(&format!("/vm/v3/host/{id}/ipv4")).good()["list"][0]["id"].clone();
    site.post(&format!("/vm/v3/ip/{ip}/ptr"), &json!({"domain": "Not A Name"})).bad(400);
    site.post(&format!("/vm/v3/ip/{ip}/ptr"), &json!({"domain": "mail.client.example"})).good();
    site.settle();
    assert_eq!(site.get(&format!("/vm/v3/host/{id}/ipv4")).good()["list"][0]["domain"], "mail.client.example");
    assert_eq!(site.get("/vm/v3/ip").good()["size"], 1);
}

#[test]
fn an_interface_comes_with_its_addresses() {
    let site = site();
    let id = site.host(&json!({"cluster": 3}));
    site.post(&format!("/vm/v3/host/{id}/iface"), &json!({"bridge": "vmbr1", "ippool": 1})).bad(400);
    site.post(&format!("/vm/v3/host/{id}/iface"), &json!({"bridge": "vmbr1", "ippool": 5, "ip_count": 1})).good();
    site.settle();
    let list = site.get(&format!("/vm/v3/host/{id}/iface")).good();
    assert_eq!(list["list"][1]["ip"], json!(["10.20.0.10"]));
}

#[test]
fn a_list_may_end_with_the_main_address_and_have_addresses_given_by_hand() {
    let site = site();
    let host = site.host(&json!({"ipv4_number": 2}));
    let by_hand = site.vmm.change(|p| p.add_address(host, "198.51.100.7".parse().unwrap(), 1));
    let listed = || -> Vec<String> {
        let list = site.read(host)["ip4"].as_array().unwrap().clone();
        list.iter().map(|ip| ip["ip"].as_str().unwrap().to_owned()).collect()
    };
    let first = listed();
    assert_eq!(first[2], "198.51.100.7");
    site.vmm.change(|p| p.variant.main_address_last = true);
    assert_eq!(listed(), first.iter().rev().cloned().collect::<Vec<_>>());
    let details = site.get(&format!("/vm/v3/host/{host}/ipv4")).good();
    assert_eq!((&details["list"][0]["id"], &details["list"][0]["cluster_interface"]), (&json!(by_hand), &json!(1)));
}
