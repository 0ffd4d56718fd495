//! The lists of CONTRIBUTING.md and the tree agree: for each kind of change, the files that have its example's name are
//! those that the list names.

use std::fs;
use std::path::Path;

use crate::support::markdown::{code, prose, quoted, read, repository, section};

const PAGE: &str = "CONTRIBUTING.md";
/// Where a list may lead.
const TREE: [&str; 5] = ["src", "tests", "xml", "packaging/monitoring", "README.md"];

/// A section about one kind of change.
struct Change {
    heading: String,
    /// Names of the example, in their spellings.
    example: Vec<String>,
    /// Files, folders (with `/` at the end) and patterns (with a `<name>`).
    places: Vec<String>,
}

impl Change {
    fn read(page: &str, heading: &str) -> Self {
        let lines = section(page, heading);
        let after = |line: &&str| line.split_once("Example:").map(|(_, names)| names.to_owned());
        let example = lines.iter().find_map(after).or_else(|| {
            // The line is broken after the word.
            let at = lines.iter().position(|line| line.ends_with("Example:"))?;
            lines.get(at + 1).map(|line| (*line).to_owned())
        });
        let example = example.unwrap_or_else(|| panic!("no example: {heading}"));
        let bullets = lines.iter().filter_map(|line| line.strip_prefix("* "));
        Change {
            heading: heading.to_owned(),
            example: quoted(&example).map(str::to_owned).collect(),
            places: bullets.filter_map(|bullet| quoted(bullet).next()).map(str::to_owned).collect(),
        }
    }

    fn is_in(&self, text: &str) -> bool {
        self.example.iter().any(|name| text.contains(name.as_str()))
    }
}

fn changes() -> Vec<Change> {
    let page = read(PAGE);
    let lines = prose(&page);
    let lists = lines.iter().skip_while(|line| **line != "## What to touch").skip(1);
    let lists = lists.take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("### "));
    let changes: Vec<Change> = lists.map(|heading| Change::read(&page, heading)).collect();
    assert!(changes.len() > 8, "the lists are not found");
    changes
}

/// Every text below the places where a list may lead, by its path in the repository.
fn texts() -> Vec<(String, String)> {
    let mut found = Vec::new();
    for top in TREE {
        collect(&repository(top), &mut found);
    }
    // The lists are not held against the test that reads them.
    found.retain(|(path, _)| !path.ends_with("/contributing.rs"));
    found
}

fn collect(path: &Path, found: &mut Vec<(String, String)>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).unwrap() {
            collect(&entry.unwrap().path(), found);
        }
        return;
    }
    let name = path.strip_prefix(repository("")).unwrap().to_str().unwrap().to_owned();
    found.push((name, String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned()));
}

/// Whether a place of a list means a file.
fn covers(place: &str, file: &str) -> bool {
    if let Some((before, after)) =
        place.split_once('<').and_then(|(before, rest)| Some((before, rest.split_once('>')?.1)))
    {
        let name = file.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
        return name.is_some_and(|name| !name.contains('/'));
    }
    if place.ends_with('/') { file.starts_with(place) } else { file == place }
}

#[test]
fn the_lists_are_complete() {
    let texts = texts();
    let mut missing = Vec::new();
    for change in changes() {
        for (file, _) in texts.iter().filter(|(_, text)| change.is_in(text)) {
            if !change.places.iter().any(|place| covers(place, file)) {
                missing.push(format!("{}: {:?} is in {file}, which is not listed", change.heading, change.example));
            }
        }
    }
    assert!(missing.is_empty(), "{PAGE}:\n{}", missing.join("\n"));
}

#[test]
fn the_lists_name_nothing_else() {
    let texts = texts();
    let mut wrong = Vec::new();
    for change in changes() {
        assert!(change.places.len() > 1, "{}: too few places", change.heading);
        for place in &change.places {
            if !texts.iter().any(|(file, text)| covers(place, file) && change.is_in(text)) {
                wrong.push(format!("{}: {:?} is not in {place}", change.heading, change.example));
            }
        }
    }
    assert!(wrong.is_empty(), "{PAGE}:\n{}", wrong.join("\n"));
}

#[test]
fn the_example_of_a_command_is_a_real_one() {
    let [file, table] = ["src/command/hardreboot.rs", "src/command/table.rs"].map(read);
    let shown = code(&read(PAGE), "rust").join("\n");
    let (example, line) = shown.rsplit_once("\n    Command {").expect("a file and a line of the table");
    assert_eq!(example.trim(), file.trim());
    assert!(table.lines().any(|real| real == format!("    Command {{{line}")), "no such line: {line}");
}
