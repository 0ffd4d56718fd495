//! README.md and the program agree: settings, commands, error types; and everything that a reader of the pages at the
//! root can type or follow.

use std::collections::BTreeSet;
use std::process::Command;

use pmvmmanager6::cli::topic::Topic;
use pmvmmanager6::config::MODULE;
use pmvmmanager6::error::Kind;

use crate::support::markdown::{anchors, code, first_cells, links, prose, quoted, read, repository, table};
use crate::xml_files::{declared, features};

const PAGES: [&str; 4] = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];

fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    items.into_iter().collect()
}

#[test]
fn the_settings_are_the_declared_ones() {
    let (readme, answer) = (read("README.md"), features());
    let settings = table(&readme, "## Settings");
    let names: Vec<String> = settings.iter().flat_map(|row| quoted(&row[0])).map(str::to_owned).collect();
    assert_eq!(names, [declared("params", "param"), declared("params", "customparam")].concat());
    for custom in answer.find("params").expect("params").all("customparam") {
        let row = settings.iter().find(|row| quoted(&row[0]).next() == custom.get("name")).expect("the row");
        assert_eq!(row.last().and_then(|cell| quoted(cell).next()), custom.get("defval"), "{row:?}");
    }
}

#[test]
fn the_commands_are_the_declared_ones() {
    let described = first_cells(&read("README.md"), "## Commands");
    assert_eq!(set(described.clone()).len(), described.len(), "a command is described twice");
    assert_eq!(set(described), set(declared("features", "feature")));
}

#[test]
fn the_operator_s_commands_are_all_there() {
    let readme = read("README.md");
    let rows = first_cells(&readme, "## At the terminal");
    let described: BTreeSet<&str> = rows.iter().filter_map(|text| text.split_whitespace().nth(1)).collect();
    let help = help(&[]);
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let commands: BTreeSet<&str> = list.filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(described, &commands - &set(["help"]));
}

#[test]
fn every_error_type_is_explained() {
    let types: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(first_cells(&read("README.md"), "### Troubleshooting"), types);
}

#[test]
fn every_promise_of_safety_has_its_test() {
    let promises = table(&read("SECURITY.md"), "## What is promised");
    assert!(promises.len() > 10, "{promises:?}");
    for promise in promises {
        let tests: Vec<&str> = promise.last().map(|cell| quoted(cell).collect()).unwrap_or_default();
        let exist = tests.iter().all(|name| repository(&format!("tests/it/{name}.rs")).is_file());
        assert!(!tests.is_empty() && exist, "{promise:?}");
    }
}

#[test]
fn every_command_line_works() {
    for page in PAGES.map(read) {
        let typed = |text: &&str| ["make ", "pmvmmanager6 "].iter().any(|program| text.starts_with(program));
        let inline = prose(&page).into_iter().flat_map(quoted).filter(typed);
        for line in code(&page, "sh").into_iter().chain(inline) {
            try_line(line);
        }
    }
}

/// A line as it is typed, perhaps with variables in front.
fn try_line(line: &str) {
    let is_variable = |word: &&str| word.contains('=');
    let words: Vec<&str> = line.split_whitespace().skip_while(is_variable).collect();
    let [program, arguments @ ..] = words.as_slice() else { return };
    match *program {
        "make" => assert!(has_target(arguments[0]), "the Makefile has no target for: {line}"),
        "cargo" => try_cargo(line, arguments),
        _ if program.starts_with("target/debug/") => {
            assert!(program.rsplit('/').next().is_some_and(is_sandbox_program), "no such program: {line}");
        }
        _ if program.rsplit('/').next() == Some(MODULE) => try_module(line, arguments),
        "git" => {
            assert!(repository(arguments.last().expect("a folder")).exists(), "no such folder: {line}");
        }
        "apt-get"
        | "dnf"
        | "install"
        | "journalctl"
        | "openssl"
        | "systemctl"
        | "/usr/local/mgr5/sbin/mgrctl"
        | "/usr/local/mgr5/sbin/xmlinstall" => {}
        _ => panic!("this test does not know how to check: {line}"),
    }
}

fn has_target(target: &str) -> bool {
    read("Makefile").lines().any(|line| line.split_once(':').is_some_and(|(name, _)| name == target))
}

/// What cargo is to build or run must exist, and tests must be there for each word that chooses some.
fn try_cargo(line: &str, arguments: &[&str]) {
    let value = |option: &str| arguments.iter().skip_while(|word| **word != option).nth(1).copied();
    if let Some(name) = value("--bin") {
        assert!(is_sandbox_program(name), "no such program: {line}");
    }
    if let Some(name) = value("--test") {
        assert_eq!(name, "it", "{line}");
        let modules = read("tests/it/main.rs");
        for filter in arguments.iter().skip_while(|word| **word != "--").skip(1) {
            assert!(modules.contains(&format!("mod {filter}")), "no test has {filter} in its name: {line}");
        }
    }
    assert!(["build", "run", "test"].contains(&arguments[0]), "this test does not know: {line}");
}

fn is_sandbox_program(name: &str) -> bool {
    let sources = [format!("tests/sandbox/src/bin/{name}.rs"), format!("tests/sandbox/src/bin/{name}/main.rs")];
    sources.iter().any(|source| repository(source).exists())
}

/// A panel command must be declared; an operator's sub-command and its options must be in its `--help`.
fn try_module(line: &str, arguments: &[&str]) {
    if let ["--command", command, ..] = arguments {
        assert!(declared("features", "feature").iter().any(|feature| feature == command), "{line}");
        return;
    }
    if let ["help", topic] = arguments {
        assert!(*topic == "TOPIC" || Topic::find(topic).is_some(), "{line}");
        return;
    }
    let path: Vec<&str> = arguments.iter().copied().take_while(|word| word.split('-').all(is_lowercase_word)).collect();
    let help = help(&path);
    for option in arguments.iter().filter(|word| word.starts_with("--")) {
        assert!(help.split_whitespace().any(|word| word.trim_end_matches(',') == *option), "{line}: no {option}");
    }
}

fn is_lowercase_word(word: &str) -> bool {
    !word.is_empty() && word.bytes().all(|b| b.is_ascii_lowercase())
}

/// What `--help` says about a sub-command.
fn help(path: &[&str]) -> String {
    let mut module = Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"));
    let output = module.args(path).arg("--help").output().expect("the module starts");
    assert!(output.status.success(), "{path:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[test]
fn every_link_and_path_leads_somewhere() {
    for page in PAGES {
        let text = read(page);
        for line in prose(&text) {
            for target in links(line).filter(|target| !target.starts_with("https://")) {
                let (file, heading) = target.split_once('#').unwrap_or((target, ""));
                let file = if file.is_empty() { page } else { file };
                assert!(repository(file).exists(), "{page}: no file {target}: {line}");
                assert!(heading.is_empty() || anchors(&read(file)).contains(heading), "{page}: no {target}: {line}");
            }
            for path in quoted(line).filter(|text| is_path(text)) {
                assert!(repository(path).exists(), "{page}: no file {path}: {line}");
            }
        }
    }
}

/// Whether a text names something of the repository, patterns aside.
fn is_path(text: &str) -> bool {
    ["src/", "tests/", "xml/", "packaging/"].iter().any(|top| text.starts_with(top)) && !text.contains('<')
}
