//! No secret anywhere but where it is needed: the whole life of services at the highest log level, then a search.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use pmvmmanager6::digest::sha256;
use pmvmmanager6::error::Kind;
use pmvmmanager6::wire;
use sandbox::bill::{Database, Order};
use sandbox::vmm::{Action, Certificate, Fault, Transport};

use crate::support::cases::each;
use crate::support::invariants::{Invariant, assert_no_secret};
use crate::support::refusal::Refusal;
use crate::support::service::KEY;
use crate::support::world::TestWorld;

/// Everything that can happen to secrets: generated, ordered, changed, refused, repeated, lost.
fn live(world: &TestWorld) {
    let generated = world.opened();
    let order = Order { client: world.bob, ..world.usual_order() };
    let ordered = world.bill.order(&order.secret("password", "Ordered-pass-4711").secret("ssh_key", KEY));
    world.vmm.fault(Fault::on("POST", "/vm/v3/account").act(Action::LoseAnswer));
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::LoseAnswer));
    world.succeed(ordered, "open");
    world.succeed(generated, "changepassword");
    // An error body that repeats what it was sent.
    let echo = r#"{"error": {"code": 3004, "msg": "Invalid property password", "value": {"property": "password"}}}"#;
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/password").act(Action::Status { code: 400, body: echo.into() }));
    world.fail(ordered, "changepassword");
    for command in ["suspend", "resume"] {
        world.vmm.expire_sessions();
        world.drop_operations();
        world.succeed(generated, command);
    }
    let unopened = world.bill.order(&world.usual_order().secret("password", "short"));
    assert_eq!(Refusal::of(&world.perform(unopened, "open")).value.matches("short").count(), 0);
    world.succeed(generated, "close");
}

#[test]
fn a_whole_life_on_every_database_and_transport() {
    let cases = [
        ("SQLite", (Database::Sqlite, Transport::Plain)),
        ("MariaDB", (Database::MariaDb, Transport::Plain)),
        ("TLS", (Database::Sqlite, Transport::Tls(Certificate::Signed))),
    ];
    each(&cases, |&(database, transport)| {
        let world = TestWorld::with(|scene| {
            scene.bill.database = database;
            scene.vmm.transport = transport;
        });
        live(&world);
        let log = world.bill.log();
        assert!(log.contains("EXTINFO") && log.contains("POST /vm/v3/host"), "the log is at its highest level: {log}");
    });
}

#[test]
fn a_login_that_is_refused_does_not_show_the_password() {
    let world = TestWorld::start();
    let item = world.ordered();
    world.vmm.change(|platform| platform.accounts.get_mut(&1).unwrap().password = "Another-password-1".into());
    world.fail(item, "open");
    let handler = world.bill.rows("SELECT value FROM processingcryptedparam", &[])[0][0].clone().unwrap();
    let password = world.bill.decrypt(&handler);
    assert_eq!(password, "Adm1n-secret-pass");
    let shown = format!("{:?}{}{:?}", world.runs(), world.bill.log(), world.bill.problems());
    assert!(!shown.contains(&password), "{shown}");
}

#[test]
fn a_login_link_is_printed_and_kept_nowhere() {
    let world = TestWorld::start();
    let item = world.opened();
    let run = world.bill.run(&["--command", "transition_controlpanel", "--item", &item.to_string()]);
    assert_eq!(run.status, Some(0), "{run:?}");
    let answer = wire::parse(run.stdout.as_bytes()).unwrap();
    let url = answer.value("url");
    let key = url.rsplit('/').next().unwrap_or_default();
    assert!(url.starts_with(&world.vmm.url()) && key.len() > 10, "{url}");
    assert!(!world.bill.log().contains(key) && !run.stderr.contains(key));
    assert!(world.bill.calls().is_empty());
}

#[test]
fn files_are_for_their_owner_only() {
    let world = TestWorld::start();
    world.opened();
    let var = world.bill.root().join("var");
    let mode = |path: &str| fs::metadata(var.join(path)).unwrap().permissions().mode() & 0o7777;
    for directory in ["pmvmmanager6", "pmvmmanager6/run"] {
        assert_eq!(mode(directory), 0o700, "{directory}");
    }
    for file in ["pmvmmanager6.log", "pmvmmanager6/journal.db", "pmvmmanager6/run/runtime.db"] {
        assert_eq!(mode(file), 0o600, "{file}");
    }
}

#[test]
fn the_handlers_password_is_kept_sealed_for_the_next_run_and_for_this_key_only() {
    let world = TestWorld::start();
    let item = world.opened();
    let directory = world.bill.root().join("var/pmvmmanager6/run/opened");
    let kept = || -> Vec<PathBuf> { fs::read_dir(&directory).unwrap().map(|file| file.unwrap().path()).collect() };
    let files = kept();
    assert_eq!(files.len(), 1, "one value, however many runs: {files:?}");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&directory), mode(&files[0])), (0o700, 0o600));
    // What was torn is renewed, and what nobody can write costs nothing but time.
    let whole = fs::read(&files[0]).unwrap();
    for torn in [&[][..], &whole[..whole.len() / 2], b"something else, and longer than what was there"] {
        fs::write(&files[0], torn).unwrap();
        world.vmm.expire_sessions();
        assert!(world.aside(item, "sync_item").done);
        assert_eq!(fs::read(&files[0]).unwrap().len(), whole.len());
    }
    fs::remove_dir_all(&directory).unwrap();
    fs::write(&directory, "in the way").unwrap();
    assert!(world.aside(item, "sync_item").done);
    fs::remove_file(&directory).unwrap();
    assert!(world.aside(item, "sync_item").done && kept() == files);
    // Another key cannot open the value, and is not helped to.
    let elsewhere = TestWorld::with(|scene| scene.bill.installation = 1);
    let key = |world: &TestWorld| world.bill.root().join("etc/billmgr.pem");
    fs::copy(key(&elsewhere), key(&world)).unwrap();
    for invariant in [Invariant::NothingForgotten, Invariant::NoSecret] {
        world.waive(invariant, "the key of marks and secrets is gone");
    }
    world.refuse(item, "stop").is(Kind::BadParam, "password", &["another etc/billmgr.pem"]);
}

/// Others repeat what a run has told them, in whatever they say and however they spell it.
#[test]
fn what_others_repeat_is_masked() {
    let world = TestWorld::start();
    let (admin, ordered) = ("Adm1n-secret-pass", "Ordered \"pass\" & more");
    let quoted = serde_json::json!({ "password": ordered, "admin": admin }).to_string();
    let text = format!("script {ordered}; body {quoted}; {}", serde_json::json!({ "body": quoted }));
    for text in [text.clone(), format!("{}{ordered}", "x".repeat(2000 - ordered.len() / 2))] {
        let item = world.bill.order(&world.usual_order().secret("password", ordered));
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::FailTask { word: "failed", text }));
        let refusal = world.fail(item, "open");
        let said = format!("{refusal:?}{:?}{}", world.runs(), world.bill.log());
        for part in ["Ordered", "pass\\", "& more", admin] {
            assert!(!said.contains(part), "{part}: {said}");
        }
        assert!(refusal.value.contains("***") || refusal.value.contains("xxx"), "{refusal:?}");
    }
    let said = serde_json::json!({ "code": 1, "msg": format!("no such thing: {admin}"), "value": { "x": admin } });
    let body = serde_json::json!({ "error": said }).to_string();
    let item = world.opened();
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").always().act(Action::Status { code: 400, body }));
    let refusal = world.fail(item, "stop");
    assert!(refusal.value.contains("no such thing: ***") && !refusal.value.contains(admin), "{refusal:?}");
}

/// A token or a key that came in an answer that is no answer.
#[test]
fn secrets_of_unreadable_answers_are_not_quoted() {
    for (path, command) in [("/auth/v4/public/token", "sync_item"), ("/auth/v4/user/*/key", "transition_controlpanel")]
    {
        let world = TestWorld::start();
        let item = world.opened().to_string();
        world.vmm.expire_sessions();
        for body in [
            r#"{"token": "T0ken-4711-secret", "key": "T0ken-4711-secret", "#,
            r#"{"token": {"x": "T0ken-4711-secret"}, "key": ["T0ken-4711-secret"]}"#,
        ] {
            world.vmm.fault(Fault::on("POST", path).always().act(Action::Status { code: 200, body: body.into() }));
            let run = world.run(&["--command", command, "--item", &item]);
            assert_eq!(run.status, Some(1), "{run:#?}");
            let said = format!("{run:?}{}", world.bill.log());
            assert!(!said.contains("T0ken-4711"), "{said}");
            world.vmm.clear_faults();
        }
    }
}

/// Who has a copy of `runtime.db` cannot try passwords on it: all of it is made with the panel's key.
#[test]
fn a_session_belongs_to_the_panels_key() {
    let world = TestWorld::start();
    let item = world.opened();
    let logins = || world.vmm.requests().iter().filter(|request| request.path == "/auth/v4/public/token").count();
    assert!(world.aside(item, "sync_item").done);
    assert_eq!(logins(), 0, "the session is kept");
    let runtime = world.bill.root().join("var/pmvmmanager6/run/runtime.db");
    let kept = rusqlite::Connection::open(&runtime).unwrap();
    let identity: String = kept.query_row("SELECT identity FROM session", [], |row| row.get(0)).unwrap();
    let parts = [world.vmm.url().as_str(), "admin@example.net", "Adm1n-secret-pass", "System"]
        .map(|part| sha256(part.as_bytes()));
    assert_ne!(identity, sha256(parts.concat().as_bytes()), "anybody could have made it from the password");
    // The same handler under another key of the panel.
    let elsewhere = TestWorld::with(|scene| scene.bill.installation = 1);
    let key = |world: &TestWorld| world.bill.root().join("etc/billmgr.pem");
    fs::copy(key(&elsewhere), key(&world)).unwrap();
    let password = elsewhere.bill.encrypt("Adm1n-secret-pass");
    world.bill.exec("UPDATE processingcryptedparam SET value = ?", &[&password]);
    for invariant in [Invariant::NothingForgotten, Invariant::NoSecret] {
        world.waive(invariant, "the key of marks and secrets is another one");
    }
    world.aside(item, "sync_item");
    assert_eq!(logins(), 1, "a session of another key is none");
}

/// SECURITY.md says what a stolen copy of the state reveals: of clients only the numbers, addresses and names of their VMs.
#[test]
fn the_state_does_not_name_clients() {
    let world = TestWorld::start();
    let item = world.opened_as(&world.usual_order().ips(2).param("domain", "old.example.com"));
    world.bill.set_param(item, "domain", "new.example.com");
    for command in ["setparam", "suspend", "resume"] {
        world.succeed(item, command);
    }
    let handler = world.handler.to_string();
    for command in ["stat", "get_server_config", "sync_server"] {
        assert_eq!(world.run(&["--command", command, "--module", &handler]).status, Some(0));
    }
    assert_eq!(world.bill.run(&["verify", "--module", &handler]).status, Some(0));
    let name =
        world.bill.rows("SELECT name FROM account WHERE id = ?", &[&world.alice.to_string()])[0][0].clone().unwrap();
    let email =
        world.bill.rows("SELECT email FROM user WHERE account = ?", &[&world.alice.to_string()])[0][0].clone().unwrap();
    let mut seen = Vec::new();
    let mut open = vec![world.bill.root().join("var/pmvmmanager6")];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                open.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            for text in [&name, &email] {
                let found = bytes.windows(text.len()).any(|window| window == text.as_bytes());
                assert!(!found, "{text} is in {}", path.display());
            }
            seen.push(path.file_name().unwrap().to_string_lossy().into_owned());
        }
    }
    for file in ["journal.db", "runtime.db", "metrics.json", &format!("verify-{handler}.json")] {
        assert!(seen.iter().any(|name| name == file), "{file}: {seen:?}");
    }
}

/// The search itself: a secret that does lie about is found.
#[test]
fn the_search_finds_what_is_there() {
    let world = TestWorld::start();
    let item = world.opened();
    assert_no_secret(&world);
    let password = world.host_of(item).password;
    fs::write(world.bill.root().join("var/pmvmmanager6/leak"), format!("x{password}y")).unwrap();
    assert!(catch_unwind(AssertUnwindSafe(|| assert_no_secret(&world))).is_err());
    world.waive(Invariant::NoSecret, "the leak is the point");
}
