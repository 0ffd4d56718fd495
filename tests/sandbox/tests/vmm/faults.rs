//! Misfortunes, one test each.

use std::time::{Duration, Instant};

use sandbox::vmm::{Action, Fault};
use serde_json::{Value, json};
use ureq::http::Method;

use crate::client::{SOON, Site, body, site};

const HOSTS: &str = "/vm/v3/host";

fn order(site: &Site, method: &str, path: &str, action: Action) {
    site.vmm.fault(Fault::on(method, path).act(action));
}

fn create(site: &Site) -> Result<crate::client::Said, ureq::Error> {
    site.try_call(Method::POST, HOSTS, Some(&body(&json!({}))))
}

fn hosts(site: &Site) -> usize {
    site.vmm.look(|p| p.hosts.len())
}

#[test]
fn a_fault_hits_the_nth_request_so_many_times() {
    let site = site();
    site.vmm
        .fault(Fault::on("GET", "/vm/v3/host/*/ipv4").nth(2).times(2).act(Action::Refuse503 { retry_after: Some(3) }));
    let id = site.vmm.change(|p| p.add_host("a", 1, 1));
    let statuses: Vec<u16> = (0..4).map(|_| site.get(&format!("/vm/v3/host/{id}/ipv4")).status).collect();
    assert_eq!(statuses, [200, 503, 503, 200]);
    site.vmm.fault(Fault::on("*", "/vm/v3/version").always().act(Action::Status { code: 502, body: "<html>".into() }));
    assert_eq!(site.get("/vm/v3/version").body, "<html>");
    site.vmm.clear_faults();
    site.get("/vm/v3/version").good();
    order(&site, "GET", "/vm/v3/version", Action::TooMany429 { retry_after: None });
    assert_eq!(site.get("/vm/v3/version").status, 429);
}

#[test]
fn a_lost_answer_is_work_done_and_a_closed_connection_is_not() {
    let site = site();
    order(&site, "POST", HOSTS, Action::CloseBefore);
    assert!(create(&site).is_err());
    assert_eq!(hosts(&site), 0);
    order(&site, "POST", HOSTS, Action::LoseAnswer);
    assert!(create(&site).is_err());
    assert_eq!(hosts(&site), 1);
    order(&site, "POST", HOSTS, Action::HalfAnswer);
    assert!(create(&site).is_err());
    assert_eq!(hosts(&site), 2);
    let statuses: Vec<Option<u16>> = site.vmm.requests().iter().skip(1).map(|r| r.status).collect();
    assert_eq!(statuses, [None, None, Some(200)]);
}

#[test]
fn late_work_is_done_after_the_connection_is_gone() {
    let site = site();
    order(&site, "POST", HOSTS, Action::LateWork(Duration::from_millis(600)));
    assert!(create(&site).is_err());
    assert_eq!(hosts(&site), 0);
    assert!(site.vmm.wait_until(SOON, |p| p.hosts.len() == 1));
}

#[test]
fn a_delayed_answer_comes_late_but_the_work_is_done_at_once() {
    let site = site();
    order(&site, "POST", HOSTS, Action::Delay(Duration::from_secs(1)));
    let begin = Instant::now();
    std::thread::scope(|scope| {
        let answer = scope.spawn(|| create(&site).unwrap().good());
        assert!(site.vmm.wait_until(SOON, |p| p.hosts.len() == 1));
        assert!(!answer.is_finished());
        assert!(answer.join().unwrap()["id"].is_u64());
    });
    assert!(begin.elapsed() >= Duration::from_secs(1));
}

#[test]
fn unreadable_answers_are_unreadable_but_the_work_is_done() {
    let site = site();
    for action in [Action::Garbage, Action::TruncatedJson] {
        order(&site, "POST", HOSTS, action);
        assert!(create(&site).unwrap().good().is_string());
    }
    order(&site, "POST", HOSTS, Action::WrongType);
    assert!(create(&site).unwrap().good()["id"].is_object());
    assert_eq!(hosts(&site), 3);
    order(&site, "GET", "/vm/v3/os", Action::Huge(9 << 20));
    assert_eq!(site.get("/vm/v3/os").good()["filler"].as_str().unwrap().len(), 9 << 20);
}

#[test]
fn a_session_can_expire_in_the_middle() {
    let site = site();
    order(&site, "POST", HOSTS, Action::ExpireSession);
    create(&site).unwrap().bad(401);
    create(&site).unwrap().bad(401);
    assert_eq!(hosts(&site), 0);
}

#[test]
fn a_task_can_fail_be_cancelled_vanish_or_never_end() {
    let site = site();
    order(&site, "POST", HOSTS, Action::FailTask { word: "fail", text: "libvirt error".into() });
    let failed = create(&site).unwrap().good();
    site.settle();
    assert_eq!(site.outcome("host_create"), ("fail".into(), "libvirt error".into()));
    assert_eq!(site.read(failed["id"].as_u64().unwrap())["state"], "creating");
    let id = site.host(&json!({}));
    order(&site, "POST", "/vm/v3/host/*/stop", Action::CancelTask);
    site.post(&format!("{HOSTS}/{id}/stop"), &json!({})).good();
    site.settle();
    assert_eq!((site.outcome("host_stop").0, site.read(id)["state"].clone()), ("cancelled".into(), json!("active")));
    order(&site, "POST", "/vm/v3/host/*/restart", Action::FailTask { word: "failed", text: "no memory".into() });
    site.post(&format!("{HOSTS}/{id}/restart"), &json!({})).good();
    site.settle();
    assert_eq!(site.read(id)["state"], "stopped", "the start failed, not the stop");
    order(&site, "POST", "/vm/v3/host/*/start", Action::VanishTask);
    let task = site.post(&format!("{HOSTS}/{id}/start"), &json!({})).good()["task"].clone();
    site.settle();
    assert_eq!(site.read(id)["state"], "active");
    assert_eq!(site.get(&format!("/vm/v3/task?where=consul_id+EQ+{task}")).good()["size"], 0);
    order(&site, "POST", "/vm/v3/host/*/stop", Action::NeverEndTask);
    site.post(&format!("{HOSTS}/{id}/stop"), &json!({})).good();
    assert!(!site.vmm.wait_until(Duration::from_millis(200), |p| p.hosts[&id].state == "stopped"));
}

#[test]
fn a_failed_deferred_change_takes_its_announcement_back() {
    let site = site();
    let id = site.host(&json!({}));
    order(&site, "POST", "/vm/v3/host/*/resource", Action::FailTask { word: "failed", text: "no".into() });
    let change = json!({"cpu_number": 8, "defer": {"action": "host_stop"}});
    site.post(&format!("{HOSTS}/{id}/resource"), &change).good();
    site.post(&format!("{HOSTS}/{id}/restart"), &json!({})).good();
    site.settle();
    let vm: Value = site.read(id);
    assert_eq!((&vm["cpu_number"], &vm["cpu_number_new"], &vm["state"]), (&json!(2), &json!(0), &json!("active")));
}

#[test]
fn a_new_vm_can_be_missing_from_the_next_lists() {
    let site = site();
    order(&site, "POST", HOSTS, Action::HideFromLists { calls: 2 });
    create(&site).unwrap().good();
    let seen: Vec<usize> = (0..3).map(|_| site.get(HOSTS).good()["list"].as_array().unwrap().len()).collect();
    assert_eq!(seen, [0, 0, 1]);
}
