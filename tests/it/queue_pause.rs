//! Draining for maintenance: `queue pause`, `queue resume`, and looking on with `queue --watch`.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use crate::support::processes::{Room, until};

#[test]
fn a_paused_key_lets_the_running_finish_and_holds_the_others() {
    let room = Room::new();
    let running = room.hold("a", "running").start();
    room.await_event("start", "running");
    let (status, text, _) = room.run(&["queue", "pause", "a"]);
    assert_eq!(status, 0);
    assert!(text.starts_with("queue a: paused"), "{text}");
    assert!(room.run(&["queue", "pause", "a"]).1.contains("was paused already"));
    let waiting = room.hold("a", "waiting").milliseconds(0).start();
    room.await_event("waiting", "waiting");
    room.hold("b", "other").milliseconds(0).start().succeed();
    running.succeed();
    let later = room.hold("a", "later").milliseconds(0).start();
    room.await_event("waiting", "later");
    assert_eq!(room.line(), ["waiting", "later"]);
    assert!(room.run(&["queue"]).1.starts_with("Queue a is paused"));
    assert_eq!(room.moment("start", "waiting"), None);
    assert!(room.run(&["queue", "resume", "a"]).1.contains("resumed"));
    waiting.succeed();
    later.succeed();
    assert!(room.run(&["queue", "resume", "a"]).1.contains("was not paused"));
    room.assert_empty();
}

#[test]
fn pausing_all_holds_services_and_keys_and_needs_its_own_resume() {
    let room = Room::new();
    for arguments in [["queue", "pause", "--all"], ["queue", "pause", "a"]] {
        assert_eq!(room.run(&arguments).0, 0);
    }
    let a = room.hold("a", "a").milliseconds(0).start();
    let b = room.hold("b", "b").service(5).milliseconds(0).start();
    room.await_event("waiting", "a");
    room.await_event("waiting", "b");
    assert!(room.tickets().iter().any(|entry| entry.key == "service:5"));
    room.run(&["queue", "resume", "a"]);
    assert_eq!(room.run(&["queue", "resume", "--all"]).0, 0);
    let (status, text) = a.end();
    assert_eq!(status, 0);
    assert!(text.contains("all queues are paused: pmvmmanager6 queue resume --all"), "{text}");
    b.succeed();
    room.assert_empty();
}

#[test]
fn resume_killed_at_any_point_leaves_it_paused_or_resumed_and_nobody_asleep() {
    for point in ["queue.resume_opened", "queue.resume_unlinked"] {
        for limit in [1, 3] {
            let room = Room::new();
            room.run(&["queue", "pause", "k"]);
            let waiting: Vec<_> = (0..4)
                .map(|n| {
                    let hold = room.hold("k", &format!("h{n}")).limit(limit).milliseconds(0).start();
                    room.await_event("waiting", &format!("h{n}"));
                    hold
                })
                .collect();
            let status = room.command().env("PMVMMANAGER6_FAULT", point).args(["queue", "resume", "k"]).status();
            assert_eq!(status.unwrap().code(), None);
            if point == "queue.resume_opened" {
                assert!(room.run(&["queue"]).1.starts_with("Queue k is paused"));
                assert_eq!(room.line().len(), 4);
                room.run(&["queue", "resume", "k"]);
            }
            waiting.into_iter().for_each(super::support::processes::Running::succeed);
            room.assert_empty();
        }
    }
}

#[test]
fn a_process_that_waits_in_a_pause_can_be_stopped_and_killed() {
    let room = Room::new();
    room.run(&["queue", "pause", "k"]);
    let [stopped, killed, last] = ["stopped", "killed", "last"].map(|label| {
        let hold = room.hold("k", label).milliseconds(0).start();
        room.await_event("waiting", label);
        hold
    });
    stopped.signal(rustix::process::Signal::TERM);
    let (status, text) = stopped.end();
    assert_eq!(status, 1, "{text}");
    killed.kill();
    assert_eq!(room.line(), ["last"]);
    room.run(&["queue", "resume", "k"]);
    last.succeed();
    room.assert_empty();
}

#[test]
fn watch_draws_again_when_something_changes() {
    let room = Room::new();
    let mut watch = room.command().args(["queue", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines().map(Result::unwrap);
    let mut shows = |part: &str| until(part, || lines.next().filter(|line| line.contains(part)));
    shows("No operation runs or waits.");
    let hold = room.hold("k", "open").start();
    shows("k-1");
    room.run(&["queue", "pause", "k"]);
    shows("Queue k is paused");
    hold.succeed();
    shows("No operation runs or waits.");
    watch.kill().unwrap();
    watch.wait().unwrap();
}

#[test]
fn json_is_as_documented() {
    let room = Room::new();
    let (status, text, _) = room.run(&["queue", "--json"]);
    assert_eq!((status, text.as_str()), (0, "{\n  \"paused_all\": false,\n  \"queues\": []\n}\n"));
    let hold = room.hold("k", "open").service(4711).start();
    room.await_event("start", "open");
    let waiting = room.hold("k", "suspend").start();
    room.await_event("waiting", "suspend");
    let (_, text, _) = room.run(&["queue", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&text).unwrap();
    let queue = &document["queues"][0];
    assert_eq!(queue["key"], "k");
    assert_eq!(queue["running"][0]["queue"], "k-1");
    assert_eq!(queue["running"][0]["service"], 4711);
    assert_eq!(queue["running"][0]["pid"], hold.pid());
    assert_eq!(queue["waiting"][0]["place"], 1);
    assert_eq!(queue["waiting"][0]["command"], "suspend");
    assert_eq!(document["queues"][1]["key"], "service:4711");
    hold.succeed();
    waiting.succeed();
}

#[test]
fn wrong_usage_is_status_two() {
    let room = Room::new();
    for arguments in [&["queue", "pause"][..], &["queue", "pause", "k", "--all"], &["session", "drop"], &["queue", "x"]]
    {
        let run = assert_cmd::Command::from(room.command()).args(arguments).assert().code(2).stdout("");
        let stderr = String::from_utf8_lossy(&run.get_output().stderr);
        assert!(stderr.contains("Usage"), "{stderr}");
    }
}
