//! The order and the times of tasks.

use std::time::{Duration, Instant};

use sandbox::vmm::{Setup, Timing};
use serde_json::json;

use crate::client::{SOON, site, site_with};

#[test]
fn a_task_is_listed_a_moment_after_it_was_accepted() {
    let mut setup = Setup::default();
    setup.timing.listed_after = Duration::from_secs(1);
    let site = site_with(setup);
    let id = site.vmm.change(|p| p.add_host("by-hand", 1, 1));
    let task = site.post(&format!("/vm/v3/host/{id}/stop"), &json!({})).good()["task"].clone();
    let path = format!("/vm/v3/task?where=((consul_id+EQ+'{task}')+AND+(name+EQ+'host_stop'))");
    assert_eq!(site.get(&path).good()["size"], 0);
    assert!(site.vmm.wait_until(SOON, |p| !p.listed_tasks().is_empty()));
    let found = site.get(&path).good()["list"][0].clone();
    assert_eq!((&found["status"], &found["consul_id"]), (&json!("complete"), &task));
    assert_ne!(found["id"], task, "the two numbers are different ones");
    let history = site.get(&format!("/vm/v3/host/{id}/history")).good();
    assert_eq!((&history["list"][0]["task"], &history["max_id"]), (&found["id"], &found["id"]));
}

#[test]
fn tasks_of_one_vm_queue_and_those_of_others_do_not() {
    let timing = Timing::default().with("host_stop", Duration::from_secs(2));
    let site = site_with(Setup { timing, ..Setup::default() });
    let (a, b) = site.vmm.change(|p| (p.add_host("a", 1, 1), p.add_host("b", 1, 1)));
    let begin = Instant::now();
    site.post(&format!("/vm/v3/host/{a}/stop"), &json!({})).good();
    site.post(&format!("/vm/v3/host/{a}/password"), &json!({"password": "New-pass-1"})).good();
    site.post(&format!("/vm/v3/host/{b}/password"), &json!({"password": "New-pass-2"})).good();
    assert!(site.vmm.wait_until(SOON, |p| p.hosts[&b].password == "New-pass-2"));
    assert!(begin.elapsed() < Duration::from_millis(1900));
    let words = site.vmm.look(|p| p.tasks.values().map(|t| t.status.clone()).collect::<Vec<_>>());
    assert_eq!(words, ["running", "created", "complete"]);
    site.settle();
    assert!(begin.elapsed() >= Duration::from_millis(2040));
    assert_eq!(site.vmm.look(|p| p.hosts[&a].password.clone()), "New-pass-1");
}

#[test]
fn a_second_stop_behind_the_first_fails() {
    let site = site();
    let id = site.vmm.change(|p| p.add_host("a", 1, 1));
    let stop = format!("/vm/v3/host/{id}/stop");
    site.post(&stop, &json!({})).good();
    site.post(&stop, &json!({})).good();
    site.settle();
    assert_eq!(site.outcome("host_stop"), ("failed".into(), "VM is already stopped".into()));
}

#[test]
fn the_word_of_a_failure_can_be_the_other_one() {
    let site = site_with(Setup { failure_word: "fail", ..Setup::default() });
    let id = site.vmm.change(|p| p.add_host("a", 1, 1));
    site.post(&format!("/vm/v3/host/{id}/ip"), &json!({"ipv4_number": 300, "ipv4_pool": [1]})).good();
    site.settle();
    assert_eq!(site.outcome("ip_change").0, "fail");
}

#[test]
fn the_clock_thread_ends_tasks_on_time_and_wakes_who_waits() {
    let timing = Timing::default().with("host_stop", Duration::from_secs(1));
    let site = site_with(Setup { timing, ..Setup::default() });
    let id = site.vmm.change(|p| p.add_host("a", 1, 1));
    site.post(&format!("/vm/v3/host/{id}/stop"), &json!({})).good();
    let begin = Instant::now();
    assert!(!site.vmm.wait_until(Duration::from_millis(300), |p| p.hosts[&id].state == "stopped"));
    assert!(site.vmm.wait_until(SOON, |p| p.hosts[&id].state == "stopped"));
    let took = begin.elapsed();
    assert!(took >= Duration::from_millis(600) && took < Duration::from_secs(3), "{took:?}");
}
