//! What goes wrong in VMmanager, on the way to it and on our own disk, at every moment of every operation:
//! at most one VM a service, and a plain re-run ends in success with the same VM.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use sandbox::bill::{Order, Run};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::invariants::{Invariant, assert_one_vm_a_service, assert_sound};
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// Requests of each operation.
const REQUESTS: [(&str, &[(&str, &str)]); 4] = [
    (
        "open",
        &[
            ("POST", "/auth/v4/public/token"),
            ("GET", "/vm/v3/host"),
            ("GET", "/vm/v3/os"),
            ("GET", "/vm/v3/account"),
            ("POST", "/vm/v3/account"),
            ("POST", "/vm/v3/host"),
            ("GET", "/vm/v3/task"),
            ("GET", "/vm/v3/host/*/ipv4"),
        ],
    ),
    ("suspend", &[("GET", "/vm/v3/host"), ("POST", "/vm/v3/host/*/stop"), ("GET", "/vm/v3/task")]),
    ("resume", &[("GET", "/vm/v3/host"), ("POST", "/vm/v3/host/*/start"), ("GET", "/vm/v3/task")]),
    ("close", &[("GET", "/vm/v3/host"), ("DELETE", "/vm/v3/host/*"), ("GET", "/vm/v3/task")]),
];

/// What an exchange can suffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Loss {
    /// VMmanager says that it did not take the request, or takes it late.
    NotTaken,
    /// The work is done, the answer is lost or unreadable.
    Answer,
    /// Nothing is done, and nobody says so.
    Request,
}

fn mishaps() -> Vec<(Loss, Action)> {
    let status = |code, body: &str| Action::Status { code, body: body.to_owned() };
    vec![
        (Loss::NotTaken, Action::Refuse503 { retry_after: None }),
        (Loss::NotTaken, Action::Refuse503 { retry_after: Some(1) }),
        (Loss::NotTaken, Action::TooMany429 { retry_after: None }),
        (Loss::NotTaken, Action::TooMany429 { retry_after: Some(1) }),
        (Loss::NotTaken, Action::ExpireSession),
        (Loss::NotTaken, Action::Delay(Duration::from_millis(400))),
        (Loss::Answer, Action::LoseAnswer),
        (Loss::Answer, Action::HalfAnswer),
        (Loss::Answer, Action::Garbage),
        (Loss::Answer, Action::TruncatedJson),
        (Loss::Answer, Action::WrongType),
        (Loss::Answer, Action::Huge(40 << 20)),
        (Loss::Request, Action::CloseBefore),
        (Loss::Request, status(500, r#"{"error": {"code": 500, "msg": "Internal error"}}"#)),
        (Loss::Request, status(502, "<html><h1>502 Bad Gateway</h1></html>")),
        (Loss::Request, status(504, "")),
    ]
}

#[derive(Clone, Debug)]
struct Mishap {
    command: &'static str,
    method: &'static str,
    path: &'static str,
    loss: Loss,
    action: Action,
}

impl Mishap {
    /// All reads go through the same few lines; an answer of 40 MiB is tried once.
    fn is_worth_it(&self) -> bool {
        match &self.action {
            Action::Huge(_) => self.path == "/vm/v3/host",
            Action::TooMany429 { .. } | Action::Delay(_) | Action::HalfAnswer | Action::TruncatedJson => {
                self.method != "GET"
            }
            Action::Refuse503 { retry_after: Some(_) } => self.method != "GET",
            _ => true,
        }
    }

    /// Whether one run is enough: reads are repeated, what was not taken is asked again, what was done is found by
    /// looking. A login is never repeated blindly: the platform may count failures.
    fn is_survived(&self) -> bool {
        let is_login = self.path.starts_with("/auth");
        self.loss == Loss::NotTaken || (!is_login && (self.method == "GET" || self.loss == Loss::Answer))
    }
}

#[test]
fn an_exchange_that_fails_once() {
    let mut cases = Vec::new();
    for (command, requests) in REQUESTS {
        for (method, path) in requests {
            let mishap = |(loss, action)| Mishap { command, method, path, loss, action };
            let suffered = mishaps().into_iter().map(mishap).filter(Mishap::is_worth_it);
            cases.extend(suffered.map(|mishap| (*path, mishap)));
        }
    }
    each(&cases, |mishap| {
        let world = TestWorld::with(|scene| scene.limits = "change=4".into());
        let item = world.ready_for(mishap.command);
        let before = world.hosts_of(item).first().map(|host| host.id);
        world.vmm.fault(Fault::on(mishap.method, mishap.path).act(mishap.action.clone()));
        let first = world.perform(item, mishap.command);
        if mishap.is_survived() {
            assert!(first.done, "{mishap:?}: {first:#?}\n{}", world.bill.log());
        } else if !first.done {
            let made = before.or_else(|| world.hosts_of(item).first().map(|host| host.id));
            world.succeed(item, mishap.command);
            let now = world.hosts_of(item).first().map(|host| host.id);
            assert!(mishap.command == "close" || made.is_none() || now == made, "{mishap:?}: {made:?} became {now:?}");
        }
        settled(&world, item, mishap.command);
    });
}

/// What every operation must have led to.
#[track_caller]
fn settled(world: &TestWorld, item: u64, command: &str) {
    let (status, state) = match command {
        "suspend" => (3, Some("stopped")),
        "close" => (4, None),
        _ => (2, Some("active")),
    };
    assert_eq!(world.bill.item(item).status, status, "{}", world.bill.log());
    let host = world.hosts_of(item).pop();
    assert_eq!(host.map(|host| host.state).as_deref(), state, "{}", world.bill.log());
    assert_eq!(world.vmm.look(|platform| platform.accounts.len()), 2, "one account of the client");
    assert_eq!(world.used_slots(item).len(), usize::from(command != "close"));
}

/// Requests that lead to a task.
const TASKS: [(&str, &str, &str); 4] = [
    ("open", "POST", "/vm/v3/host"),
    ("suspend", "POST", "/vm/v3/host/*/stop"),
    ("resume", "POST", "/vm/v3/host/*/start"),
    ("close", "DELETE", "/vm/v3/host/*"),
];

fn tasks() -> Vec<(&'static str, (&'static str, &'static str, &'static str))> {
    TASKS.iter().map(|task| (task.0, *task)).collect()
}

#[test]
fn a_task_that_fails() {
    let words = ["failed", "fail", "error", "cancelled"];
    let cases: Vec<_> = tasks().into_iter().flat_map(|(name, task)| words.map(|word| (name, (task, word)))).collect();
    each(&cases, |&((command, method, path), status)| {
        let world = TestWorld::with(|scene| scene.limits = "change=4".into());
        let item = world.ready_for(command);
        let text = "libvirt: domain is locked".to_owned();
        let action = if status == "cancelled" { Action::CancelTask } else { Action::FailTask { word: status, text } };
        world.vmm.fault(Fault::on(method, path).times(2).act(action));
        let refusal = world.fail(item, command);
        assert_eq!(refusal.kind, Kind::Vm6Task, "{refusal:?}");
        let reason = if status == "cancelled" { "cancelled" } else { "libvirt: domain is locked" };
        assert!(refusal.value.contains(reason), "VMmanager's own words: {refusal:?}");
        world.vmm.clear_faults();
        world.succeed(item, command);
        settled(&world, item, command);
    });
}

#[test]
fn a_task_that_vanishes() {
    each(&tasks(), |&(command, method, path)| {
        let world = TestWorld::start();
        let item = world.ready_for(command);
        world.vmm.fault(Fault::on(method, path).act(Action::VanishTask));
        world.succeed(item, command);
        settled(&world, item, command);
    });
}

#[test]
fn a_task_that_never_ends() {
    each(&tasks(), |&(command, method, path)| {
        let world = TestWorld::with(|scene| scene.limits = "create=1,change=1".into());
        let item = world.ready_for(command);
        world.vmm.fault(Fault::on(method, path).act(Action::NeverEndTask));
        let mut ids = Vec::new();
        for _ in 0..2 {
            let refusal = world.fail(item, command);
            assert_eq!(refusal.kind, Kind::Vm6Timeout, "{refusal:?}");
            ids.push(world.host_of(item).id);
        }
        assert_eq!(ids[0], ids[1], "nothing is made again while VMmanager still works");
        let creations = world.mutations().iter().filter(|change| *change == "POST /vm/v3/host").count();
        assert_eq!(creations, usize::from(command == "open"));
        // Somebody clears it up in VMmanager.
        world.vmm.change(|platform| {
            platform.remove_host(ids[0]);
            let tasks = platform.tasks.values_mut().filter(|task| task.host == Some(ids[0]) && !task.is_final());
            tasks.for_each(|task| task.status = "cancelled".into());
        });
        if command == "open" || command == "close" {
            world.bill.perform_until_done(item, command, 2);
            settled(&world, item, command);
        }
    });
}

#[test]
fn an_answer_that_comes_after_the_work_was_given_up() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::LateWork(Duration::from_millis(1800))));
    let refusal = world.fail(item, "open");
    assert!(refusal.value.contains("looks again"), "{refusal:?}");
    let mark = world.mark(item);
    assert!(world.vmm.wait_until(Duration::from_secs(10), |platform| !platform.host_by_comment(&mark).is_empty()));
    let late = world.host_of(item).id;
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).id, late);
    settled(&world, item, "open");
}

#[test]
fn an_order_that_is_closed_while_its_vm_may_still_come() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::LateWork(Duration::from_millis(1500))));
    world.fail(item, "open");
    world.drop_operations();
    world.succeed(item, "close");
    assert!(world.hosts_of(item).is_empty(), "the late VM is removed, not forgotten");
    assert_eq!(world.bill.item(item).status, 4);
}

#[test]
fn a_new_vm_that_lists_do_not_show_yet() {
    each(&[("for one call", 1), ("for three", 3)], |&calls| {
        let world = TestWorld::start();
        let item = world.ordered();
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::HideFromLists { calls }));
        world.succeed(item, "open");
        settled(&world, item, "open");
    });
}

#[test]
fn addresses_that_come_late() {
    let world = TestWorld::with(|scene| scene.vmm.timing.addresses_after = Duration::from_millis(900));
    let item = world.ordered();
    world.succeed(item, "open");
    settled(&world, item, "open");
}

#[test]
fn sessions_that_live_for_a_moment() {
    // Gone whenever a task is polled or BILLmanager is called.
    let world = TestWorld::with(|scene| scene.vmm.session_idle = Duration::from_millis(150));
    let item = world.ordered();
    for command in ["open", "suspend", "resume", "close"] {
        world.succeed(item, command);
        settled(&world, item, command);
    }
    assert!(world.vmm.logins() > 4, "{}", world.vmm.logins());
}

#[test]
fn a_vmmanager_that_sleeps_for_long() {
    let world = TestWorld::with(|scene| scene.limits = "asleep=1".into());
    let item = world.ordered();
    world.vmm.fault(Fault::on("*", "/vm/v3/host").always());
    let started = Instant::now();
    let refusal = world.fail(item, "open");
    assert_eq!((refusal.kind, refusal.object.as_str()), (Kind::Vm6Connect, "GET /vm/v3/host"), "{refusal:?}");
    assert!(started.elapsed() < Duration::from_secs(6), "{:?}", started.elapsed());
    assert_eq!(world.bill.problems().len(), 1);
    world.vmm.clear_faults();
    world.succeed(item, "open");
}

#[test]
fn no_room_in_the_cluster() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.vmm.change(|platform| platform.nodes.values_mut().for_each(|node| node.maintenance_mode = true));
    for _ in 0..2 {
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, Kind::Vm6Task);
        assert!(refusal.value.contains("not enough free resources"), "{refusal:?}");
        assert!(world.made_by_module().is_empty(), "the remains are removed");
    }
    world.vmm.change(|platform| platform.nodes.values_mut().for_each(|node| node.maintenance_mode = false));
    world.succeed(item, "open");
    settled(&world, item, "open");
}

#[test]
fn a_creation_that_fails_after_its_answer_was_lost() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.vmm.change(|platform| platform.nodes.values_mut().for_each(|node| node.maintenance_mode = true));
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::LoseAnswer));
    let refusal = world.fail(item, "open");
    refusal.is(Kind::Vm6Task, "host_create", &["not enough free resources", "was removed"]);
    assert!(world.made_by_module().is_empty());
    world.vmm.change(|platform| platform.nodes.values_mut().for_each(|node| node.maintenance_mode = false));
    world.succeed(item, "open");
    settled(&world, item, "open");
}

#[test]
fn remains_that_cannot_be_removed_are_not_forgotten() {
    let world = TestWorld::start();
    let item = world.ordered();
    let action = Action::FailTask { word: "failed", text: "no space left on the storage".to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
    let refusal = r#"{"error": {"code": 5000, "msg": "VM is locked"}}"#.to_owned();
    world.vmm.fault(Fault::on("DELETE", "/vm/v3/host/*").act(Action::Status { code: 400, body: refusal }));
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::Vm6Task);
    for part in ["no space left", "could not be removed", "VM is locked"] {
        assert!(refusal.value.contains(part), "{refusal:?}");
    }
    assert_sound(&world);
    // The next try finds the remains and ends in one VM.
    world.bill.perform_until_done(item, "open", 2);
    settled(&world, item, "open");
}

/// Somebody changes the VM in VMmanager's panel.
type Meddle = fn(&TestWorld, u64, u64);

#[test]
fn changes_that_do_not_matter() {
    let cases: [(&str, Meddle); 4] = [
        ("renamed", |w, host, _| w.alter(host, |host| host.name = "my-server".into())),
        ("a comment beside the mark", |w, host, _| {
            w.alter(host, |host| host.comment = format!("shop, {}", host.comment));
        }),
        ("another domain", |w, host, _| w.alter(host, |host| host.domain = "other.example.org".into())),
        ("another client's VM of the same name", |w, _, item| {
            let bob = w.vmm.change(|platform| platform.add_account("bob@example.org", "Pass-of-bob-1", "@user"));
            w.make_by_hand(&format!("vps{item}"), bob);
        }),
    ];
    each(&cases, |meddle| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        meddle(&world, host, item);
        for command in ["suspend", "resume", "close"] {
            world.succeed(item, command);
        }
        assert!(!world.vmm.look(|platform| platform.hosts.contains_key(&host)));
    });
}

#[test]
fn a_mark_that_the_client_removed_is_put_back() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.alter(host, |host| host.comment = "my shop".into());
    world.succeed(item, "suspend");
    assert_eq!(world.host_of(item).comment, format!("my shop {}", world.mark(item)));
    assert_eq!(world.mutations(), [format!("POST /vm/v3/host/{host}"), format!("POST /vm/v3/host/{host}/stop")]);
    assert!(world.bill.log().contains("is missing; it is written again"));
}

#[test]
fn a_vm_that_is_not_proved_is_never_touched() {
    let cases: [(&str, Meddle); 3] = [
        ("moved to another client", |w, host, _| {
            let bob = w.vmm.change(|platform| platform.add_account("bob@example.org", "Pass-of-bob-1", "@user"));
            w.alter(host, |host| host.account = bob);
        }),
        ("neither mark nor journal", |w, host, _| {
            w.alter(host, |host| host.comment = String::new());
            fs::remove_file(w.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
        }),
        ("another VM under the recorded id", |w, host, _| {
            w.alter(host, |host| {
                host.comment = String::new();
                host.create_date = "2019-01-01 00:00:00".into();
            });
        }),
    ];
    each(&cases, |meddle| {
        let world = TestWorld::start();
        let item = world.opened();
        let host = world.host_of(item).id;
        meddle(&world, host, item);
        world.waive(Invariant::NothingForgotten, "the VM has lost its mark, its owner or its row of the journal");
        for command in ["suspend", "close", "reopen"] {
            let state = world.vmm.look(|platform| format!("{:?}", platform.hosts));
            let refusal = world.fail(item, command);
            if refusal.kind == Kind::Vm6Platform {
                assert!(refusal.value.contains("the VMs that were recorded there are other VMs here"), "{refusal:?}");
            } else {
                let told = ["alice@example.com", &world.mark(item), "nothing was changed"];
                refusal.is(Kind::Vm6Foreign, &format!("VM {host}"), &told);
            }
            assert_eq!(world.vmm.look(|platform| format!("{:?}", platform.hosts)), state, "{command}");
            world.drop_operations();
        }
        assert_eq!(world.mutations(), [""; 0]);
    });
}

#[test]
fn a_wrong_id_in_billmanager_hurts_nobody() {
    let world = TestWorld::start();
    let (item, victim) = (world.opened(), world.bill.order(&Order { client: world.bob, ..world.usual_order() }));
    world.succeed(victim, "open");
    world.forget();
    let host = world.host_of(victim).id;
    world.bill.set_param(item, "panelid", &host.to_string());
    for command in ["suspend", "close"] {
        world.fail(item, command).is(
            Kind::Vm6Foreign,
            &format!("VM {host}"),
            &["bob@example.org", &world.mark(victim)],
        );
        world.drop_operations();
    }
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.host_of(victim).state, "active");
}

#[test]
fn two_vms_with_one_mark_stop_everything() {
    let world = TestWorld::start();
    let item = world.ordered();
    let mark = world.mark(item);
    let alice = world.vmm.change(|platform| platform.add_account("alice@example.com", "Pass-of-alice-1", "@user"));
    let hosts = ["one", "two"].map(|name| world.make_by_hand(name, alice));
    for host in hosts {
        world.alter(host, |host| host.comment.clone_from(&mark));
    }
    let refusal = world.fail(item, "open");
    refusal.is(Kind::Vm6Foreign, &mark, &[&hosts[0].to_string(), &hosts[1].to_string(), "nothing was changed"]);
    assert_eq!(world.mutations(), [""; 0]);
    assert_eq!(world.bill.tasks(item).len(), 1, "only a person can go on");
    // The person removes the mark from the wrong one.
    world.alter(hosts[1], |host| host.comment = String::new());
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).id, hosts[0]);
    let resized = [format!("POST /vm/v3/host/{}/resource", hosts[0]), format!("POST /vm/v3/host/{}/restart", hosts[0])];
    assert_eq!(world.mutations(), resized, "the marked VM is adopted, and gets the ordered sizes");
}

#[test]
fn a_mark_on_somebody_elses_vm_is_not_adopted() {
    let world = TestWorld::start();
    let item = world.ordered();
    let bob = world.vmm.change(|platform| platform.add_account("bob@example.org", "Pass-of-bob-1", "@user"));
    let host = world.make_by_hand("trap", bob);
    let mark = world.mark(item);
    world.alter(host, |host| host.comment.clone_from(&mark));
    world.fail(item, "open").is(Kind::Vm6Foreign, &format!("VM {host}"), &["bob@example.org"]);
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn a_vm_of_the_same_name_made_by_hand_is_left_alone() {
    let world = TestWorld::start();
    let alice = world.host_of(world.opened()).account;
    let item = world.ordered();
    let by_hand = world.make_by_hand(&format!("vps{item}"), alice);
    world.succeed(item, "open");
    assert_ne!(world.host_of(item).id, by_hand);
    world.succeed(item, "close");
    assert!(world.vmm.look(|platform| platform.hosts.contains_key(&by_hand)));
}

#[test]
fn a_protected_vm_is_not_closed() {
    let world = TestWorld::start();
    let item = world.opened();
    let host = world.host_of(item).id;
    world.alter(host, |host| host.is_protected = true);
    let refusal = world.fail(item, "close");
    assert_eq!(refusal.kind, Kind::Vm6Api);
    assert!(refusal.value.contains("protect"), "{refusal:?}");
    assert_eq!(world.host_of(item).state, "active");
    world.alter(host, |host| host.is_protected = false);
    world.succeed(item, "close");
}

#[test]
fn an_account_that_was_blocked_in_vmmanager() {
    let world = TestWorld::start();
    let item = world.opened();
    world.succeed(item, "suspend");
    let account = world.host_of(item).account;
    let set = |state: &str| world.vmm.change(|p| state.clone_into(&mut p.accounts.get_mut(&account).unwrap().state));
    set("suspended");
    let refusal = world.fail(item, "resume");
    assert!(refusal.kind == Kind::Vm6Api && refusal.value.contains("suspended"), "{refusal:?}");
    set("active");
    world.succeed(item, "resume");
}

fn private_directory(path: &Path) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o700)).unwrap();
}

fn journal(world: &TestWorld) -> PathBuf {
    world.bill.root().join("var/pmvmmanager6/journal.db")
}

#[test]
fn a_lost_journal_is_replaced_by_the_marks() {
    let world = TestWorld::start();
    let item = world.opened();
    for command in ["suspend", "resume", "reopen", "close"] {
        fs::remove_file(journal(&world)).unwrap();
        world.succeed(item, command);
    }
}

#[test]
fn a_damaged_journal_stops_the_operation_before_anything_is_asked() {
    let world = TestWorld::start();
    let item = world.ordered();
    let spoiled = [
        ("text", b"no database at all, but long enough for a header".repeat(300)),
        ("a header", b"SQLite format 3\0rest".to_vec()),
    ];
    for (name, bytes) in spoiled {
        private_directory(journal(&world).parent().unwrap());
        fs::write(journal(&world), bytes).unwrap();
        let refusal = world.refuse(item, "open");
        refusal.is(Kind::State, &journal(&world).display().to_string(), &["backup"]);
        assert_eq!(world.mutations(), [""; 0], "{name}");
    }
    fs::remove_file(journal(&world)).unwrap();
    world.succeed(item, "open");
}

/// One attempt with the state directory on a filesystem of its own, in a mount namespace that only this run sees.
fn perform_on(world: &TestWorld, item: u64, command: &str, mount: &str) -> Run {
    let running = world.bill.running(item).into_iter().find(|it| it.command == command);
    let operation = running.map_or_else(|| world.bill.operation(item, command), |it| it.id);
    let state = world.bill.root().join("var/pmvmmanager6");
    let module = world
        .bill
        .command(&world.bill.arguments(item, command, operation).iter().map(String::as_str).collect::<Vec<_>>());
    let mut wrapped = Command::new("unshare");
    wrapped.args(["--mount", "--map-root-user", "/bin/sh", "-c", &format!("{mount} && shift 1 && exec \"$@\""), "sh"]);
    wrapped.arg(&state).arg(module.get_program()).args(module.get_args());
    wrapped.current_dir(world.bill.root()).env_clear();
    wrapped.envs(module.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let started = Instant::now();
    let output = wrapped.output().expect("unshare (util-linux) is needed");
    world.remember(world.bill.settle(operation, Run::new(&output, started.elapsed())))
}

#[test]
fn a_full_disk_stops_the_operation_before_anything_is_asked() {
    let world = TestWorld::start();
    let item = world.opened();
    let before = world.snapshot(item);
    let full = "mount -t tmpfs -o size=64k,mode=700 tmpfs \"$1\" && { head -c 1000000 /dev/zero > \"$1/filler\" 2>/dev/null; true; }";
    let refusal = Refusal::of(&perform_on(&world, item, "suspend", full));
    assert_eq!(refusal.kind, Kind::State, "{refusal:?}");
    assert!(refusal.value.contains("no space"), "{refusal:?}");
    let read_only = "mount --bind \"$1\" \"$1\" && mount -o remount,bind,ro \"$1\"";
    for command in ["suspend", "close"] {
        let refusal = Refusal::of(&perform_on(&world, item, command, read_only));
        assert_eq!(refusal.kind, Kind::State, "{refusal:?}");
        assert!(refusal.value.contains("read-only"), "{refusal:?}");
        world.drop_operations();
    }
    assert_eq!(world.snapshot(item), before);
    assert_eq!(world.mutations(), [""; 0]);
    world.succeed(item, "suspend");
    world.succeed(item, "close");
}

/// The disk fills up between the intent and the answer: the request is not sent, or its VM is found again.
#[test]
fn a_disk_that_fills_up_while_a_vm_is_made() {
    let world = TestWorld::start();
    let item = world.ordered();
    private_directory(journal(&world).parent().unwrap());
    world.waive(Invariant::NothingForgotten, "each run has a journal of its own, which ends with it");
    for size in [16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128] {
        let mount = format!("mount -t tmpfs -o size={size}k,mode=700 tmpfs \"$1\"");
        let run = perform_on(&world, item, "open", &mount);
        assert_one_vm_a_service(&world);
        if run.done {
            break;
        }
        assert_eq!(Refusal::of(&run).kind, Kind::State, "{size} KiB: {run:#?}");
    }
    if !world.bill.running(item).is_empty() {
        world.succeed(item, "open");
    }
    settled(&world, item, "open");
}
