//! The parts of a Markdown page that can be held against the program.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A path in the repository.
pub(crate) fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// The text of a file of the repository.
pub(crate) fn read(file: &str) -> String {
    let path = repository(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Lines outside of code blocks.
pub(crate) fn prose(page: &str) -> Vec<&str> {
    let mut fenced = false;
    let outside = |line: &&str| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    };
    page.lines().filter(outside).collect()
}

/// Lines of the code blocks of one language.
pub(crate) fn code<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    let blocks = page.split(opening.as_str()).skip(1);
    blocks.flat_map(|rest| rest.split("```").next().unwrap_or_default().lines()).collect()
}

/// Lines under a heading, without code blocks, up to the next heading of any level.
pub(crate) fn section<'a>(page: &'a str, heading: &str) -> Vec<&'a str> {
    let lines = prose(page);
    let start = lines.iter().position(|line| *line == heading).unwrap_or_else(|| panic!("no heading {heading}"));
    lines[start + 1..].iter().take_while(|line| !line.starts_with('#')).copied().collect()
}

/// Rows of the table under a heading, as cells.
pub(crate) fn table(page: &str, heading: &str) -> Vec<Vec<String>> {
    let rows = section(page, heading).into_iter().filter(|line| line.starts_with('|')).skip(2);
    rows.map(|row| row.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()).collect()
}

/// Texts between backticks.
pub(crate) fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// Everything quoted in the first cells of a table, in order.
pub(crate) fn first_cells(page: &str, heading: &str) -> Vec<String> {
    let rows = table(page, heading);
    rows.iter().flat_map(|row| quoted(&row[0])).map(str::to_owned).collect()
}

/// Targets of the links in a line.
pub(crate) fn links(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// The names under which the headings of a page can be linked to.
pub(crate) fn anchors(page: &str) -> BTreeSet<String> {
    prose(page).into_iter().filter(|line| line.starts_with('#')).map(anchor).collect()
}

fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    text.chars().filter(|c| c.is_alphanumeric() || "-_ ".contains(*c)).map(|c| if c == ' ' { '-' } else { c }).collect()
}
