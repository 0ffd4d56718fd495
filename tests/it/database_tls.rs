//! BILLmanager's database on another host: whether what is said to it is encrypted, and to whom it is said.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use sandbox::bill::{Database, Demand, Listener, Run};
use sandbox::vmm::Certificate;

use crate::support::world::TestWorld;

fn remote() -> TestWorld {
    TestWorld::on(Database::Remote)
}

/// A question that needs the database, and fails.
#[track_caller]
fn refused(world: &TestWorld) -> String {
    let run = world.bill.run(&["doctor"]);
    assert!(database(&run).starts_with("error"), "{run:#?}");
    assert!(!world.bill.log().contains("trying again"), "nobody waits for what will not pass:\n{}", world.bill.log());
    run.stdout
}

/// What doctor says of the database.
fn database(run: &Run) -> &str {
    run.stdout.lines().find(|line| line.contains("  database  ")).unwrap_or_default()
}

fn contains(heard: &[u8], word: &str) -> bool {
    heard.windows(word.len()).any(|part| part == word.as_bytes())
}

fn path(file: &Path) -> &str {
    file.to_str().unwrap()
}

#[test]
fn a_server_that_demands_tls_says_what_to_write() {
    let world = remote();
    let item = world.ordered();
    world.succeed(item, "open");
    for demand in [Demand::User, Demand::Everybody] {
        world.bill.database_demands_tls(demand);
        let text = refused(&world);
        assert!(text.contains("REQUIRE SSL") && text.contains("Pmvmmanager6DBTLS system"), "{text}");
    }
    let authority = world.bill.database_authority();
    for demand in [Demand::User, Demand::Everybody] {
        world.bill.database_demands_tls(demand);
        world.bill.database_is_at(world.bill.database_address(), Some(path(&authority)));
        let item = world.ordered();
        world.succeed(item, "open");
        world.succeed(item, "suspend");
    }
}

/// Whoever listens hears the user's name, statements and answers; with TLS he does not.
#[test]
fn who_listens_on_the_way_hears_nothing() {
    let world = remote();
    let authority = world.bill.database_authority();
    for (tls, is_heard) in [(None, true), (Some("off"), true), (Some(path(&authority)), false)] {
        let listener = Listener::on_the_way_to(world.bill.database_address(), false).unwrap();
        world.bill.database_is_at(listener.address(), tls);
        let item = world.ordered();
        world.succeed(item, "open");
        let heard = listener.heard();
        assert!(!heard.is_empty());
        for word in ["billmgr1", "SELECT", "itemparam"] {
            assert_eq!(contains(&heard, word), is_heard, "{tls:?}: {word}");
        }
    }
}

/// Where TLS is demanded, somebody who takes the offer out of the server's greeting hears no word.
#[test]
fn who_takes_the_offer_out_gets_no_login() {
    let world = remote();
    let authority = world.bill.database_authority();
    for tls in ["system", path(&authority)] {
        let listener = Listener::on_the_way_to(world.bill.database_address(), true).unwrap();
        world.bill.database_is_at(listener.address(), Some(tls));
        let text = refused(&world);
        assert!(text.contains("offers no TLS") && text.contains("no login was sent"), "{text}");
        let goodbye = [1, 0, 0, 0, 1];
        assert!(listener.heard().chunks(goodbye.len()).all(|packet| packet == goodbye), "{:?}", listener.heard());
    }
}

#[test]
fn a_certificate_that_is_not_accepted_gets_no_login() {
    let world = remote();
    let foreign = world.bill.root().join("etc/foreign.pem");
    fs::copy(world.bill.database_authority(), &foreign).unwrap();
    // From now on another one signs.
    assert!(world.bill.database_shows(Certificate::Signed));
    let own = world.bill.database_authority();
    let system = PathBuf::from("system");
    for (shown, trusted, why) in [
        (Certificate::Signed, &foreign, "BadSignature"),
        (Certificate::Signed, &system, "UnknownIssuer"),
        (Certificate::WrongHost, &own, "vm6.elsewhere.example"),
        (Certificate::Expired, &own, "expired"),
    ] {
        if !world.bill.database_shows(shown) {
            assert_eq!(shown, Certificate::Expired);
            continue;
        }
        let listener = Listener::on_the_way_to(world.bill.database_address(), false).unwrap();
        world.bill.database_is_at(listener.address(), Some(path(trusted)));
        let text = refused(&world);
        for part in [why, "SHA-256 ", "issued by CN=Sandbox intermediate", "pretends to be the server", "127.0.0.1"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(!contains(&listener.heard(), "billmgr1"));
    }
    assert!(world.bill.database_shows(Certificate::Signed));
    world.bill.database_is_at(world.bill.database_address(), Some(path(&own)));
    let item = world.ordered();
    world.succeed(item, "open");
}

#[test]
fn the_system_s_authorities_count() {
    let place = tempfile::tempdir().unwrap();
    let bundle = place.path().join("bundle.pem");
    let world = TestWorld::with(|scene| {
        scene.bill.database = Database::Remote;
        scene.bill.environment.push(("SSL_CERT_FILE".to_owned(), path(&bundle).to_owned()));
    });
    fs::copy(world.bill.database_authority(), &bundle).unwrap();
    world.bill.database_demands_tls(Demand::Everybody);
    world.bill.database_is_at(world.bill.database_address(), Some("system"));
    let item = world.ordered();
    world.succeed(item, "open");
}

/// What cannot be understood is never taken for "no TLS".
#[test]
fn an_option_that_is_not_understood_is_no_permission() {
    let world = remote();
    let open = world.bill.root().join("etc/open.pem");
    fs::copy(world.bill.database_authority(), &open).unwrap();
    fs::set_permissions(&open, Permissions::from_mode(0o666)).unwrap();
    let gone = world.bill.root().join("etc/gone.pem");
    let empty = world.bill.root().join("etc/empty.pem");
    fs::write(&empty, "").unwrap();
    for (value, why) in [
        ("", "no way to check"),
        ("on", "no way to check"),
        ("ca.pem", "no way to check"),
        (path(&open), "can be changed"),
        (path(&gone), "No such file"),
        (path(&empty), "UnknownIssuer"),
    ] {
        let listener = Listener::on_the_way_to(world.bill.database_address(), false).unwrap();
        world.bill.database_is_at(listener.address(), Some(value));
        let text = refused(&world);
        assert!(text.contains(why), "{value}: {text}");
        assert!(!contains(&listener.heard(), "billmgr1"));
    }
}

#[test]
fn doctor_says_whether_the_connection_is_encrypted() {
    let world = remote();
    let authority = world.bill.database_authority();
    let here = world.bill.database_address();
    // No address of this machine's loop, and yet it leads here.
    let there = format!("0.0.0.0:{}", here.port());
    let cases = [
        (here.to_string(), Some(path(&authority)), "ok", "over TLS"),
        (here.to_string(), None, "ok", "server "),
        (there.clone(), None, "warning", "not encrypted"),
        (there, Some("off"), "note", "not encrypted"),
    ];
    for (host, tls, level, text) in cases {
        world.bill.database_is_at(&host, tls);
        let run = world.bill.run(&["doctor"]);
        let line = database(&run);
        assert!(line.starts_with(level) && line.contains(text), "{host} {tls:?}: {}", run.stdout);
    }
}
