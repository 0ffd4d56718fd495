//! Backup schedules: what is sent replaces what was there.

use sandbox::vmm::Schedules;
use serde_json::{Value, json};

use crate::client::{Site, site};

fn shown(site: &Site, id: u64) -> Value {
    let list = site.get("/vm/v3/schedule?limit=0,500&orderby=id%20asc").good()["list"].clone();
    list.as_array().unwrap().iter().find(|schedule| schedule["id"] == id).unwrap().clone()
}

#[test]
fn the_list_of_vms_is_replaced_as_a_whole() {
    let site = site();
    let before = shown(&site, 1);
    assert_eq!((&before["name"], &before["hosts"], &before["clusters"]), (&json!("daily"), &json!([]), &json!([1, 3])));
    assert_eq!(site.post("/vm/v3/schedule/1", &json!({"hosts": [5, 6]})).good(), json!({"id": 1}));
    site.post("/vm/v3/schedule/1", &json!({"hosts": [7]})).good();
    let mut expected = before;
    expected["hosts"] = json!([7]);
    assert_eq!(shown(&site, 1), expected, "the last one wins, nothing else is touched");
    assert_eq!(site.post("/vm/v3/schedule/1", &json!({"hosts": [7], "next_run": "x"})).bad(400).0, 3008);
    assert_eq!(site.post("/vm/v3/schedule/1", &json!({"hosts": ["7"]})).bad(400).0, 3004);
    assert_eq!(site.post("/vm/v3/schedule/9", &json!({"hosts": [7]})).bad(404).0, 3080);
}

#[test]
fn a_vm_that_is_removed_stays_in_the_list() {
    let site = site();
    let host = site.host(&json!({}));
    site.post("/vm/v3/schedule/2", &json!({"hosts": [host]})).good();
    site.vmm.change(|p| p.remove_host(host));
    assert_eq!(shown(&site, 2)["hosts"], json!([host]));
}

#[test]
fn builds_differ() {
    let site = site();
    let is_described = |site: &Site| site.get("/vm/v3/api").good()["paths"]["/vm/v3/schedule/{id}"].clone();
    let required = |site: &Site| is_described(site)["post"]["parameters"][0]["schema"]["required"].clone();
    assert_eq!(required(&site), json!([]));
    site.vmm.change(|p| p.variant.schedule_tasks = true);
    let task = site.post("/vm/v3/schedule/1", &json!({"hosts": [5]})).good();
    assert!(task["task"].is_u64() && shown(&site, 1)["hosts"] == json!([]), "{task}");
    site.settle();
    assert_eq!(shown(&site, 1)["hosts"], json!([5]));
    site.vmm.change(|p| p.variant.schedules = Schedules::Whole);
    assert!(site.post("/vm/v3/schedule/1", &json!({"hosts": [6]})).bad(400).1.contains("is required"));
    assert_eq!(required(&site), json!(["name", "type", "start_time", "hosts"]));
    site.vmm.change(|p| p.variant.schedules = Schedules::Missing);
    assert_eq!(site.get("/vm/v3/schedule").bad(404).0, 1106);
    assert_eq!(site.post("/vm/v3/schedule/1", &json!({"hosts": [6]})).bad(404).0, 1106);
    assert_eq!(is_described(&site), Value::Null);
}
