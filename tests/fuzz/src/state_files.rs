//! Files of our own state, damaged in any way: `journal.db`, `runtime.db`, the tickets and the metrics.

use std::fs;
use std::path::Path;

use pmvmmanager6::error::Kind;
use pmvmmanager6::journal::{Journal, Phase, Subject};
use pmvmmanager6::{metrics, queue};
use tempfile::TempDir;

/// Where the files of released versions are kept.
const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../data/compat/");

/// The first byte chooses the file, each three bytes after it are a place and a value there; what is odd cuts the file.
pub fn check(bytes: &[u8]) {
    let Some((choice, changes)) = bytes.split_first() else { return };
    let root = tempfile::tempdir_in(memory()).expect("a temporary directory");
    match choice % 4 {
        0 => journal(&root, &damaged("journal-2.db", changes)),
        1 => runtime(&root, &damaged("runtime-1.db", changes)),
        2 => ticket(&root, changes),
        _ => counters(&root, &damaged("metrics-1.json", changes)),
    }
}

/// Nothing here has to survive: memory is faster than a disk.
fn memory() -> &'static Path {
    let shared = Path::new("/dev/shm");
    if shared.is_dir() { shared } else { Path::new("/tmp") }
}

fn damaged(name: &str, changes: &[u8]) -> Vec<u8> {
    let mut file = fs::read(format!("{KEPT}{name}")).expect("a kept file");
    for change in changes.chunks(3) {
        match change {
            [high, low, value] => {
                let place = (usize::from(*high) << 8 | usize::from(*low)) % file.len();
                file[place] = *value;
            }
            [high, ..] => file.truncate(file.len() * usize::from(*high) / 256),
            [] => {}
        }
        if file.is_empty() {
            break;
        }
    }
    file
}

/// A journal works, or is refused with words and left as it is: it is the only proof of some VMs.
fn journal(root: &TempDir, file: &[u8]) {
    let config = crate::config(root.path());
    let path = config.state_dir().join("journal.db");
    fs::create_dir_all(config.state_dir()).expect("the state directory");
    fs::write(&path, file).expect("the file");
    let used = Journal::open(&config).and_then(|journal| {
        _ = journal.find(1.into())?;
        _ = journal.account_of(1.into(), 1.into(), None)?;
        _ = (journal.platforms()?, journal.ties()?);
        _ = journal.caps()?;
        let item = 77.into();
        let subject = Subject { item, client: 7.into(), platform: 1.into(), mark: "billmgr:0123456789ab:77" };
        journal.intend(subject, "hash", 3.into())?;
        journal.step(item, Phase::Requested)?;
        journal.accept(item, 700.into(), Some((5.into(), "host_create")))?;
        journal.find(item)
    });
    match used {
        Ok(record) => {
            let record = record.expect("what was written is there");
            assert_eq!((record.phase, record.vm), (Phase::Accepted, Some(700.into())));
        }
        Err(error) => {
            crate::is_told(error.kind, &[Kind::State]);
            assert!(path.exists(), "the journal was thrown away");
        }
    }
}

/// The runtime state is rebuilt whatever became of it.
fn runtime(root: &TempDir, file: &[u8]) {
    let directory = crate::config(root.path()).runtime_dir();
    fs::create_dir_all(&directory).expect("the runtime directory");
    fs::write(directory.join("runtime.db"), file).expect("the file");
    use_queue(&directory);
}

/// A foreign file among the tickets holds nobody up.
fn ticket(root: &TempDir, text: &[u8]) {
    let directory = crate::config(root.path()).runtime_dir();
    fs::create_dir_all(directory.join("tickets")).expect("the tickets");
    fs::write(directory.join("tickets/1"), text).expect("a ticket");
    use_queue(&directory);
}

/// Metrics are read, or refused with words and begun again by the next run.
fn counters(root: &TempDir, file: &[u8]) {
    let config = crate::config(root.path());
    fs::create_dir_all(config.runtime_dir()).expect("the runtime directory");
    fs::write(config.runtime_dir().join("metrics.json"), file).expect("the file");
    if let Err(error) = metrics::read(&config) {
        crate::is_told(error.kind, &[Kind::State]);
    }
    metrics::store(&config).expect("a damaged file is set aside");
    metrics::read(&config).expect("what was written can be read");
}

fn use_queue(directory: &Path) {
    let who = queue::Label { command: "open".to_owned(), item: Some(1.into()), handler: Some(2.into()) };
    let waits = &mut |_: &queue::Waiting| panic!("a dead ticket holds the living up");
    let used = queue::enter(directory, "2", 1, &who, waits).and_then(|turn| {
        assert_eq!(turn.number(), 1);
        queue::list(directory)
    });
    match used {
        Ok(entries) => {
            assert!(entries.iter().any(|entry| entry.label.item == Some(1.into())), "the running one is not listed");
        }
        Err(error) => crate::is_told(error.kind, &[Kind::State]),
    }
}
