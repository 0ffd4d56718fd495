//! The pages of topics: `help` prints them, and every command in them does what it says on a sound installation.

use pmvmmanager6::cli::topic::{TOPICS, Topic};
use pmvmmanager6::config::MODULE;

use crate::support::world::TestWorld;

/// It ends when somebody stops it.
const ENDLESS: &str = "--watch";
/// They look for what is wrong, and the world's files are open to all: they may find something.
const FINDERS: [&str; 1] = ["doctor"];

fn help(words: &[&str]) -> String {
    let mut module = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"));
    let run = module.args(words).env("PMVMMANAGER6_ROOT", "/nonexistent/mgr5").assert().success().stderr("");
    String::from_utf8(run.get_output().stdout.clone()).unwrap()
}

fn examples(topic: Topic) -> impl Iterator<Item = &'static str> {
    topic.text.lines().filter_map(|line| line.strip_prefix("    ")).map(str::trim)
}

#[test]
fn every_page_is_listed_and_fits_a_terminal() {
    let overview = help(&["--help"]);
    for topic in TOPICS {
        assert!(overview.contains(topic.name) && overview.contains(topic.title()), "{overview}");
        let page = help(&["help", topic.name]);
        assert_eq!(page, topic.text);
        // A command of two programs is longer.
        let long = page.lines().find(|line| line.len() > 80 && !line.contains('|'));
        assert!(long.is_none() && page.ends_with('\n'), "{}: {long:?}", topic.name);
        assert!(examples(topic).count() > 2, "{}", topic.name);
    }
}

#[test]
fn what_is_no_page_is_wrong_usage() {
    let mut module = assert_cmd::Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"));
    let run = module.args(["help", "first-handlr"]).env("PMVMMANAGER6_ROOT", "/nonexistent/mgr5").assert().code(2);
    assert_eq!(run.get_output().stdout.len(), 0);
}

#[test]
fn every_example_works_on_a_sound_installation() {
    let world = TestWorld::start();
    let item = world.opened();
    let (item, vm, handler) = (item.to_string(), world.host_of(item).id.to_string(), world.handler.to_string());
    let bundle = world.bill.root().join("4711.tar.gz").display().to_string();
    for topic in TOPICS {
        for line in examples(topic).filter(|line| !line.contains(ENDLESS)) {
            let [program, words @ ..] = &*line.split_whitespace().collect::<Vec<_>>() else { unreachable!() };
            if program.rsplit('/').next() != Some(MODULE) {
                continue;
            }
            let real = |word: &&str| match *word {
                "3" => handler.clone(),
                "4711" => item.clone(),
                "217" => vm.clone(),
                "/root/4711.tar.gz" => bundle.clone(),
                other => other.to_owned(),
            };
            let words: Vec<String> = words.iter().map(real).collect();
            let run = world.bill.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
            let is_fine = run.status == Some(0) || (run.status == Some(1) && FINDERS.contains(&words[0].as_str()));
            assert!(is_fine && run.stderr.is_empty(), "{}: {line}\n{}{}", topic.name, run.stdout, run.stderr);
        }
    }
}
