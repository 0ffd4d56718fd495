//! Keys of accounts, and the ways of a key into a VM.

use sandbox::vmm::SshKeys;
use serde_json::json;

use crate::client::{body, site};

const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f alice@laptop";

#[test]
fn keys_belong_to_an_account() {
    let site = site();
    let client = site.vmm.change(|p| p.add_account("c@client.example", "k3n9x0qp", "@user"));
    let path = format!("/auth/v3/user/{client}/sshkey");
    assert_eq!(site.get(&path).good(), json!({"list": []}));
    for bad in [json!({"name": "a"}), json!({"name": "a", "ssh_pub_key": "x"}), json!({"name": "", "ssh_pub_key": KEY})]
    {
        assert_eq!(site.post(&path, &bad).status, 400, "{bad}");
    }
    let id = site.post(&path, &json!({"name": "a", "ssh_pub_key": KEY})).good()["id"].clone();
    assert_eq!(site.get(&path).good()["list"], json!([{"id": id, "name": "a", "ssh_pub_key": KEY}]));
    assert_eq!(site.get("/auth/v3/user/1/sshkey").good(), json!({"list": []}));
    assert_eq!(site.get("/auth/v3/user/99/sshkey").bad(404).0, 3080);
}

#[test]
fn a_build_has_its_own_way_into_a_vm() {
    let site = site();
    let client = site.vmm.change(|p| p.add_account("c@client.example", "k3n9x0qp", "@user"));
    let path = format!("/auth/v3/user/{client}/sshkey");
    let id = site.post(&path, &json!({"name": "a", "ssh_pub_key": KEY})).good()["id"].clone();
    let make = |ids: serde_json::Value| site.post("/vm/v3/host", &body(&json!({"account": client, "ssh_keys": ids})));
    assert_eq!(make(json!([id])).bad(400).0, 3008);
    site.vmm.change(|p| p.variant.ssh_keys = SshKeys::Texts);
    assert_eq!(make(json!([id])).status, 400);
    site.vmm.change(|p| p.variant.ssh_keys = SshKeys::Creation);
    assert_eq!(make(json!([99])).bad(404).0, 3080);
    let host = make(json!([id])).good()["id"].as_u64().unwrap();
    assert_eq!(site.vmm.look(|p| p.hosts[&host].ssh_keys.clone()), [KEY]);
}
