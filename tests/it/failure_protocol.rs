//! How a failure reaches BILLmanager and its staff, and what becomes of calls that the panel does not take
//! [protocol 3.5, 3.28, 3.30].

use std::collections::BTreeSet;

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::{self, Element};
use sandbox::bill::{Behaviour, CallFault, Origin, SaveParam};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// What VMmanager says in these tests, with everything that hurts in XML.
const REASON: &str = "no space on <node-7> & storage \"ssd\" ]]> \u{1}\u{fffe} пусто";
/// The same in a document.
const LEGAL: &str = "no space on <node-7> & storage \"ssd\" ]]> \u{fffd} пусто";

fn failing_creation(world: &TestWorld, status: &'static str) {
    let action = Action::FailTask { word: status, text: REASON.to_owned() };
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(action));
}

#[test]
fn vmmanagers_own_words_reach_people() {
    each(&[("failed", "failed"), ("fail", "fail"), ("error", "error")], |word| {
        let world = TestWorld::start();
        failing_creation(&world, word);
        let item = world.ordered();
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, Kind::Vm6Task);
        assert!(refusal.object.starts_with("host_create"), "{refusal:?}");
        assert!(refusal.value.contains(LEGAL), "{refusal:?}");
        assert!(refusal.value.contains("removed"), "what was done about it: {refusal:?}");
        assert!(world.made_by_module().is_empty(), "the remains are removed");
        assert_eq!(world.bill.problems(), [], "a failed task is no problem of the connection");
        world.succeed(item, "open");
    });
}

/// An error document has the reason, whatever the status is [api B3].
#[test]
fn the_words_of_a_document_reach_people_at_every_status() {
    let requests = [
        ("open", "POST", "/auth/v4/public/token"),
        ("suspend", "GET", "/vm/v3/host"),
        ("open", "GET", "/vm/v3/os"),
        ("open", "POST", "/vm/v3/account"),
        ("open", "POST", "/vm/v3/host"),
        ("resume", "POST", "/vm/v3/host/*/start"),
        ("close", "DELETE", "/vm/v3/host/*"),
        ("changepassword", "POST", "/vm/v3/host/*/password"),
    ];
    let cases: Vec<_> = requests.iter().flat_map(|case| [400, 500].map(|status| (case.2, (*case, status)))).collect();
    each(&cases, |&((command, method, path), status)| {
        let world = TestWorld::with(|scene| "change=1".clone_into(&mut scene.limits));
        let item = world.ready_for(command);
        if path.starts_with("/auth") {
            world.vmm.expire_sessions();
        }
        let (code, msg) = (7000, "the licence server is out of reach".to_owned());
        world.vmm.fault(Fault::on(method, path).always().act(Action::Error { status, code, msg }));
        let refusal = world.fail(item, command);
        assert!(refusal.value.contains("the licence server is out of reach"), "{method} {path} {status}: {refusal:?}");
        assert!(refusal.value.contains("7000") && !refusal.value.contains("not VMmanager"), "{refusal:?}");
    });
}

#[test]
fn a_panic_is_an_error_like_any_other() {
    let world = TestWorld::start();
    let item = world.ordered();
    let run = world.attempt(item, "open", &[], &[("PMVMMANAGER6_FAULT", "create.recorded:panic")]);
    let refusal = Refusal::of(&run);
    refusal.is(Kind::State, "module", &["defect", "pmvmmanager6.log"]);
    assert_eq!(run.stderr, "", "a panic writes nothing of its own");
    assert!(world.bill.log().contains("defect in the module at src/fault.rs"), "{}", world.bill.log());
    let errorxml = world.bill.running(item)[0].errorxml.clone().unwrap();
    assert_eq!(Refusal::of_errorxml(&errorxml), refusal);
    world.succeed(item, "open");
}

#[test]
fn errorxml_has_everything_staff_needs() {
    let world = TestWorld::start();
    failing_creation(&world, "failed");
    let item = world.ordered();
    let refusal = world.fail(item, "open");
    let errorxml = world.bill.running(item)[0].errorxml.clone().unwrap();
    let document = wire::parse(errorxml.as_bytes()).unwrap();
    assert_eq!(
        document.children.iter().map(|child| child.name.as_str()).collect::<Vec<_>>(),
        ["processingmodule", "error"]
    );
    let handler = &document.children[0];
    let attributes = ["id", "name"].map(|name| handler.get(name).unwrap_or_default());
    assert_eq!(attributes, [world.handler.to_string().as_str(), "VMmanager 6 Amsterdam"]);
    assert_eq!(handler.children.len(), 2);
    let words = &handler.children[1];
    assert_eq!((words.name.as_str(), words.get("type"), &words.text), ("custommessage", Some("error"), &refusal.value));
    assert_eq!(words.get("date"), handler.children[0].get("date"));
    let whole = |error: &Element| {
        let attributes = ["type", "object", "value"].map(|name| error.get(name).unwrap_or_default().to_owned());
        assert_eq!(attributes, ["vm6_task".to_owned(), refusal.object.clone(), refusal.value.clone()]);
        assert!(error.get("date").is_some_and(|date| date.len() == "2025-01-31 12:00:00".len()), "{error:?}");
        assert!(error.value("backtrace").contains(&refusal.object), "{error:?}");
        assert!(error.value("log").lines().count() > 5, "the end of the log: {error:?}");
    };
    whole(&handler.children[0]);
    whole(&document.children[1]);
}

#[test]
fn without_an_operation_only_standard_output_speaks() {
    let world = TestWorld::start();
    let item = world.bill.order(&world.usual_order().param("ostempl", "ISPsystem__Plan 9"));
    world.drop_operations();
    let run = world.run(&["--command", "open", "--item", &item.to_string()]);
    Refusal::of(&run).is(Kind::OsNotFound, "ostempl", &["Plan 9"]);
    assert_eq!(world.panel_calls(), [""; 0]);
    assert!(run.stderr.is_empty(), "{run:?}");
}

#[test]
fn the_operation_goes_to_staff_once_after_ten_tries() {
    let world = TestWorld::start();
    let item = world.bill.order(&world.usual_order().param("ostempl", "ISPsystem__Plan 9"));
    for _ in 0..10 {
        world.fail(item, "open");
        assert_eq!((world.bill.tasks(item), world.bill.running(item)[0].manual), (vec![], false));
    }
    world.forget();
    let refusal = world.fail(item, "open");
    let calls = ["runningoperation.edit", "runningoperation.setmanual", "task.gettype", "task.edit"];
    assert_eq!(world.panel_calls(), calls);
    let tasks = world.bill.tasks(item);
    assert_eq!(tasks.len(), 1);
    assert_eq!((tasks[0].kind, tasks[0].status), (1, 0));
    assert!(tasks[0].params.contains(&refusal.value), "{tasks:?}");
    assert!(world.bill.running(item)[0].manual, "the panel stops repeating it");
    world.forget();
    world.fail(item, "open");
    assert_eq!(world.panel_calls(), ["runningoperation.edit"]);
    assert_eq!(world.bill.tasks(item).len(), 1);
    // Staff corrects the order and starts the operation again: the task is closed with it.
    world.bill.set_param(item, "ostempl", "ISPsystem__Debian 12");
    world.succeed(item, "open");
    assert_eq!(world.bill.tasks(item)[0].status, 2);
}

#[test]
fn an_operation_without_a_task_type_is_left_to_staff_without_a_task() {
    let world = TestWorld::start();
    world.bill.behave(Behaviour { no_task_type: true, ..Behaviour::default() });
    let item = world.bill.order(&world.usual_order().param("ostempl", "ISPsystem__Plan 9"));
    world.bill.exec("UPDATE runningoperation SET trycount = 10", &[]);
    world.fail(item, "open");
    assert_eq!(world.panel_calls(), ["runningoperation.edit", "runningoperation.setmanual", "task.gettype"]);
    assert!(world.bill.running(item)[0].manual && world.bill.tasks(item).is_empty());
}

#[test]
fn a_vm_that_is_not_proved_goes_to_staff_at_once() {
    let world = TestWorld::start();
    let item = world.opened();
    let id = world.host_of(item).id;
    world.vmm.change(|p| {
        let stranger = p.add_account("mallory@example.com", "Pass-of-mallory-1", "@user");
        p.hosts.get_mut(&id).unwrap().account = stranger;
    });
    let refusal = world.fail(item, "suspend");
    refusal.is(Kind::Vm6Foreign, &format!("VM {id}"), &["mallory@example.com", &world.mark(item), "link"]);
    assert_eq!(world.bill.tasks(item).len(), 1);
    assert!(world.bill.running(item)[0].manual);
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn connection_and_login_failures_are_problems_of_the_handler() {
    type Arrange = fn(&TestWorld);
    let cases: [(&str, (Arrange, Kind, usize)); 6] = [
        ("unreachable", (|w| w.bill.set_handler(w.handler, "url", "http://127.0.0.1:1"), Kind::Vm6Connect, 1)),
        ("no URL", (|w| w.bill.set_handler(w.handler, "url", "http://vm.example.net"), Kind::Vm6Url, 1)),
        (
            "a wrong password",
            (|w| w.vmm.change(|p| p.accounts.get_mut(&1).unwrap().password = "another-1".into()), Kind::Vm6Auth, 1),
        ),
        (
            "a wrong pin",
            (
                |w| {
                    w.bill.set_handler(w.handler, "tls_verify", "pinned");
                    w.bill.set_handler(w.handler, "tls_fingerprint", "x");
                },
                Kind::BadParam,
                0,
            ),
        ),
        ("an unknown OS", (|w| w.bill.set_param(1, "ostempl", "a__b"), Kind::OsNotFound, 0)),
        (
            "a full cluster",
            (|w| w.vmm.change(|p| p.nodes.values_mut().for_each(|node| node.ram_mib = 0)), Kind::Vm6Task, 0),
        ),
    ];
    each(&cases, |&(arrange, kind, problems)| {
        let world = TestWorld::start();
        let item = world.ordered();
        arrange(&world);
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, kind, "{refusal:?}");
        let found = world.bill.problems();
        assert_eq!(found.len(), problems, "{found:?}");
        for problem in found {
            let about = (problem.name.as_str(), problem.id.as_str(), problem.level.as_str());
            assert_eq!(about, ("processingmodule_connect", world.handler.to_string().as_str(), "error"));
            assert_eq!(problem.params["pm_name"], "VMmanager 6 Amsterdam");
            assert_eq!(problem.params["pm_id"], world.handler.to_string());
            assert!(problem.params["errormsg"].contains(&refusal.value), "{problem:?}");
        }
    });
}

/// Functions that a successful operation calls.
const CALLED: [(&str, &[&str]); 4] = [
    ("open", &["service.saveparam", "service.ip.add", "service.ip.add.commit", "vds.open"]),
    ("suspend", &["service.postsuspend"]),
    ("resume", &["service.postresume"]),
    ("close", &["service.ip.del", "service.postclose"]),
];

fn functions() -> Vec<(&'static str, (&'static str, &'static str))> {
    CALLED.iter().flat_map(|(command, functions)| functions.iter().map(move |f| (*f, (*command, *f)))).collect()
}

#[test]
fn a_panel_that_restarts_is_waited_for() {
    each(&functions(), |&(command, function)| {
        let world = TestWorld::start();
        let item = world.ready_for(command);
        world.bill.fail_call(function, CallFault::Unreachable, 2);
        world.succeed(item, command);
        let asked = world.bill.calls().iter().filter(|call| call.function == function && !call.succeeded()).count();
        assert_eq!(asked, 2, "{function}");
        let creations = world.mutations().iter().filter(|change| *change == "POST /vm/v3/host").count();
        assert!(creations <= 1, "the work is never done again because of it");
    });
}

#[test]
fn a_panel_that_stays_away_loses_nothing() {
    each(&functions(), |&(command, function)| {
        let world = TestWorld::with(|scene| scene.limits = "panel=1".into());
        let item = world.ready_for(command);
        for function in [function, "paramlist"] {
            world.bill.fail_call(function, CallFault::Unreachable, 20);
        }
        let refusal = Refusal::of(&world.perform(item, command));
        assert_eq!(refusal.kind, Kind::Mgrctl, "{refusal:?}");
        assert!(refusal.value.contains(function), "{refusal:?}");
        let host = world.hosts_of(item).first().map(|host| host.id);
        world.bill.clear_call_faults();
        world.succeed(item, command);
        if let (Some(host), true) = (host, command != "close") {
            assert_eq!(world.host_of(item).id, host, "the same VM");
        }
    });
}

#[test]
fn an_answered_error_is_not_repeated() {
    each(&functions(), |&(command, function)| {
        // Two functions have other ways to reach the goal; they have tests of their own.
        if matches!(function, "vds.open" | "service.saveparam") {
            return;
        }
        for exit in [0, 1] {
            let world = TestWorld::start();
            let item = world.ready_for(command);
            world.bill.fail_call(function, CallFault::Error { exit, kind: "limit".to_owned() }, 1);
            let refusal = world.fail(item, command);
            assert_eq!(refusal.kind, Kind::Mgrctl, "{refusal:?}");
            assert!(refusal.value.contains(function) && refusal.value.contains("limit"), "{refusal:?}");
            let asked = world.bill.calls().iter().filter(|call| call.function == function).count();
            assert_eq!(asked, 1, "{function}");
            let host = world.hosts_of(item).first().map(|host| host.id);
            world.forget();
            world.succeed(item, command);
            assert_eq!(world.hosts_of(item).first().map(|host| host.id), host.filter(|_| command != "close"));
            assert!(!world.mutations().contains(&"POST /vm/v3/host".to_owned()));
        }
    });
}

#[test]
fn a_panel_that_is_away_while_a_failure_is_told() {
    let world = TestWorld::with(|scene| scene.limits = "panel=1".into());
    let item = world.bill.order(&world.usual_order().param("ostempl", "ISPsystem__Plan 9"));
    world.bill.panel_down(None);
    let run = world.perform(item, "open");
    Refusal::of(&run).is(Kind::OsNotFound, "ostempl", &["Plan 9"]);
    world.bill.panel_up();
    assert_eq!(world.bill.running(item)[0].errorxml, None);
    world.fail(item, "open");
}

#[test]
fn parameters_that_vds_open_refuses_are_left_out() {
    let cases = [
        ("one", (vec!["domain"], vec!["ip domain panelid serverid", "ip panelid serverid"])),
        ("two", (vec!["serverid", "panelid"], vec!["ip domain panelid serverid", "ip domain serverid", "ip domain"])),
        (
            "all of them",
            (
                vec!["ip", "domain", "panelid", "serverid"],
                vec!["ip domain panelid serverid", "ip domain serverid", "ip serverid", "ip", ""],
            ),
        ),
    ];
    each(&cases, |(refused, expected)| {
        let world = TestWorld::start();
        let open_refuses = refused.iter().map(ToString::to_string).collect();
        world.bill.behave(Behaviour { open_refuses, ..Behaviour::default() });
        let item = world.ordered();
        world.succeed(item, "open");
        let opens = world.bill.calls().into_iter().filter(|call| call.function == "vds.open");
        let given: Vec<BTreeSet<String>> = opens
            .map(|call| call.params.iter().map(|p| p.name.clone()).filter(|n| n != "elid" && n != "sok").collect())
            .collect();
        let counts: Vec<usize> = expected.iter().map(|names| names.split_whitespace().count()).collect();
        assert_eq!(given.iter().map(BTreeSet::len).collect::<Vec<_>>(), counts, "{given:?}");
        assert_eq!(world.bill.item(item).status, 2);
    });
}

#[test]
fn the_generic_call_is_the_last_resort() {
    let world = TestWorld::start();
    world.bill.fail_call("vds.open", CallFault::Error { exit: 0, kind: "access".to_owned() }, 2);
    let item = world.ordered();
    world.succeed(item, "open");
    let calls: Vec<String> = world.panel_calls().into_iter().filter(|call| call.contains("open")).collect();
    assert_eq!(calls, ["vds.open", "vds.open", "service.postopen"]);
    assert_eq!(world.bill.item(item).status, 2);
}

#[test]
fn both_forms_of_saveparam() {
    let cases = [("form A", SaveParam::FormA), ("form B", SaveParam::FormB), ("both", SaveParam::Both)];
    each(&cases, |&saveparam| {
        let world = TestWorld::start();
        world.bill.behave(Behaviour { saveparam, ..Behaviour::default() });
        let item = world.ordered();
        world.succeed(item, "open");
        let names: Vec<String> = world.bill.params(item).into_keys().collect();
        assert_eq!(
            names,
            ["domain", "ip", "ostempl", "panelid", "serverid", "username", "vmmanager_url"],
            "{saveparam:?}"
        );
        let host = world.host_of(item);
        assert_eq!(world.bill.secret(item, "password"), Some(host.password));
        for call in world.bill.calls() {
            let secrets = ["password", "userpassword"].map(|name| call.origin(name));
            assert!(!secrets.contains(&Some(Origin::Argv)), "{call:?}");
        }
    });
}

#[test]
fn a_panel_that_takes_no_parameters_from_the_environment() {
    for saveparam in [SaveParam::FormA, SaveParam::FormB] {
        let world = TestWorld::start();
        world.bill.behave(Behaviour { no_env_params: true, saveparam, ..Behaviour::default() });
        let item = world.ordered();
        let refusal = world.fail(item, "open");
        assert_eq!(refusal.kind, Kind::Mgrctl, "{refusal:?}");
        assert!(refusal.value.contains("secret_arguments") && world.made_by_module().is_empty(), "{refusal:?}");
        assert!(world.bill.calls().iter().all(|call| call.origin("password") != Some(Origin::Argv)));
        world.waive(Invariant::NoSecret, "the command line is the only way that is left, and the handler allows it");
        world.bill.set_handler(world.handler, "secret_arguments", "on");
        world.succeed(item, "open");
        assert_eq!(world.bill.secret(item, "password"), Some(world.host_of(item).password));
        let log = world.bill.log();
        assert!(log.contains("WARNING") && log.contains("command line only"), "{log}");
    }
}

#[test]
fn a_parameter_that_cannot_be_saved_stops_the_operation_before_the_vm() {
    let world = TestWorld::start();
    world.bill.fail_call("service.saveparam", CallFault::Error { exit: 0, kind: "access".to_owned() }, 20);
    let item = world.ordered();
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::Mgrctl, "{refusal:?}");
    assert!(world.made_by_module().is_empty());
    world.bill.clear_call_faults();
    world.succeed(item, "open");
}
