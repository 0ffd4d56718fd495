//! A database that is damaged while processes wait in the queue.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use pmvmmanager6::lock::Lock;

use super::processes::{Room, Running, jobs, most_at_once};

/// Changes the database as nobody should: under its guard, so that the moment is known.
pub(crate) fn damage(room: &Room, how: impl FnOnce(&Path)) {
    let guard = room.runtime().join("runtime.guard");
    let _guard = Lock::at(&guard, &mut || ()).unwrap();
    how(&room.runtime().join("runtime.db"));
}

/// Writes over a part of a file in place: the same inode, as by a stray program.
pub(crate) fn overwrite(path: &Path, offset: usize, bytes: &[u8]) {
    let mut content = fs::read(path).unwrap();
    content[offset..offset + bytes.len()].copy_from_slice(bytes);
    fs::write(path, content).unwrap();
}

/// One runs and `waiting` wait when `how` happens to the database; then two more arrive. Everybody finishes in the
/// order of arrival.
pub(crate) fn survives(name: &str, waiting: usize, how: impl FnOnce(&Path)) -> Room {
    let room = Room::new();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let mut line: Vec<Running> = (0..waiting)
        .map(|n| {
            let hold = room.hold("k", &format!("old{n}")).milliseconds(0).start();
            room.await_event("waiting", &format!("old{n}"));
            hold
        })
        .collect();
    damage(&room, how);
    for n in 0..2 {
        line.push(room.hold("k", &format!("new{n}")).milliseconds(0).start());
        room.await_event("waiting", &format!("new{n}"));
    }
    assert_eq!(room.tickets().len(), waiting + 3, "{name}");
    owner.succeed();
    let expected: Vec<String> = line.iter().map(|hold| hold.label.clone()).collect();
    line.into_iter().for_each(Running::succeed);
    let jobs = jobs(&room.events());
    assert_eq!(jobs[1..].iter().map(|job| job.label.clone()).collect::<Vec<_>>(), expected, "{name}");
    assert_eq!(most_at_once(&jobs, &BTreeMap::new()), 1, "{name}");
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
    room
}

/// A kind of damage and its name.
type Damage = (&'static str, fn(&Path));

/// Everything that may have happened to the database.
pub(crate) const DAMAGES: [Damage; 7] = [
    ("header", |path| overwrite(path, 0, &[0xaa; 100])),
    ("page", |path| overwrite(path, 4096, &[0xaa; 4096])),
    ("truncated", |path| fs::File::options().write(true).open(path).unwrap().set_len(6000).unwrap()),
    ("emptied", |path| fs::File::options().write(true).open(path).unwrap().set_len(0).unwrap()),
    ("newer", |path| rusqlite::Connection::open(path).unwrap().pragma_update(None, "user_version", 99).unwrap()),
    ("foreign", |path| rusqlite::Connection::open(path).unwrap().pragma_update(None, "application_id", 7).unwrap()),
    ("removed", |path| fs::remove_file(path).unwrap()),
];
