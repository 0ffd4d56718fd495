//! Outputs that are kept in `tests/data`.

use std::fs;
use std::path::Path;

/// `UPDATE_GOLDENS=1 cargo test` writes the files anew; the difference is then read in review.
const UPDATE: &str = "UPDATE_GOLDENS";

/// The text is the one in `tests/data/<name>`.
#[track_caller]
pub fn assert_golden(name: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
    }
    let kept = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert_eq!(text, kept, "{name}");
}

/// Replaces what stands between `before` and the next `after` of the same line by three dots.
pub fn blanked(text: &str, before: &str, after: &str) -> String {
    let blank = |line: &str| {
        let found = line.split_once(before).and_then(|(start, rest)| Some((start, &rest[rest.find(after)?..])));
        found.map_or_else(|| line.to_owned(), |(start, rest)| format!("{start}{before}…{rest}"))
    };
    text.split('\n').map(blank).collect::<Vec<_>>().join("\n")
}
