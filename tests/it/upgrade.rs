//! An installation of 0.1.0 that gets this version: its journal knows no platforms and its VMs have marks without a tag.
//! Whatever its services are asked for first works as before, and from then on they are as if this version had opened them.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use sandbox::bill::Run;

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::service::{ACTIVE, SUSPENDED};
use crate::support::world::TestWorld;

/// The columns of a service in the journal of 0.1.0.
const COLUMNS: &str = "item, client, phase, mark, hash, account, vm, vm_created, task, task_name, restart_operation, \
                       restart_after, restart_task, stopped_again, changed, ended";

/// The mark that 0.1.0 wrote.
fn old_mark(world: &TestWorld, item: u64) -> String {
    let mark = world.mark(item);
    mark.rsplit_once(':').unwrap().0.to_owned()
}

/// Turns journal and marks of a world into what 0.1.0 would have left.
fn set_back(world: &TestWorld, item: u64) {
    let journal = world.bill.root().join("var/pmvmmanager6/journal.db");
    let newer = journal.with_extension("newer");
    Connection::open(&journal).unwrap().pragma_update(None, "journal_mode", "delete").unwrap();
    fs::rename(&journal, &newer).unwrap();
    fs::copy(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compat/journal-2.db"), &journal).unwrap();
    fs::set_permissions(&journal, fs::metadata(&newer).unwrap().permissions()).unwrap();
    let old = Connection::open(&journal).unwrap();
    old.execute("ATTACH ?1 AS newer", [newer.to_str().unwrap()]).unwrap();
    old.execute_batch(&format!(
        "DELETE FROM service; INSERT INTO service ({COLUMNS}) SELECT {COLUMNS} FROM newer.service;
         UPDATE meta SET value = (SELECT value FROM newer.meta WHERE name = 'installation') WHERE name = 'installation';"
    ))
    .unwrap();
    let mark = old_mark(world, item);
    old.execute("UPDATE service SET mark = ?1 WHERE item = ?2", rusqlite::params![mark, item]).unwrap();
    drop(old);
    fs::remove_file(newer).unwrap();
    let host = world.host_of(item).id;
    world.alter(host, |vm| vm.comment = mark);
    // Only the service with whose order the account was made has it.
    world.bill.exec("DELETE FROM itemparam WHERE intname IN ('username', 'vmmanager_url')", &[]);
    world.waive(Invariant::NothingForgotten, "until a VM is touched its mark has no tag");
}

/// A service that 0.1.0 opened, and suspended where `command` ends that.
fn opened_before(command: &str) -> (TestWorld, u64) {
    let world = TestWorld::start();
    let item = world.ready_for(command);
    set_back(&world, item);
    (world, item)
}

fn platform(world: &TestWorld, item: u64) -> Option<u64> {
    let journal = Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    journal.query_row("SELECT platform FROM service WHERE item = ?1", [item], |row| row.get(0)).unwrap()
}

fn account(world: &TestWorld, host: u64) -> u64 {
    world.vmm.look(|platform| platform.hosts[&host].account)
}

#[test]
fn the_first_operation_works_as_before() {
    let commands = ["suspend", "resume", "setparam", "stop", "reboot", "changepassword", "sync_item", "reopen"];
    each(&commands.map(|command| (command, command)), |command| {
        let (world, item) = opened_before(command);
        world.bill.set_addon(item, "ncpu", 4);
        let mark = old_mark(&world, item);
        let vm = world.vmm.look(|platform| platform.host_by_comment(&mark)[0].id);
        match *command {
            "sync_item" => assert_eq!(world.aside(item, command).status, Some(0), "{}", world.bill.log()),
            _ => drop(world.succeed(item, command)),
        }
        assert_eq!(world.host_of(item).id, vm, "its mark has a tag now");
        assert!(platform(&world, item).is_some());
        assert_eq!(world.sizes(vm).0, if *command == "setparam" { 4 } else { 2 });
        let status = if *command == "suspend" { SUSPENDED } else { ACTIVE };
        assert_eq!(world.bill.item(item).status, status);
    });
}

#[test]
fn a_service_is_closed_as_before() {
    let (world, item) = opened_before("close");
    world.succeed(item, "close");
    assert!(world.made_by_module().is_empty());
}

fn ask_link(world: &TestWorld, item: u64) -> Run {
    world.run(&["--command", "transition_controlpanel", "--item", &item.to_string()])
}

#[test]
fn the_client_enters_his_account_as_before() {
    let (world, item) = opened_before("suspend");
    let run = ask_link(&world, item);
    assert_eq!(run.status, Some(0), "{run:#?}");
    let keys = world.mutations();
    let account = world.vmm.look(|platform| platform.account_by_email("alice@example.com").unwrap().id);
    assert_eq!(keys, [format!("POST /auth/v4/user/{account}/key")]);
}

/// Also where the old service is not touched first, and where it is closed later.
#[test]
fn the_next_order_gets_the_same_account() {
    let (world, item) = opened_before("suspend");
    let mark = old_mark(&world, item);
    let vm = world.vmm.look(|platform| platform.host_by_comment(&mark)[0].id);
    let second = world.ordered();
    world.succeed(second, "open");
    assert_eq!(account(&world, world.host_of(second).id), account(&world, vm));
    assert_eq!(platform(&world, item), platform(&world, second));
    world.succeed(item, "close");
    let third = world.ordered();
    world.succeed(third, "open");
    assert_eq!(account(&world, world.host_of(third).id), account(&world, world.host_of(second).id));
    assert_eq!(world.made_by_module().len(), 2);
}
