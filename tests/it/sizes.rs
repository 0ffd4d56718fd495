//! What fits on a screen is read: sizes of files and functions, and no logic in a `mod.rs`.

use std::fs;
use std::path::{Path, PathBuf};

const FILE: usize = 450;
const FUNCTION: usize = 60;
const FACADE: usize = 60;

fn sources() -> Vec<(String, String)> {
    fn collect(path: &Path, found: &mut Vec<PathBuf>) {
        if path.is_dir() {
            for entry in fs::read_dir(path).unwrap() {
                collect(&entry.unwrap().path(), found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path.to_owned());
        }
    }
    let mut found = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 100, "the sources are not found");
    found.iter().map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

/// The functions that are longer: where each begins, and its lines from `fn` to the closing brace. The code is formatted, so
/// that brace has the indentation of the `fn`.
fn long_functions(text: &str) -> Vec<(usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let begins = lines.iter().enumerate().filter(|(_, line)| {
        let words = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub(super) ");
        let words = words.trim_start_matches("pub ").trim_start_matches("const ");
        words.starts_with("fn ") && !line.ends_with(['}', ';'])
    });
    let length = |(at, line): (usize, &&str)| {
        let indentation = &line[..line.len() - line.trim_start().len()];
        let ends = lines[at..].iter().position(|line| *line == format!("{indentation}}}"));
        (at + 1, ends.map_or(usize::MAX, |end| end + 1))
    };
    begins.map(length).filter(|(_, length)| *length > FUNCTION).collect()
}

#[test]
fn no_file_and_no_function_is_long() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let lines = text.lines().count();
        if lines > FILE {
            wrong.push(format!("{path}: {lines} lines, more than {FILE}"));
        }
        let functions = long_functions(&text).into_iter();
        wrong.extend(
            functions.map(|(at, lines)| format!("{path}:{at}: a function of {lines} lines, more than {FUNCTION}")),
        );
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn long_functions_are_seen() {
    let body = "        step();\n".repeat(60);
    let text =
        format!("impl A {{\n    pub fn short() {{}}\n\n    pub fn long(\n        a: u8,\n    ) {{\n{body}    }}\n}}\n");
    assert_eq!(long_functions(&text), [(4, 64)]);
}

/// A `mod.rs` has its essay, `mod` lines and `pub use`.
#[test]
fn a_facade_has_no_logic() {
    let mut wrong = Vec::new();
    for (path, text) in sources().into_iter().filter(|(path, _)| path.ends_with("/mod.rs")) {
        let code: Vec<&str> =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("//")).collect();
        if code.len() > FACADE {
            wrong.push(format!("{path}: {} lines of code, more than {FACADE}", code.len()));
        }
        let statements = code.join(" ");
        let logic = statements.split_inclusive(';').map(str::trim).find(|statement| {
            let words =
                statement.split_inclusive(']').next_back().filter(|_| statement.starts_with('#')).unwrap_or(statement);
            let words = words.trim().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
            !words.starts_with("mod ") && !words.starts_with("use ")
        });
        wrong.extend(logic.map(|logic| format!("{path}: {logic}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
