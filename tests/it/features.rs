//! `--command features`: static, and exactly what works.

use std::io::{PipeWriter, pipe};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::{self, Element};

use crate::support::golden::assert_golden;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// The answer, of a module whose root does not exist and whose standard input never ends.
fn features(spelling: &[&str]) -> (Output, Duration) {
    let (input, writer): (_, PipeWriter) = pipe().unwrap();
    let started = Instant::now();
    let output = Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"))
        .args(spelling)
        .env_clear()
        .env("PMVMMANAGER6_ROOT", "/nonexistent/mgr5")
        .stdin(input)
        .output()
        .unwrap();
    drop(writer);
    (output, started.elapsed())
}

fn document() -> Element {
    wire::parse(&features(&["--command", "features"]).0.stdout).unwrap()
}

#[test]
fn the_answer_is_the_golden_one() {
    let (output, took) = features(&["--command", "features"]);
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    assert!(took < Duration::from_secs(1), "{took:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_golden("features/features.xml", &text);
    assert!(!std::path::Path::new("/nonexistent").exists(), "features touches no disk");
}

#[test]
fn every_spelling_of_the_arguments() {
    let expected = features(&["--command", "features"]).0.stdout;
    for spelling in [
        &["--command=features"][..],
        &["-c", "features"],
        &["--lang", "en", "--command", "features", "--level", "29"],
        &["--command", "FEATURES", "--unheard-of"],
    ] {
        let (output, _) = features(spelling);
        assert!(output.status.success(), "{spelling:?}: {output:?}");
        assert_eq!(output.stdout, expected, "{spelling:?}");
    }
}

/// Features that are only words.
const WORDS: [&str; 2] = ["datacenter", "pricelist_dynamic_settings"];

/// Every other feature is a command, and every setting is listed once.
#[test]
fn what_is_declared_works() {
    let world = TestWorld::start();
    let document = document();
    let names = |group: &str, element: &str| -> Vec<String> {
        let group = document.find(group).unwrap();
        group.all(element).map(|child| child.get("name").unwrap().to_owned()).collect()
    };
    assert_eq!(names("itemtypes", "itemtype"), ["vds"]);
    for feature in names("features", "feature").iter().filter(|feature| !WORDS.contains(&feature.as_str())) {
        let run = world.run_with_input(&["--command", feature], "<doc/>");
        if run.status == Some(1) {
            let refusal = Refusal::of(&run);
            assert!(
                refusal.kind != Kind::NotSupported || refusal.object != *feature,
                "{feature} is declared but unknown"
            );
        }
    }
    for required in ["check_connection", "open", "reopen", "suspend", "resume", "close"] {
        assert!(names("features", "feature").iter().any(|feature| feature == required), "{required} is missing");
    }
    let mut settings = [names("params", "param"), names("params", "customparam")].concat();
    let contract = [
        "additional_interface",
        "cluster",
        "password",
        "queue_count",
        "queue_enabled",
        "queue_key",
        "resold_accounts",
        "secret_arguments",
        "session_ttl",
        "tls_fingerprint",
        "tls_verify",
        "unknown_addons",
        "url",
        "use_recipes",
        "username",
    ];
    settings.sort();
    assert_eq!(settings, contract);
    let crypted: Vec<&Element> =
        document.find("params").unwrap().all("param").filter(|param| param.get("crypted") == Some("yes")).collect();
    assert_eq!(crypted.len(), 1);
    assert_eq!(crypted[0].get("name"), Some("password"));
}
