//! Tokens, rights, errors of the front door.

use std::time::{Duration, Instant};

use sandbox::vmm::Setup;
use serde_json::json;
use ureq::http::Method;

use crate::client::{body, site, site_with};

#[test]
fn a_token_is_needed_and_found_in_every_place_clients_put_it() {
    let mut site = site();
    let token = std::mem::take(&mut site.token);
    assert_eq!(site.get("/vm/v3/host").bad(401).0, 1000);
    for (name, value) in
        [("x-xsrf-token", token.clone()), ("ISP-Session", token.clone()), ("Cookie", format!("a=b; ses6={token}"))]
    {
        let answer = site.agent.get(format!("{}/vm/v3/host", site.vmm.url())).header(name, value).call().unwrap();
        assert_eq!(answer.status(), 200, "{name}");
    }
    site.token = token.clone();
    let who = site.get("/auth/v4/whoami").good();
    assert_eq!(who["email"], "admin@example.net");
    site.delete(&format!("/auth/v4/token/{token}")).good();
    assert_eq!(site.get("/vm/v3/host").bad(401).0, 1000);
}

#[test]
fn logins_are_counted_and_a_wrong_password_is_401() {
    let site = site();
    let wrong = site.post("/auth/v4/public/token", &json!({"email": "admin@example.net", "password": "no"}));
    assert_eq!(wrong.bad(401).0, 1000);
    assert_eq!(site.vmm.logins(), 2);
}

#[test]
fn a_session_dies_of_idleness_and_a_long_lived_token_does_not() {
    let mut site = site_with(Setup { session_idle: Duration::from_secs(1), ..Setup::default() });
    let long = site.post("/auth/v4/token", &json!({"description": "x", "expires_at": "2090-01-01 00:00:00"})).good();
    let until = Instant::now() + Duration::from_millis(1500);
    while Instant::now() < until {
        site.get("/vm/v3/version").good();
        std::thread::sleep(Duration::from_millis(50));
    }
    std::thread::sleep(Duration::from_millis(1100));
    assert_eq!(site.get("/vm/v3/version").bad(401).0, 1000);
    site.token = long["token"].as_str().unwrap().to_owned();
    site.get("/vm/v3/version").good();
    site.vmm.expire_sessions();
    site.get("/vm/v3/version").bad(401);
}

#[test]
fn a_login_key_works_once_and_acts_as_its_user() {
    let mut site = site();
    let account = json!({"email": "a+b@client.example", "password": "k3n9x0qp", "role": "@user"});
    let id = site.post("/vm/v3/account", &account).good()["id"].as_u64().unwrap();
    let key = site.post("/auth/v4/user/a%2Bb@client.example/key", &json!({})).good();
    assert_eq!(key["id"], id.to_string());
    let token = site.post("/auth/v4/public/key", &json!({"key": key["key"]})).good();
    site.post("/auth/v4/public/key", &json!({"key": key["key"]})).bad(401);
    site.token = token["token"].as_str().unwrap().to_owned();
    assert_eq!(site.get("/auth/v4/whoami").good()["email"], "a+b@client.example");
}

#[test]
fn a_client_sees_and_changes_only_what_is_his() {
    let mut site = site();
    let account = json!({"email": "c@client.example", "password": "k3n9x0qp", "role": "@user"});
    let id = site.post("/vm/v3/account", &account).good()["id"].clone();
    let (other, own) = (site.host(&json!({})), site.host(&json!({"account": id})));
    site.token = site.sign_in("c@client.example", "k3n9x0qp");
    let list = site.get("/vm/v3/host").good();
    assert_eq!(list["list"].as_array().unwrap().len(), 1);
    assert_eq!(site.get("/vm/v3/account").good()["list"].as_array().unwrap().len(), 1);
    assert_eq!(site.post(&format!("/vm/v3/host/{other}/stop"), &json!({})).bad(404).0, 5021);
    site.post(&format!("/vm/v3/host/{own}/stop"), &json!({})).good();
    for path in ["/vm/v3/node", "/vm/v3/ippool", "/vm/v3/cluster"] {
        assert_eq!(site.get(path).bad(403).0, 3001, "{path}");
    }
    site.post("/vm/v3/host", &body(&json!({"account": id}))).bad(403);
    site.delete(&format!("/vm/v3/host/{own}")).bad(403);
}

#[test]
fn a_read_only_administrator_changes_nothing() {
    let mut site = site();
    let account = json!({"email": "r@staff.example", "password": "k3n9x0qp", "role": "admin.readonly"});
    site.post("/vm/v3/account", &account).good();
    site.host(&json!({}));
    site.token = site.sign_in("r@staff.example", "k3n9x0qp");
    assert_eq!(site.get("/vm/v3/host").good()["list"].as_array().unwrap().len(), 1);
    assert_eq!(site.post("/vm/v3/host", &body(&json!({}))).bad(403).0, 3001);
    site.delete(&format!("/auth/v4/token/{}", site.token)).good();
}

#[test]
fn only_known_paths_and_methods_are_answered() {
    let site = site();
    for path in ["/vm/v3/nothing", "/vm/v4/host", "/api/vm/v3/host", "/vm/v3/host/1/2/3", "/vm/v3/host/", "/"] {
        assert_eq!(site.get(path).bad(404).0, 1106, "{path}");
    }
    assert_eq!(site.call(Method::PUT, "/vm/v3/host/1", Some(&json!({}))).bad(405).0, 1106);
    assert_eq!(site.call(Method::PATCH, "/vm/v3/host/1", Some(&json!({}))).bad(405).0, 1106);
    assert_eq!(site.get("/vm/v3/cluster/77").bad(404).0, 3080);
    assert_eq!(site.get("/vm/v3/host/77").bad(404).0, 5021);
}

#[test]
fn the_allow_list_is_enforced_at_the_login() {
    let site = site();
    assert_eq!(site.vmm.logins(), 1);
    let elsewhere = Some(vec!["192.0.2.1".parse().unwrap()]);
    let closed = sandbox::vmm::VmManager::start(Setup { allowed_clients: elsewhere, ..Setup::default() }).unwrap();
    let login = json!({"email": "admin@example.net", "password": "Adm1n-secret-pass"});
    let url = format!("{}/auth/v4/public/token", closed.url());
    assert_eq!(site.agent.post(url).send(login.to_string()).unwrap().status(), 401);
}

#[test]
fn accounts_are_made_once_and_deleted_only_without_vms() {
    let site = site();
    let account = json!({"email": "Ivan@client.example", "password": "k3n9x0qp", "role": "@user"});
    let id = site.post("/vm/v3/account", &account).good()["id"].as_u64().unwrap();
    let twin = json!({"email": "ivan@client.example", "password": "k3n9x0qp", "role": "@user"});
    assert!(site.post("/vm/v3/account", &twin).bad(400).1.contains("already exists"));
    let found = site.get("/vm/v3/account?where=(email+EQ+'Ivan@client.example')").good();
    assert_eq!(found["list"][0]["id"], id);
    assert_eq!((&found["size"], &found["last_notify"]), (&json!(1), &json!(null)));
    let host = site.host(&json!({"account": id}));
    site.delete(&format!("/vm/v3/user/{id}")).bad(400);
    site.post(&format!("/vm/v3/user/{id}/suspend"), &json!({})).good();
    site.settle();
    assert_eq!(site.read(host)["state"], "stopped");
    site.post("/vm/v3/host", &body(&json!({"account": id}))).bad(400);
    site.post(&format!("/vm/v3/user/{id}/resume"), &json!({})).good();
    site.delete(&format!("/vm/v3/host/{host}")).good();
    site.settle();
    site.delete(&format!("/vm/v3/user/{id}")).good();
    let limits = site.post("/vm/v3/user_limits/account/1", &json!({"vxlan_count_total": 2})).good();
    assert_eq!(limits["vxlan_count_total"], 2);
}

#[test]
fn without_a_licence_only_deletion_and_three_lists_work() {
    let site = site();
    let host = site.host(&json!({}));
    site.vmm.change(|p| p.licence_valid = false);
    site.get("/vm/v3/host").good();
    site.get("/vm/v3/node").good();
    site.get("/vm/v3/os").bad(403);
    site.get("/vm/v3/account").bad(403);
    site.post(&format!("/vm/v3/host/{host}/stop"), &json!({})).bad(403);
    site.delete(&format!("/vm/v3/host/{host}")).good();
}
