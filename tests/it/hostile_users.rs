//! Local users of the billing server: what they put in root's way is neither trusted nor written to.

use std::fs::{self, Permissions};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use pmvmmanager6::error::Kind;
use rustix::process::{Pid, Signal, kill_process};
use sandbox::vmm::{Action, Fault};

use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

/// Neither root nor the tests' user.
const STRANGER: u32 = 65534;

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

fn directory(path: PathBuf, mode: u32) -> PathBuf {
    fs::create_dir(&path).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

/// What a server of the database says first: version, salt, what it can, and how it wants the password.
fn greeting() -> Vec<u8> {
    let parts: [&[u8]; 7] = [
        b"\x0a10.6.0-MariaDB\0",
        b"\x01\0\0\0",
        b"abcdefgh\0",
        b"\xff\xf7\x21\x02\0\xff\x81\x15",
        &[0; 10],
        b"abcdefghijkl\0",
        b"mysql_native_password\0",
    ];
    let payload = parts.concat();
    [&u32::try_from(payload.len()).unwrap().to_le_bytes(), &payload[..]].concat()
}

/// Greets everybody who comes and tells what they say.
fn listen<S: Read + Write + Send + 'static>(
    mut accept: impl FnMut() -> Option<S> + Send + 'static,
) -> Receiver<Vec<u8>> {
    let (tell, heard) = channel();
    thread::spawn(move || {
        while let Some(mut stream) = accept() {
            let mut said = vec![0; 1000];
            let size = stream.write_all(&greeting()).and_then(|()| stream.read(&mut said)).unwrap_or(0);
            said.truncate(size);
            _ = tell.send(said);
        }
    });
    heard
}

fn plant(socket: &Path) -> Receiver<Vec<u8>> {
    let listener = UnixListener::bind(socket).unwrap();
    listen(move || Some(listener.accept().ok()?.0))
}

/// An operation of a BILLmanager whose options name this database.
fn refused_with(world: &TestWorld, place: &str) -> Refusal {
    let options = format!("{place}DBName billmgr\nDBUser billmgr\nDBPassword Db-secret-77\n");
    fs::write(world.bill.root().join("etc/billmgr.conf.d/db.conf"), options).unwrap();
    Refusal::of(&world.run(&["--command", "suspend", "--item", "1"]))
}

#[test]
fn a_planted_socket_gets_neither_credentials_nor_queries() {
    let world = TestWorld::start();
    let place = tempfile::tempdir().unwrap();
    let shared = directory(place.path().join("shared"), 0o1777).join("mysql.sock");
    let below = directory(place.path().join("shared/below"), 0o755).join("mysql.sock");
    let link = directory(place.path().join("own"), 0o755).join("mysql.sock");
    symlink(&shared, &link).unwrap();
    let mut planted = vec![(shared.clone(), plant(&shared)), (link, plant(&place.path().join("own/unused")))];
    if is_root() {
        // A directory of theirs in a shared one, as /tmp/mysql; and a socket of theirs in a good one.
        chown(below.parent().unwrap(), Some(STRANGER), None).unwrap();
        planted.push((below.clone(), plant(&below)));
        let foreign = place.path().join("own/foreign.sock");
        planted.push((foreign.clone(), plant(&foreign)));
        chown(&foreign, Some(STRANGER), None).unwrap();
    }
    for (socket, _) in &planted {
        let socket = socket.to_str().unwrap();
        let refusal = refused_with(&world, &format!("DBHost localhost\nDBSocket {socket}\n"));
        refusal.is(Kind::Db, socket, &["is not used", "user"]);
    }
    for (socket, heard) in &planted {
        assert!(heard.try_recv().is_err(), "somebody came to {}", socket.display());
    }
    // The same server where nobody else could have put it is asked: the refusals were not for another reason.
    let own = place.path().join("own/server.sock");
    let heard = plant(&own);
    refused_with(&world, &format!("DBHost localhost\nDBSocket {}\n", own.display())).is(
        Kind::Db,
        own.to_str().unwrap(),
        &[],
    );
    let said = heard.recv().unwrap();
    assert!(said.windows(7).any(|word| word == b"billmgr"), "{said:?}");
}

#[test]
fn over_tcp_the_database_is_asked_as_configured() {
    let world = TestWorld::start();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let heard = listen(move || Some(listener.accept().ok()?.0));
    refused_with(&world, &format!("DBHost {address}\n")).is(Kind::Db, &address.to_string(), &[]);
    assert!(heard.recv().unwrap().windows(7).any(|word| word == b"billmgr"));
}

#[test]
fn files_of_root_are_written_where_nobody_else_can_change_names() {
    let world = TestWorld::start();
    let item = world.opened().to_string();
    let place = tempfile::tempdir().unwrap();
    let mut bad = vec![
        directory(place.path().join("open"), 0o777),
        directory(place.path().join("sticky"), 0o1777),
        directory(place.path().join("group"), 0o775),
        directory(place.path().join("open/below"), 0o700),
    ];
    symlink(&bad[0], place.path().join("link")).unwrap();
    bad.push(place.path().join("link"));
    if is_root() {
        bad.push(directory(place.path().join("foreign"), 0o755));
        chown(bad.last().unwrap(), Some(STRANGER), None).unwrap();
    }
    let good = directory(place.path().join("good"), 0o755);
    let file = |directory: &Path| directory.join("out").to_str().unwrap().to_owned();
    let write = |to: &str| {
        [&["metrics", "--output", to][..], &["show", "--item", &item, "--bundle", to]].map(|args| world.bill.run(args))
    };
    for directory in &bad {
        for run in write(&file(directory)) {
            assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""), "{}: {run:#?}", directory.display());
            assert!(
                run.stderr.contains("cannot be written safely") && run.stderr.contains("belongs to root"),
                "{run:#?}"
            );
        }
        assert!(!directory.join("out").exists());
    }
    // A link in the way is replaced or refused, never followed.
    let victim = place.path().join("victim");
    fs::write(&victim, "as it was").unwrap();
    symlink(&victim, good.join("out")).unwrap();
    let [metrics, bundle] = write(&file(&good));
    assert_eq!((metrics.status, bundle.status), (Some(0), Some(1)), "{metrics:#?}{bundle:#?}");
    assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was");
    assert!(fs::symlink_metadata(good.join("out")).unwrap().is_file());
    assert_eq!(fs::read_dir(&good).unwrap().count(), 1, "nothing is left beside it");
}

#[test]
fn the_log_is_a_file_of_ours() {
    let world = TestWorld::start();
    let log = world.bill.root().join("var/pmvmmanager6.log");
    let victim = world.bill.root().join("victim");
    fs::write(&victim, "as it was").unwrap();
    let spoil: [(&str, &dyn Fn()); 3] = [
        ("a link", &|| symlink(&victim, &log).unwrap()),
        ("a pipe", &|| assert!(Command::new("mkfifo").arg(&log).status().unwrap().success())),
        ("a file of somebody else", &|| {
            fs::write(&log, "").unwrap();
            if is_root() {
                chown(&log, Some(STRANGER), None).unwrap();
            }
        }),
    ];
    for (name, spoil) in spoil {
        _ = fs::remove_file(&log);
        spoil();
        let run = world.run(&["--command", "start", "--item", "4711"]);
        Refusal::of(&run).is(Kind::BadArgument, "item", &[]);
        if name != "a file of somebody else" || is_root() {
            assert!(run.stderr.contains("is not used as the log") && run.stderr.contains("4711"), "{name}: {run:#?}");
            assert_eq!(fs::metadata(&log).map_or(9, |log| log.len()), 9 * u64::from(name == "a link"), "{name}");
        }
    }
    assert_eq!(fs::read_to_string(&victim).unwrap(), "as it was");
    fs::remove_file(&log).unwrap();
}

/// Somebody sends a signal that leaves a core file, to a process that waits with passwords in its memory.
#[test]
fn no_memory_reaches_a_core_file() {
    let world = TestWorld::start();
    let item = world.opened();
    world.vmm.fault(Fault::on("POST", "/vm/v3/host/*/stop").act(Action::Delay(Duration::from_secs(5))));
    let args = world.bill.arguments(item, "stop", world.bill.operation(item, "stop"));
    let module = world.bill.command(&[]);
    let mut command = Command::new("prlimit");
    command.arg("--core=unlimited").arg(module.get_program()).args(args).current_dir(world.bill.root());
    command.envs(module.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert!(world.vmm.wait_for_request(Duration::from_secs(10), |request| request.path.ends_with("/stop")));
    let limits = fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"], "{core}");
    kill_process(Pid::from_child(&child), Signal::QUIT).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.core_dumped(), "{output:?}");
}
