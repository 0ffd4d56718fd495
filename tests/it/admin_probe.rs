//! `pmvmmanager6 metrics --probe`: every handler's VMmanager as a stranger sees it.

use std::fs;

use sandbox::bill::Handler;
use sandbox::vmm::{Action, Certificate, Fault, Transport};

use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

const UP: &str = "vmmanager_up";
const END: &str = "vmmanager_certificate_expiry_timestamp_seconds";
const DAY: f64 = 86_400.0;

/// A world whose handler judges this certificate by the system's authorities.
fn judged(certificate: Certificate) -> (TestWorld, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("ca.pem");
    let world = TestWorld::with(|scene| {
        scene.vmm.transport = Transport::Tls(certificate);
        scene.bill.environment.push(("SSL_CERT_FILE".to_owned(), file.display().to_string()));
    });
    fs::write(&file, world.vmm.ca_pem().unwrap()).unwrap();
    world.bill.set_handler(world.handler, "tls_verify", "system");
    (world, directory)
}

/// The metrics with `--probe`; nothing is wrong with the state.
#[track_caller]
fn probed(world: &TestWorld) -> Metrics {
    let run = world.bill.run(&["metrics", "--probe"]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{run:?}");
    Metrics::parse(&run.stdout)
}

/// Days until the certificate of the only handler ends.
fn days(metrics: &Metrics, handler: u64) -> Option<f64> {
    let end = metrics.get(&format!("{END}{{handler=\"{handler}\"}}"))?;
    let now = jiff::Timestamp::now().as_millisecond();
    Some((end - f64::from(u32::try_from(now / 1000).unwrap())) / DAY)
}

#[test]
fn a_vmmanager_that_answers_is_up_and_sees_no_login() {
    let (world, _authority) = judged(Certificate::Signed);
    let metrics = probed(&world);
    assert_eq!(metrics.all(UP), [format!("{{handler=\"{}\"}} 1", world.handler)]);
    assert!(days(&metrics, world.handler).unwrap() > 7.0);
    assert_eq!(metrics.get("readable{part=\"vmmanager\"}"), Some(1.0));
    let asked = world.vmm.requests();
    assert!(asked.iter().all(|it| it.method == "GET" && it.token.is_none() && it.body.is_none()), "{asked:?}");
    assert_eq!((asked.len(), world.vmm.logins()), (1, 0));
    assert!(!world.bill.root().join("var/pmvmmanager6/journal.db").exists(), "looking creates nothing");
    // Not asked for, not looked at.
    world.vmm.forget_requests();
    let plain = Metrics::of(&world);
    assert!(plain.all(UP).is_empty() && plain.all(END).is_empty() && world.vmm.requests().is_empty());
}

#[test]
fn what_is_no_answer_of_a_vmmanager_is_down() {
    let world = TestWorld::start();
    let path = "/vm/v3/version";
    let page = Action::Status { code: 200, body: "<html>It works!</html>".to_owned() };
    let silent = [Action::Refuse503 { retry_after: None }, Action::CloseBefore, Action::Garbage, page];
    for action in silent {
        world.vmm.fault(Fault::on("GET", path).act(action.clone()));
        assert_eq!(probed(&world).all(UP), [format!("{{handler=\"{}\"}} 0", world.handler)], "{action:?}");
    }
    // Who asks for a session answers.
    let asking = [
        Action::Error { status: 401, code: 1000, msg: "who?".to_owned() },
        Action::Status { code: 401, body: "<html>who?</html>".to_owned() },
        Action::Error { status: 400, code: 1000, msg: "who?".to_owned() },
    ];
    for action in asking {
        world.vmm.fault(Fault::on("GET", path).act(action.clone()));
        assert_eq!(probed(&world).all(UP), [format!("{{handler=\"{}\"}} 1", world.handler)], "{action:?}");
    }
}

#[test]
fn each_handler_is_looked_at_alone() {
    let world = TestWorld::start();
    let add = |url: &str, name: &str| {
        world.bill.add_handler(&Handler::new(url, "admin@example.net", "Adm1n-secret-pass", "1").named(name))
    };
    let away = add("http://127.0.0.1:1", "Away");
    let senseless = add("ftp://nowhere", "Senseless");
    let off = add("http://127.0.0.1:1", "Off");
    world.bill.exec("UPDATE processingmodule SET active = 'off' WHERE id = ?", &[&off.to_string()]);
    let expected = [(world.handler, 1), (away, 0), (senseless, 0)];
    let mut expected = expected.map(|(handler, up)| format!("{{handler=\"{handler}\"}} {up}"));
    expected.sort();
    assert_eq!(probed(&world).all(UP), expected, "a handler that is switched off serves nobody");
}

#[test]
fn the_end_of_a_certificate_counts_where_it_is_judged() {
    let (world, _authority) = judged(Certificate::EndsSoon);
    let metrics = probed(&world);
    assert_eq!(metrics.get(&format!("{UP}{{handler=\"{}\"}}", world.handler)), Some(1.0));
    assert!((0.0..7.0).contains(&days(&metrics, world.handler).unwrap()));
    world.bill.set_handler(world.handler, "tls_verify", "off");
    assert_eq!(probed(&world).all(END), [""; 0]);

    let (world, _authority) = judged(Certificate::Expired);
    let metrics = probed(&world);
    assert_eq!(metrics.get(&format!("{UP}{{handler=\"{}\"}}", world.handler)), Some(0.0));
    assert!(days(&metrics, world.handler).unwrap() < 0.0);
}

#[test]
fn handlers_that_cannot_be_read_are_not_called_down() {
    let world = TestWorld::start();
    world.bill.exec("ALTER TABLE processingmodule RENAME TO gone", &[]);
    let run = world.bill.run(&["metrics", "--probe"]);
    world.bill.exec("ALTER TABLE gone RENAME TO processingmodule", &[]);
    assert_eq!(run.status, Some(1));
    assert!(run.stderr.starts_with("pmvmmanager6: db (") && run.stderr.lines().count() == 1, "{}", run.stderr);
    let metrics = Metrics::parse(&run.stdout);
    assert_eq!(metrics.get("readable{part=\"vmmanager\"}"), Some(0.0));
    assert_eq!(metrics.all(UP), [""; 0]);
}
