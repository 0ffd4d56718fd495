//! What must be true at the end of every scenario, whatever went wrong in it.
//!
//! A VM counts by platform and id. I1 at most one VM a service; I2 no VM that the journal does not know or that its mark does not find; I4 no secret
//! anywhere; I5 standard output is one document or nothing. (I3, a plain re-run ends in success with the same VM, is
//! each scenario's own.)

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::refusal::Refusal;
use super::world::TestWorld;

/// What a test may waive with [`TestWorld::waive`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Invariant {
    /// I1.
    OneVm,
    /// I2.
    NothingForgotten,
    /// I4.
    NoSecret,
    /// I5.
    Quiet,
}

impl Invariant {
    const ALL: [Self; 4] = [Self::OneVm, Self::NothingForgotten, Self::NoSecret, Self::Quiet];

    #[track_caller]
    fn assert(self, world: &TestWorld) {
        match self {
            Self::OneVm => assert_one_vm_a_service(world),
            Self::NothingForgotten => assert_nothing_forgotten(world),
            Self::NoSecret => assert_no_secret(world),
            Self::Quiet => assert_quiet(world),
        }
    }
}

/// All that the test has not waived. A world asserts it when it is dropped; a test does so in between.
#[track_caller]
pub(crate) fn assert_sound(world: &TestWorld) {
    Invariant::ALL.into_iter().filter(|invariant| !world.is_waived(*invariant)).for_each(|it| it.assert(world));
}

/// I1.
#[track_caller]
pub(crate) fn assert_one_vm_a_service(world: &TestWorld) {
    for item in services(world) {
        let hosts: Vec<(usize, u64)> = world.placed(item).iter().map(|(site, host)| (*site, host.id)).collect();
        assert!(hosts.len() <= 1, "service {item} has the VMs {hosts:?}\n{}", world.bill.log());
    }
}

/// I2.
#[track_caller]
pub(crate) fn assert_nothing_forgotten(world: &TestWorld) {
    let services = services(world);
    let mut sites = BTreeMap::new();
    for ((site, id), host) in world.made_by_module() {
        let is_its = |item: &&u64| world.placed(**item).iter().any(|(at, found)| (*at, found.id) == (site, id));
        let owner = services.iter().find(is_its);
        let item = *owner.unwrap_or_else(|| panic!("no mark finds VM {id} of VMmanager {site}: {host:#?}"));
        let known = match world.journal(item) {
            Some((_, Some(vm))) => vm == host.id,
            // The answer that would have named it was lost.
            Some((phase, None)) => phase == "requested",
            None => false,
        };
        assert!(known, "the journal of service {item} does not know VM {id}\n{}", world.bill.log());
        if let Some(platform) = world.journal_platform(item) {
            assert_eq!(*sites.entry(platform).or_insert(site), site, "one platform for two VMmanagers");
        }
    }
}

/// I5.
#[track_caller]
pub(crate) fn assert_quiet(world: &TestWorld) {
    for run in world.runs() {
        match run.status {
            Some(0) if run.operation.is_some() => assert_eq!(run.stdout, ""),
            Some(0) => {}
            Some(1) => drop(Refusal::of(&run)),
            Some(other) => panic!("exit status {other}: {run:#?}"),
            None => assert!(run.stdout.is_empty(), "a killed run had spoken already: {run:#?}"),
        }
    }
}

/// I4.
#[track_caller]
pub(crate) fn assert_no_secret(world: &TestWorld) {
    // Once for all places: each secret of a service is decrypted.
    let secrets = secrets(world);
    for (place, bytes) in visible(world) {
        assert_none_in(&secrets, &place, &bytes);
    }
}

/// I4 of one output or file.
#[track_caller]
pub(crate) fn assert_no_secret_in(world: &TestWorld, place: &str, bytes: &[u8]) {
    assert_none_in(&secrets(world), place, bytes);
}

#[track_caller]
fn assert_none_in(secrets: &BTreeSet<String>, place: &str, bytes: &[u8]) {
    for secret in secrets {
        let found = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
        assert!(!found, "the secret {secret} is in {place}");
    }
}

fn services(world: &TestWorld) -> Vec<u64> {
    let rows = world.bill.rows("SELECT id FROM item WHERE parent IS NULL ORDER BY id", &[]);
    rows.into_iter().map(|row| row[0].as_ref().unwrap().parse().unwrap()).collect()
}

/// Every secret of the world: passwords of administrator, VMs, accounts and database, session tokens.
fn secrets(world: &TestWorld) -> BTreeSet<String> {
    let passwords = world.on_each_site(|platform| {
        let accounts = platform.accounts.values().map(|account| account.password.clone());
        accounts.chain(platform.hosts.values().map(|host| host.password.clone())).collect()
    });
    let mut secrets: BTreeSet<String> = passwords.into_iter().map(|(_, password)| password).collect();
    // A public key is stored like a secret and is none.
    let stored = world.bill.rows("SELECT item, intname FROM itemcryptedparam WHERE intname <> 'ssh_key'", &[]);
    secrets.extend(stored.iter().filter_map(|row| {
        let (item, name) = (row[0].as_ref()?.parse().ok()?, row[1].as_ref()?);
        world.bill.secret(item, name)
    }));
    secrets.extend(world.spoken().tokens);
    let database = fs::read_to_string(world.bill.root().join("etc/billmgr.conf.d/db.conf")).unwrap_or_default();
    secrets.extend(database.lines().filter_map(|line| line.strip_prefix("DBPassword ")).map(str::to_owned));
    secrets.retain(|secret| secret.len() >= 6);
    secrets
}

/// Everything that a person without special rights, or a log file, could show.
fn visible(world: &TestWorld) -> Vec<(String, Vec<u8>)> {
    let mut places = Vec::new();
    let mut add = |place: String, text: &str| places.push((place, text.as_bytes().to_vec()));
    for run in world.runs() {
        add(format!("stdout of {:?}", run.operation), &run.stdout);
        add(format!("stderr of {:?}", run.operation), &run.stderr);
    }
    for arguments in world.spoken().arguments {
        add("the arguments of mgrctl".to_owned(), &arguments);
    }
    let columns = [("runningoperation", "errorxml"), ("task", "params"), ("problem", "params"), ("itemparam", "value")];
    for (table, column) in columns {
        for row in world.bill.rows(&format!("SELECT {column} FROM {table}"), &[]) {
            add(format!("{table}.{column}"), row[0].as_deref().unwrap_or_default());
        }
    }
    for file in files(&world.bill.root().join("var")) {
        // Another process reads it: closing a file here would drop the locks of our own SQLite connections.
        let bytes = Command::new("cat").arg(&file).output().unwrap().stdout;
        places.push((file.display().to_string(), bytes));
    }
    places
}

/// All files below a directory but the sandbox's own.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap().flatten() {
        let path = entry.path();
        match entry.file_type() {
            Ok(kind) if kind.is_dir() && !path.ends_with("var/sandbox") => found.extend(files(&path)),
            Ok(kind) if kind.is_file() => found.push(path),
            _ => {}
        }
    }
    found
}
