//! The stored password of a handler goes where it was entered for. Staff with few rights may edit a handler without
//! knowing its password, and past the form too: a server of theirs never hears it.

use pmvmmanager6::error::Kind;
use rusqlite::Connection;
use sandbox::bill::Handler;
use sandbox::vmm::{Certificate, Transport};
use serde_json::Value;

use crate::support::cases::each;
use crate::support::decoy::Decoy;
use crate::support::sites::two;
use crate::support::world::TestWorld;

const PASSWORD: &str = "Adm1n-secret-pass";

/// A server that answers everybody and remembers what it was told.
fn listener() -> Decoy {
    Decoy::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
}

fn drop_sessions(world: &TestWorld) {
    assert_eq!(world.bill.run(&["session", "drop", "--all"]).status, Some(0));
}

fn journal(world: &TestWorld) -> Connection {
    Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap()
}

/// Where passwords were accepted, by address.
fn accepted(world: &TestWorld) -> Vec<String> {
    let journal = journal(world);
    let mut query = journal.prepare("SELECT address FROM password ORDER BY address").unwrap();
    query.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[test]
fn no_command_sends_it_to_another_address() {
    let world = TestWorld::start();
    let item = world.opened();
    let server = listener();
    let (id, service) = (world.handler.to_string(), item.to_string());
    world.bill.slip_into_handler(world.handler, "url", &format!("http://{}", server.address()));
    for command in ["suspend", "setparam", "reopen", "close", "changepassword"] {
        let refusal = world.refuse(item, command);
        refusal.is(Kind::MissingParam, "password", &[&world.vmm.url(), &server.address(), "enter the password again"]);
        world.drop_operations();
    }
    for command in ["get_server_config", "sync_server", "stat", "import", "pricelist_dynamic_settings_tune"] {
        world.bill.run_with_input(&["--command", command, "--module", &id], "<doc/>");
    }
    world.run(&["--command", "transition_controlpanel", "--item", &service]);
    for line in [
        &["doctor"][..],
        &["check-connection", "--module", &id],
        &["verify", "--module", &id],
        &["platform", "--check"],
        &["platform", "confirm", "--module", &id],
        &["platform", "confirm", "--module", &id, "--yes"],
        &["audit"],
        &["show", "--item", &service],
        &["plan", "--item", &service, "--command", "suspend"],
        &["link", "--item", &service, "--vm", "1"],
    ] {
        world.bill.run(line);
    }
    // The form, with what is stored by now.
    let stored = format!(
        "<id>{id}</id><url>http://{}</url><username>admin@example.net</username><password/><cluster>1</cluster>",
        server.address()
    );
    let check = format!("<doc><processingmodule>{stored}</processingmodule></doc>");
    assert_eq!(world.run_with_input(&["--command", "check_connection"], &check).status, Some(1));
    let tune = format!("<doc func='processing.edit'><elid>{id}</elid>{stored}</doc>");
    world.bill.run_with_input(&["--command", "tune_connection"], &tune);
    assert_eq!(server.heard(), [""; 0]);
    assert!(world.bill.log().contains("was not sent"), "{}", world.bill.log());
    // The change taken back, all is as before.
    world.bill.slip_into_handler(world.handler, "url", &world.vmm.url());
    world.succeed(item, "close");
}

#[test]
fn every_change_of_the_way_needs_it_again() {
    let changes = [
        ("another user", ("username", "mallory@example.net")),
        ("no check of the certificate", ("tls_verify", "off")),
        ("another way to check it", ("tls_verify", "system")),
        (
            "another certificate",
            ("tls_fingerprint", "0000000000000000000000000000000000000000000000000000000000000000"),
        ),
    ];
    each(&changes, |(name, value)| {
        let world = TestWorld::with(|scene| scene.vmm.transport = Transport::Tls(Certificate::SelfSigned));
        let item = world.opened();
        world.bill.slip_into_handler(world.handler, name, value);
        world.refuse(item, "suspend").is(Kind::MissingParam, "password", &["enter the password again"]);
        assert_eq!(world.vmm.logins(), 1);
        if *value == "off" {
            world.drop_operations();
            world.bill.set_handler_password(world.handler, PASSWORD);
            world.succeed(item, "suspend");
        }
    });
}

/// A handler that moves to another address is the usual case: the form asks for the password, and all goes on.
#[test]
fn entered_again_it_goes_to_the_new_address() {
    let world = TestWorld::start();
    let item = world.opened();
    world.vmm.move_to(0).unwrap();
    let url = world.vmm.url();
    world.bill.slip_into_handler(world.handler, "url", &url);
    world.refuse(item, "suspend").is(Kind::MissingParam, "password", &[&url]);
    world.drop_operations();
    world.bill.set_handler_password(world.handler, PASSWORD);
    world.succeed(item, "suspend");
    assert!(accepted(&world).contains(&url));
    // A restored database has the old entry, and with it the old address: both still belong together.
    world.succeed(item, "resume");
}

#[test]
fn a_copy_of_the_handler_leads_nowhere_else() {
    let world = TestWorld::with(two);
    world.opened();
    let server = listener();
    let copy = world.bill.add_handler(&Handler::new(&format!("http://{}", server.address()), "a", "b", "1"));
    let (from, to) = (world.handler.to_string(), copy.to_string());
    world.bill.slip_into_handler(copy, "username", "admin@example.net");
    let sql = "UPDATE processingcryptedparam SET value = (SELECT value FROM (SELECT * FROM processingcryptedparam) old \
               WHERE old.processingmodule = ?) WHERE processingmodule = ?";
    world.bill.exec(sql, &[&from, &to]);
    let run = world.run(&["--command", "sync_server", "--module", &to]);
    assert_eq!(run.status, Some(1));
    assert_eq!(server.heard(), [""; 0]);
}

/// An installation that did not remember it: the first place that accepts the password counts from then on.
#[test]
fn the_first_accepted_use_after_an_upgrade_counts() {
    let world = TestWorld::start();
    let item = world.opened();
    journal(&world).execute("DELETE FROM password", []).unwrap();
    drop_sessions(&world);
    world.succeed(item, "suspend");
    assert_eq!(accepted(&world), [world.vmm.url()]);
    let server = listener();
    world.bill.slip_into_handler(world.handler, "url", &format!("http://{}", server.address()));
    world.refuse(item, "resume").is(Kind::MissingParam, "password", &[]);
    assert_eq!(server.heard(), [""; 0]);
}

#[test]
fn only_an_accepted_password_is_remembered() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.bill.set_handler_password(world.handler, "Wrong-pass-77");
    assert_eq!(world.fail(item, "open").kind, Kind::Vm6Auth);
    assert_eq!(accepted(&world), [""; 0]);
    world.bill.set_handler_password(world.handler, PASSWORD);
    world.drop_operations();
    world.succeed(item, "open");
    assert_eq!(accepted(&world), [world.vmm.url()]);
}

/// Who only looks leaves nothing behind.
#[test]
fn looking_is_not_remembered() {
    let world = TestWorld::start();
    let (id, item) = (world.handler.to_string(), world.ordered().to_string());
    for line in [
        &["doctor"][..],
        &["check-connection", "--module", &id],
        &["platform", "--check"],
        &["show", "--item", &item],
        &["plan", "--item", &item],
    ] {
        world.bill.run(line);
    }
    assert!(world.vmm.logins() > 0);
    assert!(!world.bill.root().join("var/pmvmmanager6/journal.db").exists() || accepted(&world).is_empty());
}

/// The journal may be in a backup that others can read.
#[test]
fn the_journal_does_not_tell_which_password_it_is() {
    let world = TestWorld::start();
    world.opened();
    let sql = "SELECT value FROM processingcryptedparam WHERE processingmodule = ?";
    let crypted = world.bill.rows(sql, &[&world.handler.to_string()])[0][0].clone().unwrap();
    let (entry, place): (String, String) = journal(&world)
        .query_row("SELECT entry, place FROM password", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .unwrap();
    let hash = pmvmmanager6::digest::sha256(crypted.as_bytes());
    assert!(entry.len() == 64 && place.len() == 64 && ![&entry, &place].contains(&&hash));
}

#[test]
fn doctor_and_check_connection_say_so() {
    let world = TestWorld::start();
    world.opened();
    let server = listener();
    world.bill.slip_into_handler(world.handler, "url", &format!("http://{}", server.address()));
    let id = world.handler.to_string();
    for line in [["check-connection", "--json", "--module", &id], ["doctor", "--json", "--module", &id]] {
        let run = world.bill.run(&line);
        assert_eq!(run.status, Some(1), "{run:#?}");
        let document: Value = serde_json::from_str(&run.stdout).unwrap();
        let text = document.to_string();
        for part in [r#""check":"password""#, "missing_param", "was not sent", "enter the password again"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}
