//! Letters that a terminal obeys, that turn the direction of writing or that nobody sees, in every field of both platforms:
//! none of them reaches a terminal, a file, a document or an argument as it is.

use std::fs;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use flate2::read::GzDecoder;
use pmvmmanager6::text::is_unsafe;
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use sandbox::vmm::{Action, Fault, Hostile, ODD, Platform};

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

/// Columns of BILLmanager that people fill in, or that the module has filled with words of VMmanager.
const COLUMNS: [(&str, &str); 11] = [
    ("account", "name"),
    ("user", "name"),
    ("user", "realname"),
    ("item", "name"),
    ("pricelist", "name"),
    ("processingmodule", "name"),
    ("project", "name"),
    ("datacenter", "name"),
    ("ip", "name"),
    ("itemtype", "name"),
    ("enumerationitem", "name"),
];

fn odd(text: &str) -> String {
    format!("{ODD}{text}{ODD}")
}

/// Every name and text of the platform that does not decide anything.
fn write_odd_letters(platform: &mut Platform) {
    platform.hosts.values_mut().for_each(|host| {
        (host.name, host.domain, host.comment) = (odd(&host.name), odd(&host.domain), odd(&host.comment));
    });
    platform.clusters.values_mut().for_each(|it| it.name = odd(&it.name));
    platform.nodes.values_mut().for_each(|it| it.name = odd(&it.name));
    platform.pools.values_mut().for_each(|it| it.name = odd(&it.name));
    platform.recipes.values_mut().for_each(|it| it.name = odd(&it.name));
    platform.presets.values_mut().for_each(|it| it.name = odd(&it.name));
    platform.ips.values_mut().for_each(|it| it.domain = odd(&it.domain));
    platform.version = odd(&platform.version);
}

/// An open service on platforms whose texts are all odd.
fn odd_world() -> (TestWorld, u64) {
    let world = TestWorld::with(|scene| "answer=3,asleep=1,change=2,create=3".clone_into(&mut scene.limits));
    world.waive(Invariant::NothingForgotten, "the comments are written over");
    let item = world.opened();
    world.vmm.change(write_odd_letters);
    for (table, column) in COLUMNS {
        // NUL ends a text for SQLite.
        let letters = ODD.replace('\0', "");
        let sql = format!("UPDATE {table} SET {column} = ? || {column} || ?");
        world.bill.exec(&sql, &[&letters, &letters]);
    }
    (world, item)
}

/// How VMmanager is when it is asked: honest but for its names, or odd in every word, or failing with odd words.
fn moods() -> [(&'static str, Option<Fault>); 4] {
    let failed = Action::FailTask { word: "failed", text: odd("no space left") };
    let refused = Action::Error { status: 400, code: 3006, msg: odd("it is full") };
    [
        ("odd names", None),
        ("odd words", Some(Fault::hostile(Hostile::OddTexts))),
        ("a task that fails", Some(Fault::on("POST", "*").always().act(failed))),
        ("a refusal", Some(Fault::on("POST", "*").always().act(refused))),
    ]
}

/// Raw letters, apart from line breaks and, on a terminal, the colours of our own pages.
#[track_caller]
pub(crate) fn assert_none(place: &str, bytes: &[u8], colours: bool) {
    let text = String::from_utf8_lossy(bytes).replace("\r\n", "\n");
    let text = if colours { without_colours(&text) } else { text };
    let found = text.char_indices().find(|(_, c)| is_unsafe(*c) && *c != '\n');
    if let Some((at, letter)) = found {
        let before: String = text[..at].chars().rev().take(200).collect::<Vec<_>>().into_iter().rev().collect();
        panic!("{letter:?} in {place} after {before:?}");
    }
}

/// What the pages and the live line of the module write themselves.
fn without_colours(text: &str) -> String {
    let mut parts = text.split("\u{1b}[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
        match rest.strip_prefix(['m', 'K']) {
            Some(rest) => plain.push_str(rest),
            None => plain.extend(["\u{1b}[", part]),
        }
    }
    plain.replace('\r', "\n")
}

/// Everything that a run writes on a terminal.
pub(crate) fn at_a_terminal(world: &TestWorld, arguments: &[&str]) -> Vec<u8> {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let terminal =
        || -> OwnedFd { rustix::fs::open(name.as_c_str(), OFlags::RDWR | OFlags::NOCTTY, Mode::empty()).unwrap() };
    let mut command = world.bill.command(arguments);
    command.env("TERM", "xterm-256color").stdin(Stdio::null()).stdout(terminal()).stderr(terminal());
    let mut child = command.spawn().unwrap();
    drop(command);
    let mut written = Vec::new();
    // A terminal that nobody has open any more is an error for the other end.
    _ = fs::File::from(master).read_to_end(&mut written);
    child.wait().unwrap();
    written
}

fn operator_commands(item: &str, handler: &str) -> Vec<Vec<String>> {
    let lines = [
        format!("show --item {item}"),
        format!("show --item {item} --json"),
        format!("doctor --module {handler}"),
        format!("doctor --module {handler} --json"),
        format!("check-connection --module {handler}"),
        "audit".to_owned(),
        "audit --json".to_owned(),
        format!("link --item {item}"),
        format!("plan --item {item} --command setparam"),
        format!("plan --item {item} --command open"),
        format!("plan --item {item} --command close --json"),
        format!("reinstall --item {item}"),
        "platform".to_owned(),
        "account".to_owned(),
        "session".to_owned(),
        "queue".to_owned(),
        "metrics".to_owned(),
        format!("verify --module {handler}"),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[test]
fn no_odd_letter_reaches_a_terminal() {
    each(&moods(), |fault| {
        let (world, item) = odd_world();
        if let Some(fault) = fault {
            world.vmm.fault(fault.clone());
        }
        for words in operator_commands(&item.to_string(), &world.handler.to_string()) {
            let words: Vec<&str> = words.iter().map(String::as_str).collect();
            let written = at_a_terminal(&world, &words);
            assert!(!written.is_empty(), "{words:?} says nothing");
            assert_none(&format!("{words:?}"), &written, true);
        }
        let operation = world.bill.operation(item, "reboot");
        let words = ["--command", "reboot", "--item", &item.to_string(), "--runningoperation", &operation.to_string()];
        assert_none("the live line", &at_a_terminal(&world, &words), true);
        assert_none_in_files(&world, &world.bill.root().join("var"));
    });
}

#[test]
fn no_odd_letter_reaches_a_document() {
    each(&moods(), |fault| {
        let (world, item) = odd_world();
        if let Some(fault) = fault {
            world.vmm.fault(fault.clone());
        }
        world.bill.exec("UPDATE runningoperation SET trycount = 10", &[]);
        let link = world.run(&["--command", "transition_controlpanel", "--item", &item.to_string()]);
        assert_none("transition_controlpanel", link.stdout.as_bytes(), false);
        for command in ["setparam", "suspend", "resume", "sync_item", "close"] {
            let run = world.perform(item, command);
            assert_none(command, run.stdout.as_bytes(), false);
            assert_none(command, run.stderr.as_bytes(), false);
        }
        let handler = world.handler.to_string();
        for command in ["stat", "sync_server", "import", "get_server_config"] {
            assert_none(command, world.run(&["--command", command, "--module", &handler]).stdout.as_bytes(), false);
        }
        let form =
            format!("<doc><elid>{handler}</elid><name>{}</name></doc>", ODD.replace(['\0', '\u{1b}', '\u{7}'], ""));
        for command in ["tune_connection", "tuning_param", "pricelist_dynamic_settings_tune", "get_suitable_module"] {
            let run = world.run_with_input(&["--command", command, "--module", &handler], &form);
            assert_none(command, run.stdout.as_bytes(), false);
        }
        for call in world.bill.calls() {
            call.argv
                .iter()
                .for_each(|word| assert_none(&format!("{}: {word:?}", call.function), word.as_bytes(), false));
        }
        assert_none_in_files(&world, &world.bill.root().join("var"));
    });
}

#[test]
fn no_odd_letter_is_in_a_bundle() {
    let (world, item) = odd_world();
    let file = world.bill.root().join("var/bundle.tar.gz");
    let run = world.bill.run(&["show", "--item", &item.to_string(), "--bundle", file.to_str().unwrap()]);
    assert_none("standard output", run.stdout.as_bytes(), false);
    let mut archive = tar::Archive::new(GzDecoder::new(fs::File::open(&file).unwrap()));
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        assert_none(&name, &bytes, false);
    }
}

/// Text files of the module; a database keeps what it is given, and is read by the module alone.
#[track_caller]
pub(crate) fn assert_none_in_files(world: &TestWorld, directory: &Path) {
    assert!(!world.bill.log().is_empty(), "nothing was logged");
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        let is_text = path.extension().is_some_and(|it| ["log", "json", "prom", "txt"].iter().any(|text| it == *text));
        if path.is_dir() && !path.ends_with("sandbox") {
            assert_none_in_files(world, &path);
        } else if is_text {
            assert_none(&path.display().to_string(), &fs::read(&path).unwrap(), false);
        }
    }
}
