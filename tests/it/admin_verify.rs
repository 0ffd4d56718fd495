//! `pmvmmanager6 verify`: a VMmanager that is as the module assumes, one that is not, and one that does not answer.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use sandbox::bill::{Handler, Run};
use sandbox::vmm::{Action, Description, Fault};
use serde_json::{Value, json};

use crate::support::golden::{assert_golden, blanked};
use crate::support::sites::start_two;
use crate::support::world::TestWorld;

fn verify(world: &TestWorld, handler: u64, more: &[&str]) -> Run {
    let handler = handler.to_string();
    let words: Vec<&str> = ["verify", "--module", &handler].iter().chain(more).copied().collect();
    world.bill.run(&words)
}

fn kept(world: &TestWorld, handler: u64) -> PathBuf {
    world.bill.root().join(format!("var/pmvmmanager6/verify-{handler}.json"))
}

fn normal(world: &TestWorld, text: &str) -> String {
    let text = text.replace(&world.bill.root().display().to_string(), "/usr/local/mgr5");
    blanked(&blanked(&text, "\"program\": \"", "\""), "\"at\": \"", "\"")
}

/// What is said about a question.
fn answer(world: &TestWorld, question: &str) -> (String, String) {
    let document: Value = serde_json::from_slice(&fs::read(kept(world, world.handler)).unwrap()).unwrap();
    let questions = document["questions"].as_array().unwrap();
    let found = questions.iter().find(|asked| asked["question"] == question).unwrap_or_else(|| panic!("{document:#}"));
    (found["agrees"].as_str().unwrap().to_owned(), found["seen"].as_str().unwrap().to_owned())
}

/// A page of VMmanager answers this from now on.
fn answers(world: &TestWorld, path: &str, body: &str) {
    world.vmm.fault(Fault::on("GET", path).always().act(Action::Status { code: 200, body: body.to_owned() }));
}

#[test]
fn a_vmmanager_as_it_is_assumed() {
    let world = TestWorld::start();
    world.opened();
    let run = verify(&world, world.handler, &[]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert_golden("verify/agrees.txt", &normal(&world, &run.stdout));
    let run = verify(&world, world.handler, &["--json"]);
    assert_eq!(run.status, Some(0));
    assert_golden("verify/agrees.json", &normal(&world, &run.stdout));
    let file = kept(&world, world.handler);
    assert_eq!(fs::read_to_string(&file).unwrap(), run.stdout);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(world.mutations(), [""; 0], "it only reads");
    for private in ["admin@example.net", "alice", "Alice", "203.0.113.", "vps"] {
        assert!(!run.stdout.contains(private), "{private} is nobody's business: {}", run.stdout);
    }
}

#[test]
fn nothing_can_be_said_of_what_is_not_there() {
    let world = TestWorld::start();
    assert_eq!(verify(&world, world.handler, &[]).status, Some(0));
    for question in ["vm-fields", "task-status", "traffic", "vm-history"] {
        assert_eq!(answer(&world, question).0, "unknown", "{question}");
    }
}

#[test]
fn assumptions_that_do_not_hold() {
    let world = TestWorld::start();
    world.opened();
    let task = r#"{"list": [{"id": 1, "consul_id": 2, "name": "host_create", "status": "exploded"}]}"#;
    answers(&world, "/vm/v3/task", task);
    answers(&world, "/vm/v3/ippool", r#"{"list": [{"id": 1, "name": "a", "clusters": [{"id": 1}], "size": 5}]}"#);
    answers(&world, "/vm/v3/ippool/1/cluster", r#"{"list": [{"id": 1, "enabled": true}]}"#);
    answers(&world, "/vm/v3/get_license", r#"{"license": {"state": "fine"}}"#);
    let body = r#"{"in": "body", "schema": {"properties": {"name": {}, "cluster": {}, "ipv6_pool": {}}}}"#;
    let paths = format!(r#"{{"paths": {{"/host": {{"get": {{}}, "post": {{"parameters": [{body}]}}}}}}}}"#);
    answers(&world, "/vm/v3/api", &paths);
    world.vmm.fault(Fault::on("GET", "/vm/v3/host/*/metrics").always().act(Action::WrongType));
    let run = verify(&world, world.handler, &[]);
    assert_eq!(run.status, Some(1), "{}", run.stdout);
    let cases = [
        ("task-status", "unknown: exploded"),
        ("pool-interface", "nowhere"),
        ("pool-counters", "neither"),
        ("licence", "license.valid is not in the answer"),
        ("requests", "DELETE /host/{}"),
        ("traffic", "vm6_api at GET /vm/v3/host/"),
        ("creation-fields", "recipe_list; also ipv6_pool"),
        ("creation-interfaces", "documented: "),
    ];
    for (question, seen) in cases {
        let found = answer(&world, question);
        assert!(found.0 == "no" && found.1.contains(seen), "{question}: {found:?}");
        assert!(run.stdout.contains(&format!("  {question}  ")), "{}", run.stdout);
    }
    assert!(run.stdout.contains("→ the module assumes: license.valid is true or false"), "{}", run.stdout);
    assert!(run.stdout.contains("assumptions do not hold here"), "{}", run.stdout);
    // Other questions are not touched by that.
    assert_eq!(answer(&world, "vm-fields").0, "yes");
}

/// Two platforms of one BILLmanager: each has what it has shown itself.
#[test]
fn what_is_proved_belongs_to_the_platform_that_has_shown_it() {
    let world = start_two();
    let handlers = [0, 1].map(|site| world.handler_on(site));
    world.site(1).change(|platform| platform.variant.description = Description::Missing);
    let proved = |handler: u64| -> Value {
        let run = verify(&world, handler, &["--json"]);
        assert_eq!(run.status, Some(0), "{run:?}");
        serde_json::from_str(&run.stdout).unwrap()
    };
    let [one, other] = handlers.map(proved);
    let proofs = json!(["backup_schedules", "interfaces", "tuning_at_creation", "tuning_at_change"]);
    assert_eq!((&one["proved"], &other["proved"]), (&proofs, &json!([])));
    assert_ne!(one["platform"], other["platform"]);
    let page = verify(&world, handlers[1], &[]);
    assert!(page.stdout.contains("Nothing is proved for platform 2"), "{}", page.stdout);
}

/// The description is looked for on this VMmanager alone, whatever its page says.
#[test]
fn a_page_leads_nowhere_else() {
    let world = TestWorld::start();
    for description in [Description::Script, Description::Missing] {
        world.vmm.change(|platform| platform.variant.description = description);
        assert_eq!(verify(&world, world.handler, &[]).status, Some(0));
        let expected = if description == Description::Missing { "unknown" } else { "yes" };
        assert_eq!(answer(&world, "requests").0, expected, "{description:?}");
    }
    let circle = r#"ui({url: "./", configUrl: '/swagger/'})"#;
    let endless = (0..200).map(|n| format!("url: '/swagger/{n}' ")).collect::<Vec<_>>().concat();
    for body in [circle, &endless, "\u{fffd}<html", ""] {
        world.forget();
        answers(&world, "/swagger/", body);
        assert_eq!(verify(&world, world.handler, &[]).status, Some(0));
        assert_eq!(answer(&world, "requests").0, "unknown");
        let pages = world.vmm.requests().into_iter().filter(|request| request.path.starts_with("/swagger/")).count();
        assert!(pages <= 30, "{pages}");
        world.vmm.clear_faults();
    }
}

#[test]
fn a_vmmanager_that_does_not_answer() {
    let world = TestWorld::start();
    let nowhere = Handler::new("https://127.0.0.1:9", "admin@example.net", "Adm1n-secret-pass", "1");
    let nowhere = world.bill.add_handler(&nowhere);
    let run = verify(&world, nowhere, &[]);
    assert_eq!((run.status, run.stdout.as_str(), run.stderr.lines().count()), (Some(1), "", 1), "{run:?}");
    assert!(run.stderr.contains("vm6_connect") && run.stderr.contains("check the address"), "{}", run.stderr);
    assert!(!kept(&world, nowhere).exists());
    // Lost on the way: what was not answered is unknown, not contradicted.
    world.vmm.fault(Fault::on("GET", "/vm/v3/os").always().act(Action::CloseBefore));
    assert_eq!(verify(&world, world.handler, &[]).status, Some(0));
    assert_eq!(answer(&world, "os-fields").0, "unknown");
    let run = verify(&world, 4711, &[]);
    assert!(run.status == Some(1) && run.stderr.contains("no handler with the id 4711"), "{run:?}");
}
