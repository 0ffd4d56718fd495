//! Clients who write at any moment, and elements that move between two pages of a list.

use sandbox::vmm::{ClientEdit, Comments};
use serde_json::json;

use crate::client::{body, site};

#[test]
fn a_client_edits_his_vm_at_any_moment() {
    let site = site();
    let host = site.host(&json!({}));
    assert!(site.vmm.client_edits(host, &ClientEdit::comment("x".repeat(100_000))));
    assert_eq!(site.read(host)["comment"].as_str().map(str::len), Some(100_000));
    let all =
        ClientEdit { domain: Some("my.example".into()), comment: Some("billmgr:8".into()), ..ClientEdit::name("my") };
    site.vmm.after("GET", "/vm/v3/host", 1, move |p| {
        p.client_edits(host, &all);
    });
    assert_eq!(site.read(host)["name"], "vps7", "the answer of that moment is the old one");
    let read = site.read(host);
    let texts = ["name", "comment", "domain"].map(|name| read[name].clone());
    assert_eq!(texts, [json!("my"), json!("billmgr:8"), json!("my.example")]);
    assert!(!site.vmm.client_edits(77, &ClientEdit::name("nobody")));
}

#[test]
fn an_event_happens_once_before_the_nth_request() {
    let site = site();
    let host = site.host(&json!({}));
    site.vmm.before("POST", "/vm/v3/host/*/stop", 2, move |p| p.remove_host(host));
    site.post(&format!("/vm/v3/host/{host}/stop"), &json!({})).good();
    site.settle();
    assert_eq!(site.post(&format!("/vm/v3/host/{host}/stop"), &json!({})).bad(404).0, 5021);
    site.vmm.before("GET", "/vm/v3/version", 1, |p| p.version = "2025.01.1".into());
    site.vmm.clear_faults();
    assert_eq!(site.get("/vm/v3/version").good()["version"], "2024.03.1");
}

#[test]
fn elements_move_between_pages() {
    let site = site();
    let ids: Vec<u64> = site.vmm.change(|p| (0..4).map(|n| p.add_host(&format!("v{n}"), 1, 1)).collect());
    let gone = ids[0];
    site.vmm.after("GET", "/vm/v3/host", 1, move |p| p.remove_host(gone));
    let page = |limit: &str| -> Vec<u64> {
        let list = site.get(&format!("/vm/v3/host?limit={limit}&orderby=id+asc")).good()["list"].clone();
        list.as_array().unwrap().iter().map(|host| host["id"].as_u64().unwrap()).collect()
    };
    assert_eq!((page("0,2"), page("2,2")), (ids[..2].to_vec(), ids[3..].to_vec()), "one is on neither page");
}

#[test]
fn comments_have_rules_of_their_own() {
    let site = site();
    let set = |rule| site.vmm.change(|p| p.variant.comments = rule);
    set(Comments::AtMost(10));
    assert!(site.post("/vm/v3/host", &body(&json!({"comment": "eleven char"}))).bad(400).1.contains("too long"));
    let host = site.host(&json!({"comment": "ten chars."}));
    let write = |text: &str| site.post(&format!("/vm/v3/host/{host}"), &json!({ "comment": text }));
    assert!(write("eleven char").bad(400).1.contains("too long"));
    set(Comments::Cut(3));
    write("änderung").good();
    assert_eq!(site.read(host)["comment"], "änd");
    set(Comments::Refused);
    write("no").bad(400);
    site.post(&format!("/vm/v3/host/{host}"), &json!({"name": "other"})).good();
    assert_eq!((site.read(host)["comment"].as_str(), site.read(host)["name"].as_str()), (Some("änd"), Some("other")));
}
