//! Comments cite what is known of the platforms by number (`[protocol 3.30]`). Every citation leads to a section or a row
//! that exists, nothing else is cited, and what is printed to people has no citations.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The word of a citation, and the document that it means.
const DOCUMENTS: [(&str, &str); 2] = [("protocol", "src/panel/PROTOCOL.md"), ("api", "src/vmm/API.md")];
/// What holds citations: folders and files.
const PLACES: [&str; 8] =
    ["src", "tests", "xml", "packaging", "README.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile"];
/// How a comment begins and ends, by the ending of the file's name; the rest of a line where there is no end.
const COMMENTS: [(&str, &[&str], &str); 6] = [
    ("rs", &["//! ", "/// ", "// "], "\n"),
    ("xml", &["<!--"], "-->"),
    ("sh", &["# "], "\n"),
    ("toml", &["# "], "\n"),
    ("md", &[""], "\n"),
    ("", &["# "], "\n"),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &Path) -> Option<String> {
    fs::read(root().join(path)).ok().and_then(|bytes| String::from_utf8(bytes).ok())
}

/// Files under a place, or the place itself, relative to the root.
fn files(place: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(root().join(place)) else { return vec![place.to_owned()] };
    entries.flat_map(|entry| files(&place.join(entry.expect("an entry").file_name()))).collect()
}

fn all_files() -> Vec<PathBuf> {
    PLACES.iter().flat_map(|place| files(Path::new(place))).collect()
}

/// Every text that may cite, apart from goldens and seeds, which are data.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = all_files();
    let data = ["tests/data", "tests/fuzz/seeds", "tests/fuzz/target", "tests/it/citations.rs"];
    found.retain(|path| !data.iter().any(|data| path.starts_with(data)));
    found.into_iter().filter_map(|path| Some((path.clone(), read(&path)?))).collect()
}

/// The comments of a text, each with its line, and everything else.
fn split(path: &Path, text: &str) -> (Vec<(usize, String)>, String) {
    let ending = path.extension().map(|ending| ending.to_string_lossy().into_owned()).unwrap_or_default();
    let Some((_, begins, end)) = COMMENTS.iter().find(|(name, ..)| *name == ending) else {
        return (Vec::new(), text.to_owned());
    };
    let (mut comments, mut rest, mut at) = (Vec::new(), String::new(), 0);
    let begins_here = |at: usize| {
        let fresh = at == 0 || text[..at].ends_with(char::is_whitespace) || ending == "md";
        fresh && begins.iter().any(|begin| text[at..].starts_with(begin))
    };
    while at < text.len() {
        if begins_here(at) {
            let length = text[at..].find(end).map_or(text.len() - at, |found| found + end.len());
            comments.push((text[..at].matches('\n').count() + 1, text[at..at + length].to_owned()));
            at += length;
        } else {
            let next = text[at..].chars().next().expect("not at the end");
            rest.push(next);
            at += next.len_utf8();
        }
    }
    (comments, rest)
}

/// What can be cited of a document: its headings with a number, and rows of tables that begin with one. The rows of
/// chapter 6 of the API are cited as `6, row N`.
fn citable(document: &str) -> BTreeSet<String> {
    let text = read(Path::new(document)).expect("the document");
    let is_number = |word: &str| {
        let digits = word.strip_prefix(['A', 'B']).unwrap_or(word);
        !digits.is_empty() && digits.split('.').all(|part| part.parse::<u32>().is_ok())
    };
    let (mut found, mut rows_of) = (BTreeSet::new(), "");
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix('#') {
            let word = heading.trim_start_matches('#').split_whitespace().next().unwrap_or_default();
            let word = word.trim_end_matches('.');
            rows_of = "";
            if is_number(word) || ["A", "B"].contains(&word) {
                assert!(found.insert(word.to_owned()), "{document} has {word} twice");
            }
        } else if line.starts_with("| row |") {
            rows_of = "6, row ";
        } else if let Some(word) = line.strip_prefix("| ").and_then(|row| row.split(" |").next())
            && is_number(word)
            && !(document.ends_with("API.md") && word.parse::<u32>().is_ok() && rows_of.is_empty())
        {
            let number = format!("{rows_of}{word}");
            assert!(found.insert(number.clone()), "{document} has {number} twice");
        }
    }
    found
}

/// Texts in brackets that look like a citation: a word, then something with a digit, as in `[protocol 3.30]`.
fn citations(comment: &str) -> Vec<(&str, &str)> {
    let inside = comment.split('[').skip(1).filter_map(|rest| rest.split(']').next());
    inside
        .filter_map(|text| text.find([' ', ',']).map(|at| (&text[..at], text[at..].trim_start_matches([',', ' ']))))
        .filter(|(word, rest)| {
            word.len() > 1
                && word.bytes().all(|b| b.is_ascii_lowercase())
                && rest.contains(|c: char| c.is_ascii_digit())
                && !rest.contains(['`', '<'])
        })
        .collect()
}

fn numbers(cited: &str) -> Vec<&str> {
    if cited.contains("row") { vec![cited] } else { cited.split(", ").collect() }
}

#[test]
fn every_citation_leads_somewhere() {
    let known: BTreeMap<&str, BTreeSet<String>> =
        DOCUMENTS.iter().map(|(word, document)| (*word, citable(document))).collect();
    let (mut wrong, mut seen) = (Vec::new(), 0);
    for (path, text) in sources() {
        for (line, comment) in split(&path, &text).0 {
            for (word, cited) in citations(&comment) {
                let at = format!("{}:{line}: [{word} {cited}]", path.display());
                match known.get(word) {
                    None => wrong.push(format!("{at} is no citation of {DOCUMENTS:?}")),
                    Some(known) => {
                        seen += 1;
                        wrong.extend(numbers(cited).into_iter().filter(|n| !known.contains(*n)).map(|_| at.clone()));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(seen > 200, "only {seen} citations are seen");
}

/// References to texts that a reader of the repository does not have, and to files that do not exist.
#[test]
fn nothing_outside_of_the_repository_is_cited() {
    let names = all_files();
    let exists = |name: &str| {
        root().join(name).exists() || names.iter().any(|path| path.file_name().is_some_and(|file| *file == *name))
    };
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        for (line, comment) in split(&path, &text).0 {
            let words = comment.split(|c: char| c.is_whitespace() || "`()[]\"',;:|<>*".contains(c));
            let missing =
                words.filter(|word| Path::new(word).extension().is_some_and(|end| end == "md") && !exists(word));
            wrong.extend(missing.map(|word| format!("{}:{line}: {word}", path.display())));
            if ["(design", "esign, section", "seed document"].iter().any(|text| comment.contains(text)) {
                wrong.push(format!("{}:{line}: {}", path.display(), comment.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_printed_cites_nothing() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.extension().is_none_or(|ending| ending != "md")) {
        let rest = split(&path, &text).1;
        for (word, _) in DOCUMENTS {
            let lines = rest.lines().filter(|line| line.contains(&format!("[{word} ")));
            wrong.extend(lines.map(|line| format!("{}: {}", path.display(), line.trim())));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The documents name their own sections and rows in plain text: `(5.9)`, `A16`, `row 25`.
#[test]
fn the_documents_agree_with_themselves() {
    for (_, document) in DOCUMENTS {
        let (text, known) = (read(Path::new(document)).expect("the document"), citable(document));
        let words: Vec<&str> = text.split(|c: char| c.is_whitespace() || ",;:()|".contains(c)).collect();
        let mut missing: Vec<String> = Vec::new();
        for pair in words.windows(2).filter(|pair| pair[0] == "row" && pair[1].parse::<u32>().is_ok()) {
            missing.extend(Some(format!("6, row {}", pair[1])).filter(|row| !known.contains(row)));
        }
        let is_later = |word: &str| word.strip_prefix(['A', 'B']).is_some_and(|rest| rest.parse::<u32>().is_ok());
        let bracketed = text.split('(').skip(1).filter_map(|rest| rest.split(')').next());
        let sections = bracketed
            .flat_map(|inside| inside.split(", "))
            .filter(|text| text.contains('.') && text.split('.').all(|part| part.parse::<u32>().is_ok()));
        let cited = words.iter().map(|word| word.trim_end_matches('.')).filter(|word| is_later(word)).chain(sections);
        missing.extend(cited.filter(|number| !known.contains(*number)).map(str::to_owned));
        assert_eq!(missing, [""; 0], "{document}");
    }
}
