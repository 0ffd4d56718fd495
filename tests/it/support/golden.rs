//! Outputs that are kept as files in `tests/data/`, with what varies from run to run taken out.

use std::fs;
use std::path::Path;

use super::world::TestWorld;

/// With `UPDATE_GOLDENS=1` in the environment the files are written again; the difference is then read in review.
const UPDATE: &str = "UPDATE_GOLDENS";

/// The text is the kept one.
#[track_caller]
pub(crate) fn assert_golden(name: &str, text: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    if std::env::var_os(UPDATE).is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
    }
    let kept = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    assert_eq!(text, kept, "{} ({UPDATE}=1 writes it again)", path.display());
}

/// A text with the marks of this world's services as `billmgr:INSTALLATION:1:TAG`: each build folder has its own key.
pub(crate) fn unmarked(world: &TestWorld, text: &str) -> String {
    let shown = |text: String, item: u64| text.replace(&world.mark(item), &format!("billmgr:INSTALLATION:{item}:TAG"));
    let text = (1..100).fold(text.to_owned(), shown);
    let mark = world.mark(0);
    text.replace(mark.split(':').nth(1).unwrap(), "INSTALLATION")
}

/// A text without this world's address, place and marks, moments of time and process ids.
pub(crate) fn normal(world: &TestWorld, text: &str) -> String {
    let root = world.bill.root().display().to_string();
    let places = [(world.vmm.url(), "VMMANAGER"), (root, "ROOT")];
    let text = places.iter().fold(unmarked(world, text), |text, (place, name)| text.replace(place, name));
    let lines = text.lines().map(|line| {
        let varies = ["\"pid\": ", "\"age_seconds\": ", "\"running_seconds\": "];
        match varies.iter().find_map(|name| line.find(name).map(|at| at + name.len())) {
            Some(at) => format!("{}N,", &line[..at]),
            None => timeless(line),
        }
    });
    lines.map(|line| line + "\n").collect()
}

/// `2025-06-30 12:00:00` and `2025-06-30T12:00:00Z` as `TIME`.
fn timeless(line: &str) -> String {
    const SHAPE: &[u8] = b"0000-00-00 00:00:00";
    let fits = |bytes: &[u8]| {
        bytes.len() >= SHAPE.len()
            && bytes.iter().zip(SHAPE).all(|(byte, shape)| match shape {
                b'0' => byte.is_ascii_digit(),
                b' ' => matches!(byte, b' ' | b'T'),
                shape => byte == shape,
            })
    };
    let mut result = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        if fits(rest.as_bytes()) {
            result.push_str("TIME");
            rest = rest[SHAPE.len()..].trim_start_matches('Z');
        } else {
            result.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    result
}

/// Replaces what is between `before` and the next `after` of the same line by three dots.
pub(crate) fn blanked(text: &str, before: &str, after: &str) -> String {
    let blank = |line: &str| {
        let found = line.split_once(before).and_then(|(start, rest)| Some((start, &rest[rest.find(after)?..])));
        found.map_or_else(|| line.to_owned(), |(start, rest)| format!("{start}{before}…{rest}"))
    };
    text.split('\n').map(blank).collect::<Vec<_>>().join("\n")
}
