//! What happens when the files of the queue are damaged, removed, on a full disk, or not to be trusted.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::PathBuf;
use std::process::Command;

use crate::support::damage::{DAMAGES, damage, overwrite, survives};
use crate::support::processes::{PROGRAM, Room, Running, housed, jobs, most_at_once, until};

#[test]
fn a_database_that_is_damaged_while_they_wait_is_rebuilt_from_the_tickets() {
    for (name, how) in DAMAGES {
        let room = survives(name, 4, how);
        let bad = |n: u8| room.runtime().join(format!("runtime.db.bad-{n}"));
        // Of nothing, nothing is kept.
        let kept = !matches!(name, "removed" | "emptied");
        assert_eq!((bad(1).exists(), bad(2).exists()), (kept, false), "{name}");
        let told = room.log().matches("a new one is begun").count();
        assert_eq!(told, usize::from(kept), "{name}: {}", room.log());
    }
}

#[test]
fn at_most_two_damaged_files_are_kept() {
    let room = Room::new();
    for _ in 0..3 {
        room.hold("k", "x").milliseconds(0).start().succeed();
        damage(&room, |path| overwrite(path, 0, &[0xaa; 100]));
    }
    room.hold("k", "x").milliseconds(0).start().succeed();
    let names = fs::read_dir(room.runtime()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut bad: Vec<String> = names.filter(|name| name.contains("bad")).collect();
    bad.sort();
    assert_eq!(bad.len(), 4, "{bad:?}");
    assert!(bad.contains(&"runtime.db.bad-2".to_owned()), "{bad:?}");
}

#[test]
fn without_the_ticket_files_nobody_runs_twice() {
    let room = Room::new();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let old = room.hold("k", "old").milliseconds(0).start();
    room.await_event("waiting", "old");
    damage(&room, |_| fs::remove_dir_all(room.runtime().join("tickets")).unwrap());
    let new = room.hold("k", "new").milliseconds(0).start();
    room.await_event("waiting", "new");
    assert_eq!(room.line(), ["owner", "old", "new"]);
    owner.succeed();
    old.succeed();
    new.succeed();
    let jobs = jobs(&room.events());
    assert_eq!(jobs.iter().map(|job| job.label.as_str()).collect::<Vec<_>>(), ["owner", "old", "new"]);
    assert_eq!(most_at_once(&jobs, &BTreeMap::new()), 1);
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn without_any_file_new_operations_are_refused_until_the_old_have_ended() {
    let room = Room::new();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let old = room.hold("k", "old").milliseconds(0).start();
    room.await_event("waiting", "old");
    for entry in fs::read_dir(room.runtime()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { fs::remove_dir_all(path).unwrap() } else { fs::remove_file(path).unwrap() }
    }
    let (status, text) = room.hold("k", "new").milliseconds(0).start().end();
    assert_eq!(status, 1);
    assert!(text.contains("were removed while operations run"), "{text}");
    owner.succeed();
    let (status, text) = old.end();
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("removed"), "{text}");
    assert_eq!(most_at_once(&jobs(&room.events()), &BTreeMap::new()), 1);
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn many_first_processes_make_one_database() {
    let room = Room::new();
    let crowd: Vec<Running> =
        (0..60).map(|n| room.hold(&format!("k{n}"), &format!("p{n}")).milliseconds(0).start()).collect();
    crowd.into_iter().for_each(Running::succeed);
    assert!(!room.log().contains("bad-"), "{}", room.log());
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

/// Stands in the queue once and expects the refusal: status 1 and an error `state` with these parts.
fn refused(room: &Room, parts: &[&str]) {
    let (status, text) = room.hold("k", "x").milliseconds(0).start().end();
    assert_eq!(status, 1, "{text}");
    for part in ["state ("].iter().chain(parts) {
        assert!(text.contains(part), "{part} is missing in: {text}");
    }
}

#[test]
fn a_directory_that_others_can_change_is_refused_with_the_cure() {
    let room = Room::new();
    let path = room.runtime();
    fs::create_dir_all(&path).unwrap();
    fs::set_permissions(&path, PermissionsExt::from_mode(0o777)).unwrap();
    refused(&room, &[path.to_str().unwrap(), "chmod 0700"]);
    fs::set_permissions(&path, PermissionsExt::from_mode(0o700)).unwrap();
    if rustix::process::geteuid().is_root() {
        chown(&path, Some(12345), None).unwrap();
        refused(&room, &[path.to_str().unwrap(), "chown 0"]);
        chown(&path, Some(0), None).unwrap();
    }
    fs::remove_dir(&path).unwrap();
    let elsewhere = room.path("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    refused(&room, &[path.to_str().unwrap(), "symbolic link"]);
    fs::remove_file(&path).unwrap();
    room.hold("k", "x").milliseconds(0).start().succeed();
}

#[test]
fn a_network_filesystem_is_refused() {
    let room = Room::new();
    for (magic, name) in [("6969", "NFS"), ("ff534d42", "CIFS"), ("65735546", "FUSE")] {
        let mut command = room.program();
        command.env("PMVMMANAGER6_FILESYSTEM", magic);
        let (status, text) = room.hold_in(command, "k", "x").milliseconds(0).start().end();
        assert_eq!(status, 1);
        assert!(text.contains(name) && text.contains("local"), "{text}");
    }
}

/// A small filesystem in memory, where this user may mount one.
struct Mount(PathBuf);

impl Mount {
    fn new(room: &Room, size: &str) -> Option<Self> {
        let path = room.path("var/pmvmmanager6");
        fs::create_dir_all(&path).unwrap();
        let options = format!("size={size},mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &options, "tmpfs"]).arg(&path).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Some(Mount(path));
        }
        eprintln!("left out: this user may not mount a tmpfs");
        None
    }

    fn remount(&self, option: &str) {
        let status = Command::new("mount").args(["-o", &format!("remount,{option}")]).arg(&self.0).status().unwrap();
        assert!(status.success());
    }

    fn fill(&self) -> PathBuf {
        let path = self.0.join("filler");
        // The last page too.
        until("no space", || {
            fs::OpenOptions::new()
                .append(true)
                .create(true)
                .open(&path)
                .and_then(|mut file| std::io::Write::write_all(&mut file, &[0; 4096]))
                .err()
        });
        path
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[test]
fn a_full_disk_is_an_understandable_error_and_needs_no_repair() {
    let room = Room::new();
    let Some(mount) = Mount::new(&room, "200k") else { return };
    let filler = mount.fill();
    refused(&room, &["no space"]);
    fs::remove_file(&filler).unwrap();
    let owner = room.hold("k", "owner").start();
    room.await_event("start", "owner");
    let filler = mount.fill();
    refused(&room, &["no space"]);
    // It cannot remove its row, and ends all the same.
    owner.succeed();
    fs::remove_file(&filler).unwrap();
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn a_read_only_disk_is_an_understandable_error() {
    let room = Room::new();
    let Some(mount) = Mount::new(&room, "1m") else { return };
    mount.remount("ro");
    refused(&room, &["read-only"]);
    mount.remount("rw");
    room.hold("k", "x").milliseconds(0).start().succeed();
    mount.remount("ro");
    refused(&room, &["read-only"]);
    mount.remount("rw");
    room.hold("k", "x").milliseconds(0).start().succeed();
    room.assert_empty();
}

#[test]
fn with_few_file_descriptors_it_waits_or_says_why_not() {
    let room = Room::new();
    let owners: Vec<Running> = (0..2)
        .map(|n| {
            let owner = room.hold("k", &format!("owner{n}")).limit(2).start();
            room.await_event("start", &format!("owner{n}"));
            owner
        })
        .collect();
    let (mut refused, mut served) = (0, 0);
    for files in 5..=20 {
        let command = room.wrapped(&["prlimit", &format!("--nofile={files}:{files}")]);
        let label = format!("n{files}");
        let mut hold = room.hold_in(command, "k", &label).limit(2).start();
        let pid = hold.pid();
        let sleeps = || room.tickets().len() == 3 && is_asleep(pid);
        let ended = until(&label, || match hold.try_end() {
            Some(status) => Some(Some(status)),
            None => sleeps().then_some(None),
        });
        if let Some(status) = ended {
            assert_eq!(status, 1, "{}", hold.end().1);
            refused += 1;
        } else {
            hold.kill();
            served += 1;
        }
        assert_eq!(room.tickets().len(), 2);
    }
    assert!(refused > 0 && served > 0, "{refused} {served}");
    owners.into_iter().for_each(Running::succeed);
    room.hold("k", "next").milliseconds(0).start().succeed();
    room.assert_empty();
}

/// Whether the process sleeps in `poll`, with its helpers in place.
fn is_asleep(pid: u32) -> bool {
    let call = fs::read_to_string(format!("/proc/{pid}/wchan")).unwrap_or_default();
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
    tasks > 1 && (call.contains("poll") || call == "0")
}

#[test]
fn without_threads_to_spare_it_says_so_and_gives_the_ticket_back() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("left out: only root can start a process of another user");
        return;
    }
    let room = Room::new();
    // The build folder may be one that only root can enter, and files in memory may not be executable.
    let place = tempfile::tempdir().unwrap();
    fs::set_permissions(place.path(), PermissionsExt::from_mode(0o755)).unwrap();
    let program = place.path().join("test-process");
    fs::copy(PROGRAM, &program).unwrap();
    for path in [room.path(""), room.path("var")] {
        chown(path, Some(65534), None).unwrap();
    }
    fs::write(room.path("holds"), "").unwrap();
    chown(room.path("holds"), Some(65534), None).unwrap();
    let nobody = |wrapper: &[&str]| {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", "65534", "--clear-groups"]).args(wrapper).arg(&program);
        housed(command, &room.path(""))
    };
    let mut owner = room.hold_in(nobody(&[]), "k", "owner").start();
    room.await_event("start", "owner");
    let waiter = room.hold_in(nobody(&["prlimit", "--nproc=1:1"]), "k", "x").milliseconds(5000).start();
    let (status, text) = waiter.end();
    assert_eq!(status, 1, "{text}");
    assert!(text.contains("helper thread cannot be started"), "{text}");
    let files: Vec<_> = fs::read_dir(room.runtime().join("tickets")).unwrap().collect();
    assert_eq!(files.len(), 1);
    owner.release();
    owner.succeed();
}
