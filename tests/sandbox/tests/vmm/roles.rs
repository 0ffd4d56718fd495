//! Accounts that lose their rights, answers without roles, platforms without `whoami`.

use serde_json::json;

use crate::client::{body, site};

const ADMIN: &str = "admin@example.net";

#[test]
fn whoami_shows_the_roles_of_now() {
    let site = site();
    let who = site.get("/auth/v4/whoami").good();
    assert_eq!((&who["id"], &who["email"], &who["roles"]), (&json!("1"), &json!(ADMIN), &json!(["@admin"])));
    assert!(site.vmm.demote(ADMIN));
    assert_eq!(site.get("/auth/v4/whoami").good()["roles"], json!(["@user"]));
    site.vmm.change(|p| p.give_role(ADMIN, "@admin"));
    assert_eq!(site.get("/auth/v4/whoami").good()["roles"], json!(["@admin"]));
    site.vmm.change(|p| p.variant.whoami = false);
    assert_eq!(site.get("/auth/v4/whoami").bad(404).0, 1106);
}

#[test]
fn a_demoted_administrator_sees_empty_lists_and_unknown_objects() {
    let site = site();
    let client = site.vmm.change(|p| p.add_account("c@client.example", "k3n9x0qp", "@user"));
    let host = site.host(&json!({ "account": client }));
    site.vmm.demote(ADMIN);
    for path in ["host", "cluster", "node", "ippool", "repository", "os/all", "task?where=consul_id+EQ+1", "disk"] {
        let list = site.get(&format!("/vm/v3/{path}")).good();
        assert_eq!(list["list"], json!([]), "{path}");
    }
    let accounts = site.get("/vm/v3/account").good();
    assert_eq!(accounts["list"].as_array().map(Vec::len), Some(1), "itself");
    assert_eq!(site.get(&format!("/vm/v3/host/{host}")).bad(404).0, 5021);
    assert_eq!(site.post(&format!("/vm/v3/host/{host}/stop"), &json!({})).bad(404).0, 5021);
    assert_eq!(site.delete(&format!("/vm/v3/host/{host}")).bad(404).0, 5021);
    assert_eq!(site.get("/vm/v3/cluster/1").bad(404).0, 3080);
    assert_eq!(site.post("/vm/v3/host", &body(&json!({}))).bad(403).0, 3001);
    site.sign_in(ADMIN, "Adm1n-secret-pass");
}

#[test]
fn accounts_may_come_without_roles() {
    let site = site();
    site.vmm.change(|p| p.accounts.get_mut(&1).unwrap().shows_roles = false);
    let roles = |path: &str| site.get(path).good()["list"][0].get("roles").cloned();
    assert_eq!((roles("/vm/v3/account"), roles("/auth/v4/user")), (None, None));
    let new = json!({"email": "c@client.example", "password": "k3n9x0qp", "role": "@user"});
    site.post("/vm/v3/account", &new).good();
    assert_eq!(site.get("/vm/v3/account").good()["list"][1]["roles"], json!(["@user"]));
    site.vmm.change(sandbox::vmm::Platform::hide_roles);
    assert_eq!(site.get("/vm/v3/account").good()["list"][1].get("roles"), None);
}
