//! What an audit found is there for `metrics` until the next audit.

use std::fs;

use sandbox::bill::Handler;

use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

const AT: &str = "audit_timestamp_seconds";
const FOUND: &str = "audit_findings";

impl TestWorld {
    fn last_audit(&self) -> String {
        self.bill.root().join("var/pmvmmanager6/audit.json").display().to_string()
    }

    /// A service whose VM has another name than BILLmanager says, and one whose VM its client has stopped: a note.
    fn drifted(&self) -> u64 {
        let (renamed, stopped) = (self.opened(), self.opened());
        self.alter(self.host_of(renamed).id, |vm| "shop".clone_into(&mut vm.name));
        self.alter(self.host_of(stopped).id, |vm| "stopped".clone_into(&mut vm.state));
        renamed
    }
}

#[test]
fn findings_are_there_until_an_audit_finds_none() {
    let world = TestWorld::start();
    let item = world.drifted();
    let none = Metrics::of(&world);
    assert!(none.all(AT).is_empty() && none.all(FOUND).is_empty(), "there was no audit yet");
    let before = f64::from(u32::try_from(jiff::Timestamp::now().as_second()).unwrap());
    assert_eq!(world.bill.run(&["audit"]).status, Some(1));
    let metrics = Metrics::of(&world);
    let handler = format!("{{handler=\"{}\"", world.handler);
    assert_eq!(metrics.all(FOUND), [format!("{handler},kind=\"name\"}} 1")], "a note is no finding");
    assert!(metrics.get(&format!("{AT}{handler}}}")).unwrap() >= before);
    // A repair is no audit of the whole; the next audit finds nothing.
    let item = item.to_string();
    assert_eq!(world.bill.run(&["audit", "--repair", "name", "--item", &item, "--yes"]).status, Some(0));
    assert_eq!(Metrics::of(&world).all(FOUND).len(), 1);
    assert_eq!(world.bill.run(&["audit", "--json"]).status, Some(0));
    let metrics = Metrics::of(&world);
    assert_eq!((metrics.all(FOUND).len(), metrics.all(AT).len()), (0, 1));
}

#[test]
fn a_handler_that_could_not_be_audited_keeps_what_was_known() {
    let world = TestWorld::start();
    world.drifted();
    let other = Handler::new(&world.vmm.url(), "admin@example.net", "Adm1n-secret-pass", "1").named("Other");
    let other = world.bill.add_handler(&other);
    assert_eq!(world.bill.run(&["audit"]).status, Some(1));
    let known = Metrics::of(&world);
    assert_eq!(known.all(FOUND).len(), 1);
    world.bill.set_handler(world.handler, "url", "http://127.0.0.1:1");
    assert_eq!(world.bill.run(&["audit"]).status, Some(1));
    let metrics = Metrics::of(&world);
    assert_eq!(metrics.all(FOUND), known.all(FOUND));
    let at = |metrics: &Metrics| metrics.get(&format!("{AT}{{handler=\"{}\"}}", world.handler));
    assert_eq!(at(&metrics), at(&known));
    // An audit of one handler leaves the others; an audit of all forgets those that are gone.
    world.bill.exec("UPDATE processingmodule SET module = 'another' WHERE id = ?", &[&world.handler.to_string()]);
    assert_eq!(world.bill.run(&["audit", "--module", &other.to_string()]).status, Some(0));
    assert_eq!(Metrics::of(&world).all(AT).len(), 2);
    assert_eq!(world.bill.run(&["audit"]).status, Some(0));
    let metrics = Metrics::of(&world);
    assert_eq!((metrics.all(AT).len(), metrics.all(FOUND).len()), (1, 0));
    world.bill.exec("UPDATE processingmodule SET module = 'pmvmmanager6' WHERE id = ?", &[&world.handler.to_string()]);
}

#[test]
fn a_file_that_cannot_be_used_is_told_and_written_anew() {
    let world = TestWorld::start();
    world.drifted();
    fs::write(world.last_audit(), "{\"version\": 9, \"handlers\": {}}").unwrap();
    let run = world.bill.run(&["metrics"]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.contains("it has version 9") && run.stderr.lines().count() == 1, "{}", run.stderr);
    let metrics = Metrics::parse(&run.stdout);
    assert_eq!(metrics.get("readable{part=\"audit\"}"), Some(0.0));
    assert_eq!(metrics.all(AT), [""; 0]);
    assert_eq!(world.bill.run(&["audit"]).status, Some(1));
    assert_eq!(Metrics::of(&world).all(FOUND).len(), 1);
    // Where nothing can be written the audit is the same.
    let told = world.bill.run(&["audit", "--json"]);
    fs::remove_file(world.last_audit()).unwrap();
    fs::create_dir(world.last_audit()).unwrap();
    let again = world.bill.run(&["audit", "--json"]);
    assert_eq!((again.status, again.stdout, again.stderr), (told.status, told.stdout, told.stderr));
    fs::remove_dir(world.last_audit()).unwrap();
}
