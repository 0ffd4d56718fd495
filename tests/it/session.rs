//! The session cache across processes: one login for everybody, exactly as long as it may be used.

use std::fs;
use std::process::{Child, Command, Stdio};

use crate::support::processes::{Event, Room, finished, until};

/// A stand-in for VMmanager: what a login answers.
fn server(room: &Room, answer: &str) {
    fs::write(room.path("server"), answer).unwrap();
}

fn visit(room: &Room, command: Command, label: &str, arguments: &[&str]) -> Command {
    let mut command = command;
    command.args(["session-visit", "--label", label, "--log"]).arg(room.path("visits"));
    command.arg("--server").arg(room.path("server")).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// One visit to its end; its exit status.
fn once(room: &Room, label: &str, arguments: &[&str]) -> i32 {
    finished(visit(room, room.program(), label, arguments).output().unwrap()).0
}

fn events(room: &Room) -> Vec<Event> {
    let text = fs::read_to_string(room.path("visits")).unwrap_or_default();
    let events = text.lines().map(|line| {
        let mut words = line.split(' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        Event { what: word(), label: word(), detail: word(), at: 0 }
    });
    events.collect()
}

fn count(room: &Room, what: &str) -> usize {
    events(room).iter().filter(|event| event.what == what).count()
}

fn crowd(room: &Room, size: usize, arguments: &[&str]) -> Vec<i32> {
    let start = |n| visit(room, room.program(), &format!("p{n}"), arguments).spawn().unwrap();
    let children: Vec<Child> = (0..size).map(start).collect();
    children.into_iter().map(|child| finished(child.wait_with_output().unwrap()).0).collect()
}

#[test]
fn any_number_of_processes_log_in_once() {
    let room = Room::new();
    server(&room, "first");
    assert!(crowd(&room, 100, &["--for", "100"]).iter().all(|status| *status == 0));
    assert_eq!((count(&room, "login"), count(&room, "used")), (1, 100));
    server(&room, "second");
    // VMmanager has revoked the token: everybody meets it, one logs in.
    assert!(crowd(&room, 100, &["--for", "100", "--revoked", "first"]).iter().all(|status| *status == 0));
    assert_eq!(count(&room, "login"), 2);
    assert!(events(&room)[101..].iter().filter(|e| e.what == "used").all(|event| event.detail == "second"));
}

#[test]
fn a_refused_login_is_not_repeated_by_those_who_waited_for_it() {
    let room = Room::new();
    server(&room, "refuse");
    // The first login takes until every other process waits in the lock.
    let mut first = visit(&room, room.program(), "first", &["--for", "4000"]).spawn().unwrap();
    until("the first login", || Some(()).filter(|()| count(&room, "login") == 1));
    let start = |n| visit(&room, room.program(), &format!("p{n}"), &[]).spawn().unwrap();
    let others: Vec<Child> = (0..10).map(start).collect();
    until("ten waiting processes", || {
        Some(()).filter(|()| room.log().matches("waiting for another process that logs in").count() == 10)
    });
    assert_eq!(first.wait().unwrap().code(), Some(1));
    for other in others {
        let (status, _, text) = finished(other.wait_with_output().unwrap());
        assert_eq!(status, 1);
        assert!(text.contains("vm6_auth (server): wrong password"), "{text}");
    }
    assert_eq!((count(&room, "login"), count(&room, "refused")), (1, 11));
    // Who comes later tries for himself.
    server(&room, "better");
    assert_eq!(once(&room, "later", &[]), 0);
    assert_eq!(count(&room, "login"), 2);
}

#[test]
fn a_token_belongs_to_its_address_password_and_key() {
    let room = Room::new();
    server(&room, "t");
    let others = [&["--password", "other"][..], &["--url", "https://other"], &["--key", "other"]];
    for arguments in [&[&[][..]], &others[..], &[&[][..]], &others[..]].concat() {
        assert_eq!(once(&room, "x", arguments), 0);
    }
    assert_eq!(count(&room, "login"), 4);
}

#[test]
fn the_storage_period_is_kept_and_zero_keeps_nothing() {
    let room = Room::new();
    server(&room, "t");
    assert_eq!(once(&room, "a", &["--ttl", "1000"]), 0);
    assert_eq!(once(&room, "b", &["--ttl", "1000"]), 0);
    assert_eq!(count(&room, "login"), 1);
    age(&room, 999_000);
    assert_eq!(once(&room, "c", &["--ttl", "1000"]), 0);
    assert_eq!(count(&room, "login"), 1);
    age(&room, 1_000);
    assert_eq!(once(&room, "d", &["--ttl", "1000"]), 0);
    assert_eq!(count(&room, "login"), 2);
    // A shorter period of the reader counts.
    age(&room, 5_000);
    assert_eq!(once(&room, "e", &["--ttl", "5"]), 0);
    assert_eq!(count(&room, "login"), 3);
    // Zero forgets what was kept and keeps nothing.
    assert_eq!(once(&room, "f", &["--ttl", "0"]), 0);
    assert_eq!(once(&room, "g", &["--ttl", "0"]), 0);
    assert_eq!(count(&room, "login"), 5);
    assert_eq!(room.run(&["session"]).1, "No session is cached.\n");
    let bytes = fs::read(room.runtime().join("runtime.db")).unwrap();
    assert!(!bytes.windows(6).any(|window| window == b"secret"));
}

/// Makes every stored session older.
fn age(room: &Room, milliseconds: i64) {
    room.database().execute("UPDATE session SET obtained = obtained - ?1", [milliseconds]).unwrap();
}

#[test]
fn a_moment_of_the_future_or_of_another_boot_is_expired() {
    let room = Room::new();
    server(&room, "t");
    assert_eq!(once(&room, "a", &[]), 0);
    age(&room, -10_000_000);
    assert_eq!(once(&room, "b", &[]), 0);
    assert_eq!(count(&room, "login"), 2);
    room.database().execute("UPDATE session SET boot = 'another'", []).unwrap();
    assert_eq!(once(&room, "c", &[]), 0);
    assert_eq!(count(&room, "login"), 3);
}

#[test]
fn a_clock_that_jumps_does_no_harm() {
    let ahead = ["unshare", "--time", "--fork", "--boottime", "86400", "--monotonic", "86400"];
    let allowed = Command::new(ahead[0]).args(&ahead[1..]).arg("true").status().is_ok_and(|status| status.success());
    if !allowed {
        eprintln!("left out: this user may not make a time namespace");
        return;
    }
    let room = Room::new();
    server(&room, "t");
    assert_eq!(once(&room, "now", &[]), 0);
    // A day later it has expired; back again, the new one is of the future: refreshed, not trusted.
    let tomorrow = visit(&room, room.wrapped(&ahead), "tomorrow", &[]).output().unwrap();
    assert_eq!(finished(tomorrow).0, 0);
    assert_eq!(count(&room, "login"), 2);
    assert_eq!(once(&room, "back", &[]), 0);
    assert_eq!(count(&room, "login"), 3);
    // The queue does not ask any clock.
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let shifted = room.hold_in(room.wrapped(&ahead), "k", "shifted").milliseconds(0).start();
    room.await_event("waiting", "shifted");
    let last = room.hold("k", "last").milliseconds(0).start();
    room.await_event("waiting", "last");
    owner.succeed();
    shifted.succeed();
    last.succeed();
    let text = fs::read_to_string(room.path("holds")).unwrap();
    let order: Vec<&str> = text.lines().filter(|line| line.starts_with("start")).collect();
    assert!(order[1].starts_with("start shifted") && order[2].starts_with("start last"), "{text}");
}

#[test]
fn killed_while_it_logs_in_it_leaves_the_way_free() {
    for point in ["session.before_login", "session.after_login", "session.stored"] {
        let room = Room::new();
        server(&room, "t");
        let status = visit(&room, room.program(), "x", &[]).env("PMVMMANAGER6_FAULT", point).status().unwrap();
        assert_eq!(status.code(), None);
        assert_eq!(once(&room, "next", &[]), 0);
        assert!(count(&room, "login") <= 2);
    }
}

#[test]
fn without_a_usable_directory_everybody_logs_in_alone() {
    let room = Room::new();
    server(&room, "t");
    let mut command = visit(&room, room.program(), "x", &[]);
    command.env("PMVMMANAGER6_FILESYSTEM", "6969");
    assert_eq!(finished(command.output().unwrap()).0, 0);
    assert!(room.log().contains("sessions are not kept"), "{}", room.log());
}

#[test]
fn sessions_are_listed_without_tokens_and_dropped() {
    let room = Room::new();
    assert_eq!(room.run(&["session"]).1, "No session is cached.\n");
    server(&room, "SECRET-TOKEN");
    assert_eq!(once(&room, "a", &[]), 0);
    assert_eq!(once(&room, "b", &["--url", "https://second"]), 0);
    let (_, text, _) = room.run(&["session"]);
    assert!(text.starts_with("ADDRESS") && text.contains("https://second") && text.contains("admin@example.com"));
    let (_, json, _) = room.run(&["session", "--json"]);
    let sessions: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(sessions.as_array().unwrap().len(), 2);
    assert_eq!(sessions[1]["url"], "https://vm.example.com");
    assert_eq!(sessions[1]["ttl_seconds"], 1800.0);
    for secret in ["SECRET-TOKEN", "secret"] {
        assert!(!format!("{text}{json}{}", room.log()).contains(secret));
    }
    assert!(room.run(&["session", "drop", "--url", "https://second"]).1.starts_with("1 session dropped"));
    assert!(room.run(&["session", "drop", "--all"]).1.starts_with("1 session dropped"));
    assert!(room.run(&["session", "drop", "--all"]).1.starts_with("0 sessions dropped"));
    assert_eq!(once(&room, "c", &[]), 0);
    assert_eq!(count(&room, "login"), 3);
}
