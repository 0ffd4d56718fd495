//! README.md and the program agree: settings, commands, error types, everything a reader can type or follow.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use pmvmmanager6::config::MODULE;
use pmvmmanager6::error::Kind;

use crate::xml_files::{declared, features};

fn read(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn exists(path: &str) -> bool {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).exists()
}

/// Lines outside of code blocks.
fn prose(readme: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = |line: &&str| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    };
    readme.lines().filter(outside).collect()
}

/// Lines of the code blocks of one language.
fn code<'a>(readme: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let blocks = readme.split(opening.as_str()).skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap_or_default().lines()).collect()
}

/// Rows of the table under a heading, as cells.
fn table(readme: &str, heading: &str) -> Vec<Vec<String>> {
    let lines = prose(readme);
    let start = lines.iter().position(|line| *line == heading).unwrap_or_else(|| panic!("no heading {heading}"));
    let section = lines[start + 1..].iter().take_while(|line| !line.starts_with('#'));
    let rows = section.filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Texts between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Everything quoted in the first cells of a table, in order.
fn first_cells(readme: &str, heading: &str) -> Vec<String> {
    let rows = table(readme, heading);
    rows.iter().flat_map(|row| quoted(&row[0])).map(str::to_owned).collect()
}

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
    let hidden = set(["help", "fault-points", "queue-hold", "session-visit"]);
    assert_eq!(described, &commands - &hidden, "test builds have more");
}

#[test]
fn every_error_type_is_explained() {
    let types: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
    assert_eq!(first_cells(&read("README.md"), "## Troubleshooting"), types);
}

#[test]
fn every_command_line_works() {
    let readme = read("README.md");
    let typed = |text: &&str| ["make ", "pmvmmanager6 "].iter().any(|program| text.starts_with(program));
    let inline = prose(&readme).into_iter().flat_map(quoted).filter(typed);
    for line in code(&readme, "sh").into_iter().chain(inline) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [program, arguments @ ..] = words.as_slice() else { continue };
        match *program {
            "make" => assert!(has_target(arguments[0]), "the Makefile has no target for: {line}"),
            "cargo" => {
                let name =
                    arguments.iter().skip_while(|word| **word != "--bin").nth(1).expect("--bin names the program");
                assert!(is_sandbox_program(name), "no such program: {line}");
            }
            _ if program.starts_with("target/debug/") => {
                assert!(program.rsplit('/').next().is_some_and(is_sandbox_program), "no such program: {line}");
            }
            _ if program.rsplit('/').next() == Some(MODULE) => try_module(line, arguments),
            "apt-get"
            | "dnf"
            | "journalctl"
            | "openssl"
            | "systemctl"
            | "/usr/local/mgr5/sbin/mgrctl"
            | "/usr/local/mgr5/sbin/xmlinstall" => {}
            _ => panic!("this test does not know how to check: {line}"),
        }
    }
}

fn has_target(target: &str) -> bool {
    read("Makefile").lines().any(|line| line.split_once(':').is_some_and(|(name, _)| name == target))
}

fn is_sandbox_program(name: &str) -> bool {
    exists(&format!("tests/sandbox/src/bin/{name}.rs")) || exists(&format!("tests/sandbox/src/bin/{name}/main.rs"))
}

/// A panel command must be declared; an operator's sub-command and its options must be in its `--help`.
fn try_module(line: &str, arguments: &[&str]) {
    if let ["--command", command, ..] = arguments {
        assert!(declared("features", "feature").iter().any(|feature| feature == command), "{line}");
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
fn the_example_of_a_command_is_a_real_one() {
    let [file, table] = ["src/command/hardreboot.rs", "src/command/mod.rs"].map(read);
    let shown = code(&read("README.md"), "rust").join("\n");
    let (example, line) = shown.rsplit_once("\n    Command {").expect("a file and a line of the table");
    assert_eq!(example.trim(), file.trim());
    assert!(table.lines().any(|real| real == format!("    Command {{{line}")), "no such line: {line}");
}

#[test]
fn every_link_and_path_leads_somewhere() {
    let readme = read("README.md");
    let lines = prose(&readme);
    let anchors: BTreeSet<String> =
        lines.iter().filter(|line| line.starts_with('#')).map(|line| anchor(line)).collect();
    for line in &lines {
        for target in line.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            match target.strip_prefix('#') {
                Some(heading) => assert!(anchors.contains(heading), "no heading {target}: {line}"),
                None => assert!(target.starts_with("https://") || exists(target), "no file {target}: {line}"),
            }
        }
        for path in quoted(line).filter(|text| text.starts_with("src/") || text.starts_with("tests/")) {
            assert!(exists(path), "no file {path}: {line}");
        }
    }
}

/// The name under which a heading can be linked to.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}
