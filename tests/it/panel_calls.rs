//! Calls of BILLmanager that end in another way than with a document, a database that is not there yet, and what may be
//! seen of a call from outside [protocol 3.30, 5.1, A12, A13, A16].

use std::fs;
use std::io::{self, Write};
use std::net::TcpListener;
use std::os::unix::fs::symlink;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Output, Stdio};
use std::thread;
use std::time::Duration;

use pmvmmanager6::error::Kind;
use sandbox::bill::{Call, CallFault, Database, Origin, Run};
use sandbox::vmm::Fault;

use crate::support::cases::each;
use crate::support::processes::until;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// Functions that operations call, and the operation.
const CALLED: [(&str, &str); 11] = [
    ("open", "service.saveparam"),
    ("open", "service.ip.add"),
    ("open", "service.ip.add.commit"),
    ("open", "vds.open"),
    ("suspend", "service.postsuspend"),
    ("resume", "service.postresume"),
    ("stop", "service.poststop"),
    ("setparam", "service.postsetparam"),
    ("close", "service.ip.del"),
    ("close", "service.postclose"),
    ("reopen", "service.postreopen"),
];

/// Ways to end without a document, and whether the work is done.
fn silences() -> Vec<(CallFault, bool)> {
    let words = |text: &str, exit| (CallFault::Words { text: text.to_owned(), exit }, false);
    vec![
        (CallFault::LoseAnswer, true),
        (CallFault::Garbage, true),
        (CallFault::Die, false),
        words("", 0),
        words("OK\n", 0),
        words("The operation is done, the service is active\n", 0),
        words("ERROR: access denied\n", 1),
    ]
}

/// The call is made again exactly when it was not carried out.
#[track_caller]
fn assert_made(world: &TestWorld, function: &str, is_done: bool, what: &str) {
    let calls = world.bill.calls();
    let made = calls.iter().filter(|call| call.function == function);
    // `service.saveparam` is called for each of several parameters.
    let distinct = |calls: Vec<&Call>| {
        let mut seen: Vec<_> = calls.iter().map(|call| format!("{:?}", call.params)).collect();
        seen.sort();
        let all = seen.len();
        seen.dedup();
        (all, seen.len())
    };
    let (all, different) = distinct(made.collect());
    assert_eq!(all - different, usize::from(!is_done), "{what}\n{}", world.bill.log());
}

#[test]
fn what_has_no_document_is_looked_up_and_made_again() {
    let mut cases = Vec::new();
    for (command, function) in CALLED {
        cases.extend(silences().into_iter().map(|silence| (function, (command, function, silence))));
    }
    each(&cases, |(command, function, (fault, is_done))| {
        let world = TestWorld::start();
        let item = world.ready_for(command);
        world.bill.fail_call(function, fault.clone(), 1);
        world.succeed(item, command);
        assert_made(&world, function, *is_done, &format!("{function} {fault:?}"));
    });
}

/// Somebody runs it by hand: that no operation is left says nothing about the change of tariff.
#[test]
fn a_change_of_tariff_without_an_operation_is_looked_up() {
    for (fault, is_done) in silences() {
        let world = TestWorld::start();
        let item = world.opened();
        world.bill.change_tariff(item, world.tariffs.medium);
        world.drop_operations();
        world.forget();
        world.bill.fail_call("service.postsetparam", fault.clone(), 1);
        let run = world.run(&["--command", "setparam", "--item", &item.to_string()]);
        assert_eq!(run.status, Some(0), "{fault:?}: {run:?}\n{}", world.bill.log());
        assert_eq!(world.bill.item(item).lastpricelist, None, "{fault:?}\n{}", world.bill.log());
        assert_made(&world, "service.postsetparam", is_done, &format!("{fault:?}"));
    }
}

#[test]
fn an_mgrctl_that_does_not_end() {
    let faults = [(CallFault::Hang { done: false }, false), (CallFault::Hang { done: true }, true)];
    let mut cases = Vec::new();
    for function in ["service.saveparam", "service.ip.add", "vds.open"] {
        cases.extend(faults.clone().map(|(fault, is_done)| (function, (function, fault, is_done))));
    }
    each(&cases, |(function, fault, is_done)| {
        let world = TestWorld::with(|scene| "call=2".clone_into(&mut scene.limits));
        let item = world.ordered();
        world.bill.fail_call(function, fault.clone(), 1);
        world.succeed(item, "open");
        assert_made(&world, function, *is_done, &format!("{function} {fault:?}"));
    });
}

/// A daemon that a wrapper of `mgrctl` starts may live for ever; it does as long as the world is there.
#[test]
fn an_mgrctl_that_leaves_a_child_with_its_pipes() {
    let world = TestWorld::start();
    let item = world.ordered();
    for function in ["service.ip.add", "vds.open"] {
        world.bill.fail_call(function, CallFault::LeavePipesOpen, 1);
    }
    world.succeed(item, "open");
    for function in ["service.ip.add", "vds.open"] {
        assert_eq!(world.bill.calls().iter().filter(|call| call.function == function).count(), 1, "{function}");
    }
}

#[test]
fn a_call_that_alone_has_no_answer_is_reported() {
    let world = TestWorld::with(|scene| "panel=1".clone_into(&mut scene.limits));
    let item = world.opened();
    world.bill.fail_call("service.postsuspend", CallFault::Words { text: "panic at 0x0".to_owned(), exit: 1 }, 99);
    let refusal = world.fail(item, "suspend");
    refusal.is(Kind::Mgrctl, "service.postsuspend", &["without an XML answer", "panic at 0x0"]);
    world.bill.clear_call_faults();
    world.succeed(item, "suspend");
}

#[test]
fn an_import_whose_answer_is_lost_makes_one_service() {
    for fault in [CallFault::LoseAnswer, CallFault::Die] {
        let world = TestWorld::start();
        let owner = world.vmm.change(|platform| platform.add_account("dave@example.com", "Pass-of-dave-1", "@user"));
        let host = world.make_by_hand("brought", owner);
        world.bill.fail_call("processing.import.service", fault.clone(), 1);
        let handler = world.handler.to_string();
        let run = world.run(&["--command", "import", "--module", &handler, "--itemtype", "vds"]);
        assert_eq!(run.status, Some(0), "{fault:?}: {run:?}\n{}", world.bill.log());
        let sql = "SELECT item FROM itemparam WHERE intname = 'panelid' AND value = ?";
        assert_eq!(world.bill.rows(sql, &[&host.to_string()]).len(), 1, "{fault:?}");
    }
}

#[test]
fn an_argument_list_shows_nothing_about_people() {
    let world = TestWorld::start();
    let item = world.bill.order(&world.usual_order().param("domain", "secret-project.example.com"));
    world.vmm.fault(Fault::on("*", "/vm/v3/os").always());
    let refusal = world.fail(item, "open");
    assert_eq!(refusal.kind, Kind::Vm6Connect);
    world.vmm.clear_faults();
    world.bill.exec("UPDATE runningoperation SET trycount = 10", &[]);
    world.bill.set_param(item, "ostempl", "ISPsystem__Plan 9 of alice@example.com");
    world.fail(item, "open");
    world.bill.set_param(item, "ostempl", "ISPsystem__Debian 12");
    world.succeed(item, "open");
    let address = world.used_slots(item).remove(0);
    let calls = world.bill.calls();
    for call in &calls {
        let shown = call.argv.join(" ");
        for secret in ["@", "secret-project", address.as_str(), "Plan 9", "INFO", "VMmanager"] {
            assert!(!shown.contains(secret), "{secret}: {shown}");
        }
    }
    for (function, param) in [("runningoperation.edit", "errorxml"), ("task.edit", "params"), ("vds.open", "ip")] {
        let call = calls.iter().find(|call| call.function == function).unwrap();
        assert_eq!(call.origin(param), Some(Origin::Env), "{function}");
    }
    assert_eq!(world.bill.problems().len(), 1);
}

/// Starts `open` while the database's socket is missing or refuses, and lets the server come when that was noticed.
fn while_the_database_is_away(arrange: impl FnOnce(&Path)) {
    let world = TestWorld::with(|scene| {
        scene.bill.database = Database::MariaDb;
        "database=60".clone_into(&mut scene.limits);
    });
    let item = world.ordered();
    let operation = world.bill.running(item)[0].id;
    let file = world.bill.root().join("etc/billmgr.conf.d/db.conf");
    let options = fs::read_to_string(&file).unwrap();
    let real = options.lines().find_map(|line| line.strip_prefix("DBSocket ")).unwrap().to_owned();
    let socket = world.bill.root().join("var/db.sock");
    fs::write(&file, options.replace(&real, &socket.display().to_string())).unwrap();
    arrange(&socket);
    let child = world.begin(item, "open", operation);
    until("the module waits for its database", || world.bill.log().contains("trying again").then_some(()));
    _ = fs::remove_file(&socket);
    symlink(&real, &socket).unwrap();
    world.all_succeed(vec![child]);
    assert_eq!(world.bill.item(item).status, 2);
}

#[test]
fn a_database_that_starts_late_is_waited_for() {
    while_the_database_is_away(|_| ());
    while_the_database_is_away(|socket| drop(UnixListener::bind(socket).unwrap()));
}

/// Over TCP a server that is not there yet refuses the connection; later somebody passes on what is said to its port.
#[test]
fn a_database_on_another_host_that_starts_late_is_waited_for() {
    let world = TestWorld::with(|scene| {
        scene.bill.database = Database::MariaDb;
        "database=60".clone_into(&mut scene.limits);
    });
    let item = world.ordered();
    let operation = world.bill.running(item)[0].id;
    let file = world.bill.root().join("etc/billmgr.conf.d/db.conf");
    let options = fs::read_to_string(&file).unwrap();
    let socket = options.lines().find_map(|line| line.strip_prefix("DBSocket ")).unwrap().to_owned();
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    world.bill.hide_options(&["DBHost", "DBSocket"]);
    fs::write(&file, fs::read_to_string(&file).unwrap() + &format!("DBHost {address}\n")).unwrap();
    let child = world.begin(item, "open", operation);
    until("the module waits for its database", || world.bill.log().contains("trying again").then_some(()));
    let listener = TcpListener::bind(address).unwrap();
    thread::spawn(move || {
        for there in listener.incoming().flatten() {
            let server = UnixStream::connect(&socket).unwrap();
            let (mut from, mut into) = (there.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || io::copy(&mut from, &mut into));
            thread::spawn(move || io::copy(&mut &server, &mut &there));
        }
    });
    world.all_succeed(vec![child]);
    assert_eq!(world.bill.item(item).status, 2);
}

#[test]
fn what_the_files_leave_out_is_asked_of_the_panel() {
    let world = TestWorld::on(Database::MariaDb);
    for names in [&["DBPassword"][..], &["DBUser", "DBPassword"], &["DBName", "DBSocket"], &["DBHost"]] {
        let file = world.bill.root().join("etc/billmgr.conf.d/db.conf");
        let options = fs::read_to_string(&file).unwrap();
        world.bill.hide_options(names);
        let item = world.ordered();
        world.succeed(item, "open");
        fs::write(&file, options).unwrap();
    }
    world.forget();
    let item = world.ordered();
    world.succeed(item, "open");
    assert!(!world.panel_calls().contains(&"paramlist".to_owned()), "complete files are enough");
}

/// Runs a question with more on standard input than a pipe holds; fails when the module does not take it.
fn asked(world: &TestWorld, arguments: &[&str], input: &[u8]) -> Output {
    let mut child = world.bill.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).expect("the module reads standard input to its end");
    child.wait_with_output().unwrap()
}

#[test]
fn questions_take_what_the_panel_writes() {
    let world = TestWorld::start();
    let item = world.opened().to_string();
    let long = format!("<doc>{}</doc>", "<param name='x'>y</param>".repeat(20_000));
    for command in ["check_param", "check_addon"] {
        for input in [long.as_bytes(), &b"\xff not XML".repeat(30_000)] {
            let arguments = ["--command", command, "--item", &item, "--param", "domain", "--value", "a.example.com"];
            assert_eq!(asked(&world, &arguments, input).status.code(), Some(0), "{command}");
        }
        let refused =
            asked(&world, &["--command", "check_param", "--param", "domain", "--value", "-"], long.as_bytes());
        Refusal::of(&Run::new(&refused, Duration::ZERO)).is(Kind::BadParam, "domain", &[]);
    }
}
