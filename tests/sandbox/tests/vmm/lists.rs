//! Filters, pages, envelopes, catalogues.

use sandbox::vmm::{NameFilters, Size};
use serde_json::{Value, json};

use crate::client::site;

fn ids(list: &Value) -> Vec<u64> {
    list["list"].as_array().unwrap().iter().map(|e| e["id"].as_u64().unwrap()).collect()
}

#[test]
fn only_proven_filters_work_on_the_server() {
    let site = site();
    for path in [
        "/vm/v3/host?where=(cluster+EQ+1)",
        "/vm/v3/host?where=(account.id+EQ+1)",
        "/vm/v3/host?where=(comment+CP+'%25billmgr%25')",
        "/vm/v3/node?where=cluster+EQ+1",
        "/vm/v3/ippool?where=cluster+EQ+1",
    ] {
        site.get(path).bad(500);
    }
    for path in ["/vm/v3/host?where=id", "/vm/v3/host?where=(id+EQ+1", "/vm/v3/host?limit=x", "/vm/v3/host?page=2"] {
        site.get(path).bad(400);
    }
}

#[test]
fn blanks_plus_signs_and_percents_are_decoded_as_in_a_form() {
    let site = site();
    site.vmm.change(|p| p.add_account("a+b@client.example", "k3n9x0qp", "@user"));
    let found = |filter: &str| ids(&site.get(&format!("/vm/v3/account?where={filter}")).good()).len();
    assert_eq!(found("email%20EQ%20%27a%2Bb@client.example%27"), 1);
    assert_eq!(found("email+EQ+'a+b@client.example'"), 0, "a bare plus is a blank");
    assert_eq!(found("email+CP+'%25@client.example'"), 1);
    let users = site.get("/auth/v4/user?where=((roles+CP+'%25@admin%25')+AND+(state+EQ+'active'))").good();
    assert_eq!(ids(&users), [1]);
}

#[test]
fn lists_are_paged_and_ordered() {
    let site = site();
    site.vmm.change(|p| {
        for n in 0..5 {
            p.add_host(&format!("by-hand-{n}"), 1, 1);
        }
    });
    let all = ids(&site.get("/vm/v3/host").good());
    assert_eq!(all.len(), 5);
    assert_eq!(ids(&site.get("/vm/v3/host?limit=2&orderby=id%20desc").good()), [all[4], all[3]]);
    assert_eq!(ids(&site.get("/vm/v3/host?limit=1,2&orderby=id+asc").good()), [all[1], all[2]]);
    assert_eq!(
        ids(&site.get(&format!("/vm/v3/host?where=(id+EQ+{})+OR+(id+EQ+'{}')", all[0], all[2])).good()),
        [all[0], all[2]]
    );
}

#[test]
fn the_catalogues_have_what_a_module_looks_for() {
    let site = site();
    let names = |path: &str| -> Vec<String> {
        let list = site.get(path).good();
        list["list"].as_array().unwrap().iter().map(|e| e["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names("/vm/v3/cluster"), ["kvm-1", "lxd-1", "kvm-2if"]);
    assert!(names("/vm/v3/preset").contains(&"KVM-SSD-1".into()));
    assert!(names("/vm/v3/recipe").contains(&"LAMP".into()));
    assert_eq!(names("/vm/v3/os").len() + 1, names("/vm/v3/os/all").len());
    let os = site.get("/vm/v3/os?where=(id+EQ+12)").good()["list"][0].clone();
    assert_eq!((&os["repository"], &os["clusters"][0]["name"]), (&json!("ISPsystem"), &json!("kvm-1")));
    assert_eq!(site.get("/vm/v3/recipe/5/params").good()["list"][0]["name"], "EDITION");
    let pool = site.get("/vm/v3/ippool").good()["list"][0].clone();
    assert_eq!((&pool["ipv4"]["total"], &pool["total_ip"]), (&json!(200), &json!("200")));
    assert_eq!(site.get("/vm/v3/range?where=ippool+EQ+4").good()["list"][0]["name"], "192.0.2.10-192.0.2.159");
    for path in ["/vm/v3/node", "/vm/v3/storage", "/vm/v3/image", "/vm/v3/repository", "/vm/v3/tag", "/ip/v3/ipnet"] {
        assert!(!names(path).is_empty(), "{path}");
    }
    for path in [
        "/vm/v3/version",
        "/vm/v3/last_version",
        "/vm/v3/get_license",
        "/vm/v3/instance_info",
        "/vm/v3/api",
        "/vm/v3/settings",
        "/vm/v3/settings/domain",
    ] {
        assert!(site.get(path).good().is_object(), "{path}");
    }
}

#[test]
fn pools_are_attached_to_interfaces() {
    let site = site();
    site.post("/vm/v3/ippool/2/cluster", &json!({"clusters": [{"id": 3, "interface": 1}]})).good();
    let found = site.get("/vm/v3/ippool/2/cluster").good();
    assert_eq!(found["list"][1], json!({"id": 3, "name": "kvm-2if", "interface": 1, "enabled": true}));
    site.post("/vm/v3/cluster/3/ippool", &json!({"interfaces": [{"interface": 0, "ippool": [2]}]})).good();
    assert_eq!(site.get("/vm/v3/ippool/2/cluster").good()["list"][1]["interface"], 0);
}

#[test]
fn a_cap_and_short_pages_hold_whatever_limit_says() {
    let site = site();
    let all: Vec<u64> = site.vmm.change(|p| (0..7).map(|n| p.add_host(&format!("v{n}"), 1, 1)).collect());
    let page = |query: &str| site.get(&format!("/vm/v3/host{query}")).good();
    site.vmm.change(|p| p.lists.cap = Some(4));
    assert_eq!(ids(&page("")), all[..4]);
    assert_eq!((ids(&page("?limit=4,100")), page("?limit=4,100")["size"].clone()), (all[4..].to_vec(), json!(7)));
    site.vmm.change(|p| p.lists.short_pages = true);
    assert_eq!(ids(&page("?limit=0,4")), all[..2]);
    assert_eq!(ids(&page("?limit=6,4")), all[6..], "never empty while something is left");
    assert_eq!(page("?limit=7,4")["list"], json!([]));
    for (size, expected) in [(Size::Page, json!(2)), (Size::Absent, Value::Null)] {
        site.vmm.change(|p| p.lists.size = size);
        assert_eq!(page("?limit=0,4")["size"], expected);
    }
    assert_eq!(ids(&page("?where=(name+EQ+'v3')")), [all[3]]);
}

#[test]
fn filters_by_cluster_can_be_switched_on() {
    let site = site();
    site.vmm.change(|p| (p.add_host("a", 1, 1), p.add_host("b", 1, 3)));
    site.vmm.change(|p| p.lists.cluster_filters = true);
    assert_eq!(ids(&site.get("/vm/v3/host?where=(cluster+EQ+3)").good()).len(), 1);
    assert_eq!(ids(&site.get("/vm/v3/node?where=(cluster.id+EQ+1)").good()).len(), 2);
}

#[test]
fn filters_by_name_can_do_nothing_or_be_refused() {
    let site = site();
    let all = site.vmm.change(|p| [p.add_host("a", 1, 1), p.add_host("b", 1, 1)]);
    let by_name = "/vm/v3/host?where=(name+EQ+'a')";
    site.vmm.change(|p| p.lists.name_filters = NameFilters::Ignored);
    assert_eq!(ids(&site.get(by_name).good()), all);
    assert_eq!(ids(&site.get(&format!("{by_name}&limit=0,1")).good()), all[..1]);
    assert_eq!(ids(&site.get(&format!("/vm/v3/host?where=(id+EQ+{})", all[1])).good()), all[1..]);
    site.vmm.change(|p| p.lists.name_filters = NameFilters::Refused);
    site.get(by_name).bad(500);
}
