//! The checks under proptest: seeds as they are, and mutations of them.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use crate::{filters, operations, panel_xml, state_files, vmm_json};

fn seeds(name: &str) -> Vec<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("seeds").join(name);
    let files = fs::read_dir(&directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    files.map(|file| fs::read(file.expect("a seed").path()).expect("a readable seed")).collect()
}

/// A seed with some bytes overwritten, left out or put in.
fn mutated(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
    let place = any::<prop::sample::Index>();
    let change = (place, 0..3_u8, prop::collection::vec(any::<u8>(), 0..6));
    (prop::sample::select(seeds), prop::collection::vec(change, 0..8)).prop_map(|(mut bytes, changes)| {
        for (place, kind, new) in changes {
            let at = place.index(bytes.len() + 1);
            let end = if kind == 2 { at } else { bytes.len().min(at + 1 + new.len()) };
            let new = if kind == 1 { Vec::new() } else { new };
            bytes.splice(at..end, new);
        }
        bytes
    })
}

/// So many cases, or as many as fit into `FUZZ_SECONDS`, and every seed.
fn try_out(name: &str, cases: u32, check: fn(&[u8])) {
    try_out_side_by_side(name, 1, cases, check);
}

/// The same with so many cases at a time.
fn try_out_side_by_side(name: &str, threads: u16, cases: u32, check: fn(&[u8])) {
    let seconds = std::env::var("FUZZ_SECONDS").ok().map(|text| text.parse().expect("FUZZ_SECONDS is a number"));
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let seeds = &seeds(name);
    assert!(!seeds.is_empty(), "no seeds for {name}");
    thread::scope(|scope| {
        for at in 0..usize::from(threads) {
            scope.spawn(move || {
                seeds.iter().skip(at).step_by(threads.into()).for_each(|seed| check(seed));
                try_mutations(seeds, cases / u32::from(threads), check);
                while until.is_some_and(|until| Instant::now() < until) {
                    try_mutations(seeds, 10, check);
                }
            });
        }
    });
}

fn try_mutations(seeds: &[Vec<u8>], cases: u32, check: fn(&[u8])) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let tried = TestRunner::new(config).run(&mutated(seeds.to_owned()), |bytes| {
        check(&bytes);
        Ok(())
    });
    tried.unwrap_or_else(|failure| panic!("{failure}"));
}

#[test]
fn panel_xml_is_a_tree_or_refused() {
    try_out("panel_xml", 4000, panel_xml::check);
}

#[test]
fn vmm_json_ends_as_done_refused_or_unknown() {
    try_out("vmm_json", 1500, vmm_json::check);
}

#[test]
fn filters_select_what_they_were_made_for() {
    try_out("filters", 2000, filters::check);
}

#[test]
fn state_files_work_or_are_refused_with_words() {
    try_out("state_files", 400, state_files::check);
}

#[test]
fn operations_end_as_they_should_whatever_is_answered() {
    try_out_side_by_side("operations", 4, 12, operations::check);
}
