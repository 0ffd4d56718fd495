//! State files of every version that was ever in use are opened by this one. `tests/data/compat/` keeps a file of each;
//! when a migration is added, a file of the version before it is added there, and none is ever changed.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::cases::each;
use crate::support::invariants::Invariant;
use crate::support::processes::Room;
use crate::support::prometheus::Metrics;
use crate::support::world::TestWorld;

/// The files of one kind, by name.
fn kept(kind: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/compat");
    let is_kind = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(kind));
    let found: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(is_kind).collect();
    assert!(!found.is_empty(), "no {kind} file is kept");
    found
}

/// Puts an old file where the module will look for it.
fn plant(file: &Path, directory: &Path, name: &str) {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).unwrap();
    fs::copy(file, directory.join(name)).unwrap();
    fs::set_permissions(directory.join(name), PermissionsExt::from_mode(0o600)).unwrap();
}

#[test]
fn an_old_journal_is_read_and_carried_on() {
    let files = kept("journal-");
    let cases: Vec<(&str, &PathBuf)> = files.iter().map(|file| (file.to_str().unwrap(), file)).collect();
    each(&cases, |file| {
        let world = TestWorld::start();
        plant(file, &world.bill.root().join("var/pmvmmanager6"), "journal.db");
        world.waive(Invariant::NothingForgotten, "the old journal names another installation");
        let item = world.ordered();
        world.succeed(item, "open");
        // The name of the installation comes from the old journal, not from the key of this one.
        let mark = format!("billmgr:0123456789ab:{item}");
        assert_eq!(world.vmm.look(|platform| platform.host_by_comment(&mark).len()), 1, "{}", world.bill.log());
        assert_eq!(world.journal(900_001), Some(("ready".to_owned(), Some(215))));
        // For the way back to the version that wrote it.
        let version = file.file_stem().unwrap().to_str().unwrap().replace("journal-", "journal.db.version-");
        let left = world.bill.root().join("var/pmvmmanager6").join(version);
        assert_eq!(fs::read(left).unwrap(), fs::read(file).unwrap());
    });
}

#[test]
fn an_old_runtime_file_is_used_and_not_set_aside() {
    for file in kept("runtime-") {
        let world = TestWorld::start();
        let directory = world.bill.root().join("var/pmvmmanager6/run");
        plant(&file, &directory, "runtime.db");
        let item = world.ordered();
        world.succeed(item, "open");
        let names = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let aside: Vec<String> = names.filter(|name| name.contains(".bad")).collect();
        assert!(aside.is_empty(), "{} was set aside: {aside:?}", file.display());
    }
}

#[test]
fn old_metrics_are_added_to() {
    for file in kept("metrics-") {
        let room = Room::new();
        plant(&file, &room.runtime(), "metrics.json");
        assert_eq!(room.run(&["--command", "fly"]).0, 1);
        let metrics = Metrics::in_room(&room);
        let count = metrics.get("operations_total{command=\"unknown\",result=\"not_supported\"}");
        assert_eq!(count, Some(42.0), "{}", file.display());
        assert_eq!(metrics.get("operation_duration_seconds_count{command=\"unknown\"}"), Some(42.0));
        // Its bounds were others.
        assert_eq!(metrics.get("operation_duration_seconds_bucket{command=\"unknown\",le=\"1\"}"), Some(42.0));
        assert!(!room.runtime().join("metrics.json.bad-1").exists());
    }
}

#[test]
fn what_ended_long_ago_is_forgotten_and_nothing_else() {
    let world = TestWorld::start();
    let item = world.opened();
    let journal = rusqlite::Connection::open(world.bill.root().join("var/pmvmmanager6/journal.db")).unwrap();
    let day = 24 * 60 * 60;
    let now = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    let ended = [(900_001, Some(now - 91 * day)), (900_002, Some(now - 89 * day)), (900_003, None)];
    for (item, ended) in ended {
        let sql = "INSERT INTO service (item, client, phase, mark, hash, changed, ended) VALUES (?1, 1, 'deleted', '', '', 1, ?2)";
        journal.execute(sql, rusqlite::params![item, ended]).unwrap();
    }
    drop(journal);
    world.succeed(world.ordered(), "open");
    let kept = |item| world.journal(item).is_some();
    assert_eq!([900_001, 900_002, 900_003, item].map(kept), [false, true, true, true]);
}
