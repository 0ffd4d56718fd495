//! What an opening looks through before it asks for a VM: nothing but the name where nobody can have asked for one, and all
//! VMs where that is not known.

use std::fs;
use std::path::PathBuf;

use pmvmmanager6::error::Kind;
use rusqlite::Connection;
use sandbox::vmm::{ClientEdit, Lists, NameFilters};

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

/// A world whose VMmanager has many VMs of others, in which something was opened since the machine was started, and a new order.
fn with_an_order(others: u64) -> (TestWorld, u64) {
    let world = TestWorld::start();
    for n in 0..others {
        world.make_by_hand(&format!("other{n}"), 1);
    }
    world.opened();
    let item = world.ordered();
    world.forget();
    (world, item)
}

/// What an opening asks until it asks for the VM.
fn asked_before(world: &TestWorld) -> Vec<String> {
    let requests = world.requests().into_iter().map(|it| format!("{} {}", it.method, it.path));
    requests.take_while(|asked| asked != "POST /vm/v3/host").collect()
}

/// Whether the list of all VMs was read.
fn has_searched(world: &TestWorld) -> bool {
    world.requests().iter().any(|it| it.path == "/vm/v3/host" && it.query.contains("limit=0,500"))
}

fn state(world: &TestWorld, file: &str) -> PathBuf {
    world.bill.root().join("var/pmvmmanager6").join(file)
}

fn execute(world: &TestWorld, file: &str, sql: &str) {
    assert_eq!(Connection::open(state(world, file)).unwrap().execute(sql, []).unwrap(), 1, "{sql}");
}

#[test]
fn a_new_order_costs_the_same_on_every_platform() {
    let asked = [2, 700].map(|others| {
        let (world, item) = with_an_order(others);
        world.succeed(item, "open");
        assert!(!has_searched(&world));
        asked_before(&world)
    });
    assert_eq!(asked[0], asked[1]);
    assert_eq!(asked[0].iter().filter(|asked| *asked == "GET /vm/v3/host").count(), 2, "{asked:#?}");
}

/// What is lost of what we know; the last argument is the journal as it was before the VM was asked for.
type Lose = fn(&TestWorld, u64, &[u8]);

fn restore(world: &TestWorld, _: u64, before: &[u8]) {
    fs::write(state(world, "journal.db"), before).unwrap();
}

/// A VM was asked for, its id never arrived, and its owner has renamed it: only its mark leads to it.
#[test]
fn a_vm_that_was_asked_for_is_found_whatever_was_lost() {
    let cases: [(&str, Lose); 8] = [
        ("nothing", |_, _, _| ()),
        ("the journal", |world, _, _| fs::remove_file(state(world, "journal.db")).unwrap()),
        ("a row of the journal", |world, item, _| {
            execute(world, "journal.db", &format!("DELETE FROM service WHERE item = {item}"));
        }),
        ("the newest part of the journal", restore),
        ("the same, by another file", |world, item, before| {
            fs::remove_file(state(world, "journal.db")).unwrap();
            restore(world, item, before);
        }),
        ("the same, and the machine was started again", |world, item, before| {
            restore(world, item, before);
            fs::remove_dir_all(state(world, "run")).unwrap();
        }),
        ("the same, where the runtime directory is on a disk", |world, item, before| {
            restore(world, item, before);
            execute(world, "run/runtime.db", "UPDATE witness SET boot = 'another'");
        }),
        ("the same, and the runtime state is damaged", |world, item, before| {
            restore(world, item, before);
            fs::write(state(world, "run/runtime.db"), [7; 5000]).unwrap();
        }),
    ];
    each(&cases, |lose| {
        let (world, item) = with_an_order(3);
        let before = fs::read(state(&world, "journal.db")).unwrap();
        assert!(world.killed_at(item, "open", &[], "create.after_request"));
        let host = world.host_of(item).id;
        let name = Some("shop".to_owned());
        assert!(world.vmm.client_edits(host, &ClientEdit { name, ..ClientEdit::default() }));
        world.waive(Invariant::NothingForgotten, "the journal is lost");
        lose(&world, item, &before);
        world.forget();
        world.succeed(item, "open");
        assert_eq!(world.host_of(item).id, host);
        assert!(has_searched(&world));
    });
}

/// An order that waited while the machine was started again is older than the witness.
#[test]
fn an_older_order_is_searched_for_once() {
    let (world, item) = with_an_order(3);
    fs::remove_dir_all(state(&world, "run")).unwrap();
    world.succeed(item, "open");
    assert!(has_searched(&world));
    let next = world.ordered();
    world.forget();
    world.succeed(next, "open");
    assert!(!has_searched(&world));
}

#[test]
fn a_build_without_filters_by_name_is_searched() {
    for name_filters in [NameFilters::Ignored, NameFilters::Refused] {
        let (world, item) = with_an_order(3);
        world.vmm.change(|platform| platform.lists = Lists { name_filters, ..Lists::default() });
        world.succeed(item, "open");
        assert!(has_searched(&world), "{name_filters:?}");
    }
}

/// The whole machine was brought back as it was, its memory too: nothing of ours knows of the VM.
#[test]
fn a_vm_with_our_name_is_looked_at() {
    let brought_back = || {
        let (world, item) = with_an_order(3);
        let alice = world.vmm.look(|platform| platform.account_by_email("alice@example.com").unwrap().id);
        let (host, mark) = (world.make_by_hand(&format!("vps{item}"), alice), world.mark(item));
        world.alter(host, |host| host.comment.clone_from(&mark));
        (world, item, host)
    };
    let (world, item, host) = brought_back();
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).id, host);

    let (world, item, host) = brought_back();
    let (other, mark) = (world.make_by_hand("copy", 1), world.mark(item));
    world.alter(other, |host| host.comment.clone_from(&mark));
    let refusal = world.fail(item, "open");
    refusal.is(Kind::Vm6Foreign, &mark, &[&host.to_string(), &other.to_string()]);
    world.alter(other, |host| host.comment.clear());
    world.succeed(item, "open");
    assert_eq!(world.host_of(item).id, host);
}

/// A plan neither asks nor notes that it has asked.
#[test]
fn a_plan_leaves_a_new_order_new() {
    let (world, item) = with_an_order(3);
    let plan = world.run(&["plan", "--item", &item.to_string(), "--command", "open"]);
    assert_eq!(plan.status, Some(0), "{plan:#?}");
    world.forget();
    world.succeed(item, "open");
    assert!(!has_searched(&world));
}
