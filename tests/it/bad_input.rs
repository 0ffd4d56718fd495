//! Wrong arguments, orders, settings, database rows, files and answers: each gives one error of the contract with the
//! name and the value that are wrong, within ten seconds, and leaves nothing half-made behind.

use std::ffi::OsStr;
use std::fs::{self, Permissions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Instant;

use pmvmmanager6::error::Kind;
use sandbox::bill::{Addon, Database, Handler, Order, Run, Tariff, base};
use sandbox::vmm::{Action, Fault};

use crate::support::cases::each;
use crate::support::refusal::Refusal;
use crate::support::world::{IMPATIENCE, TestWorld};

/// Commands that change a service.
const CHANGING: [&str; 13] = [
    "open",
    "reopen",
    "suspend",
    "resume",
    "close",
    "setparam",
    "start",
    "stop",
    "reboot",
    "hardreboot",
    "changepassword",
    "addip",
    "delip",
];

#[test]
fn arguments_that_are_wrong() {
    let world = TestWorld::start();
    let item = world.ordered().to_string();
    let refused = |args: &[&str]| {
        let refusal = Refusal::of(&world.run(args));
        assert!(world.vmm.requests().is_empty(), "{args:?}");
        refusal
    };
    for command in ["not_predicted", "openn", "sync_pricelist"] {
        refused(&["--command", command, "--item", &item]).is(Kind::NotSupported, command, &[command]);
    }
    assert_eq!(refused(&["--command", ""]).kind, Kind::BadArgument);
    assert_eq!(refused(&["--item", &item, "--command"]).kind, Kind::BadArgument);
    for command in CHANGING {
        refused(&["--command", command]).is(Kind::BadArgument, "item", &["--item", command]);
        refused(&["--command", command, "--item", "4711"]).is(Kind::BadArgument, "item", &["4711"]);
    }
    for value in ["x", "-1", "0", "1.5", " ", "99999999999999999999", "1 OR 1=1"] {
        let refusal = refused(&["--command", "open", "--item", value]);
        refusal.is(Kind::BadArgument, "item", &[value]);
        let refusal = refused(&["--command", "open", "--item", &item, "--runningoperation", value]);
        refusal.is(Kind::BadArgument, "runningoperation", &[value]);
    }
    let mut command = world.bill.command(&["--command", "open", "--item"]);
    let output = command.arg(OsStr::from_bytes(b"1\xff2")).output().unwrap();
    let refusal = Refusal::of(&world.remember(Run::new(&output, IMPATIENCE)));
    refusal.is(Kind::BadArgument, "item", &["1\u{fffd}2"]);
}

/// A client's words reach the module as values of `check_param`; they are no commands.
#[test]
fn words_that_look_like_arguments_do_nothing() {
    let world = TestWorld::start();
    let item = world.opened().to_string();
    let before = world.snapshot(item.parse().unwrap());
    let check = |param: &str, value: &str, more: &[&str]| {
        let args = ["--command", "check_param", "--item", &item, "--param", param, "--value", value];
        let first = world.run(&[&args[..], more].concat());
        let last = world.run(&[more, &args[2..], &args[..2]].concat());
        for run in [first, last] {
            assert_eq!((run.status, run.stdout.contains("<ok/>")), (Some(0), true), "{run:#?}");
        }
    };
    check("--command", "close", &[]);
    check("--shiny", "--command", &["--level", "16"]);
    let words = "--command=close --command=resume --item=9 -c --command close --help -h --version -V -T -- doctor";
    for value in words.split(' ') {
        check("ostempl", value, &[]);
        check("ostempl", value, &["--lang", value, "--unheard-of", value]);
        check(value, "", &["--lang", "en"]);
    }
    for two in [["--command", "close"], ["--command", "suspend"], ["--item", "9"], ["--module", "9"]] {
        let args = ["--command", "start", "--item", &item, "--module", "1"];
        for line in [[&args[..], &two].concat(), [&two[..], &args].concat()] {
            let refusal = Refusal::of(&world.run(&line));
            refusal.is(Kind::BadArgument, two[0].trim_start_matches('-'), &[two[0], "nothing is done"]);
        }
    }
    assert_eq!(world.snapshot(item.parse().unwrap()), before);
    assert!(world.mutations().is_empty() && world.bill.calls().is_empty(), "{:?}", world.bill.calls());
}

#[test]
fn people_get_usage_and_help() {
    let world = TestWorld::start();
    let run = |args: &[&str]| world.bill.run(args);
    for args in [&["nonsense"][..], &["doctor", "--unheard"], &[]] {
        let run = run(args);
        assert_eq!((run.status, run.stdout.as_str()), (Some(2), ""), "{args:?}: {run:?}");
        assert!(run.stderr.contains("Usage"), "{run:?}");
    }
    for args in [&["--help"][..], &["-h"], &["--version"], &["-V"], &["-T"]] {
        let run = run(args);
        assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{args:?}: {run:?}");
        assert!(run.stdout.contains("pmvmmanager6"), "{run:?}");
    }
}

#[test]
fn unknown_arguments_are_ignored_and_named_in_the_log() {
    let world = TestWorld::start();
    let item = world.ordered().to_string();
    let args = ["--level", "29", "--command", "open", "--shiny=Secret-value-9", "--item", &item, "--new-flag", "stray"];
    let run = world.run(&args);
    assert!(run.done, "{run:?}");
    let log = world.bill.log();
    assert!(log.contains("new-flag") && log.contains("shiny"), "{log}");
    assert!(!log.contains("Secret-value-9"), "values of arguments may be secret");
}

#[test]
fn standard_input_of_item_commands_is_not_read() {
    let world = TestWorld::start();
    let item = world.ordered().to_string();
    let mut command = world.bill.command(&["--command", "open", "--item", &item]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let open_end = child.stdin.take();
    let output = child.wait_with_output().unwrap();
    drop(open_end);
    assert!(output.status.success(), "{output:?}");
}

/// What is wrong with an order, and what must be said about it.
struct Wrong {
    arrange: fn(&TestWorld) -> Order,
    kind: Kind,
    object: &'static str,
    parts: &'static [&'static str],
}

fn wrong(arrange: fn(&TestWorld) -> Order, kind: Kind, object: &'static str, parts: &'static [&'static str]) -> Wrong {
    Wrong { arrange, kind, object, parts }
}

/// An order of a tariff made for the case.
fn of_tariff(world: &TestWorld, tariff: Tariff) -> Order {
    Order::new(world.alice, world.bill.add_tariff(&tariff.handler(world.handler)), world.handler)
}

fn sized(ncpu: i64, mem: i64, disk: i64) -> Tariff {
    Tariff::sized("a tariff", ncpu, mem, disk)
}

fn without(name: &str) -> Tariff {
    let mut tariff = sized(1, 1024, 10_240);
    tariff.addons.retain(|addon| addon.intname != name);
    tariff
}

fn handler_setting(world: &TestWorld, name: &str, value: &str) -> Order {
    world.bill.set_handler(world.handler, name, value);
    world.usual_order()
}

#[test]
fn operating_systems_that_cannot_be_installed() {
    refused(&[
        ("no OS", wrong(|w| w.usual_order().param("ostempl", ""), Kind::MissingParam, "ostempl", &[])),
        (
            "an unknown OS",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem__Plan 9"),
                Kind::OsNotFound,
                "ostempl",
                &["ISPsystem__Plan 9"],
            ),
        ),
        (
            "an OS of another repository",
            wrong(
                |w| w.usual_order().param("ostempl", "local__Debian 12"),
                Kind::OsNotOnCluster,
                "ostempl",
                &["local__Debian 12", "cluster 1"],
            ),
        ),
        (
            "an OS of another cluster",
            wrong(
                |w| w.usual_order().param("ostempl", "local__Ubuntu-24.04"),
                Kind::OsNotOnCluster,
                "ostempl",
                &["local__Ubuntu-24.04", "cluster 1"],
            ),
        ),
        (
            "an OS of no cluster",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem__FreeBSD 14"),
                Kind::OsNotFound,
                "ostempl",
                &["ISPsystem__FreeBSD 14"],
            ),
        ),
        (
            "an OS for administrators",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem__Rescue tools"),
                Kind::OsNotOnCluster,
                "ostempl",
                &["ISPsystem__Rescue tools", "administrators"],
            ),
        ),
        (
            "an OS that is being fetched",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem__Rocky Linux 9"),
                Kind::OsNotOnCluster,
                "ostempl",
                &["ISPsystem__Rocky Linux 9", "downloading"],
            ),
        ),
        (
            "an OS for LXD",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem LXD__Debian 12"),
                Kind::OsNotOnCluster,
                "ostempl",
                &["ISPsystem LXD__Debian 12"],
            ),
        ),
        (
            "an OS name that fits two",
            wrong(
                two_spellings,
                Kind::BadParam,
                "ostempl",
                &["ispsystem__debian 12", "ISPsystem__Debian 12", "ISPsystem__Debian-12"],
            ),
        ),
        (
            "a disk too small for the OS",
            wrong(
                |w| w.usual_order().param("ostempl", "ISPsystem__Windows Server 2022"),
                Kind::BadParam,
                "disk",
                &["Windows Server 2022", "40960", "20480"],
            ),
        ),
        (
            "a memory too small for the OS",
            wrong(
                |w| of_tariff(w, sized(1, 1024, 61_440)).param("ostempl", "ISPsystem__Windows Server 2022"),
                Kind::BadParam,
                "mem",
                &["Windows Server 2022", "2048", "1024"],
            ),
        ),
    ]);
}

#[test]
fn amounts_that_cannot_be_ordered() {
    refused(&[
        ("no cores", wrong(|w| of_tariff(w, without("ncpu")), Kind::MissingParam, "ncpu", &["ncpu"])),
        ("no memory", wrong(|w| of_tariff(w, without("mem")), Kind::MissingParam, "mem", &["mem"])),
        ("no disk", wrong(|w| of_tariff(w, without("disk disc")), Kind::MissingParam, "disk", &["disk"])),
        (
            "cores that are no number",
            wrong(|w| of_tariff(w, sized(1, 1024, 10_240).param("ncpu", "lots")), Kind::BadParam, "ncpu", &["lots"]),
        ),
        (
            "less than nothing",
            wrong(|w| of_tariff(w, sized(2, 1024, 10_240)).addon("ncpu", "-3"), Kind::BadParam, "ncpu", &["-3"]),
        ),
        (
            "an impossible memory",
            wrong(
                |w| of_tariff(w, sized(1, 1024, 10_240)).addon("mem", "9000000000000000000"),
                Kind::BadParam,
                "mem",
                &["9000000000000000000"],
            ),
        ),
        (
            "a unit that is none of a size",
            wrong(
                |w| of_tariff(w, Tariff::new("u").addon(Addon::amount("mem", "mhz", 5))),
                Kind::BadParam,
                "mem",
                &["5 mhz"],
            ),
        ),
        ("no address at all", wrong(|w| of_tariff(w, sized(1, 1024, 10_240)).ips(0), Kind::BadParam, "ip", &[])),
        (
            "an impossible prefix",
            wrong(
                |w| {
                    of_tariff(
                        w,
                        sized(1, 1024, 10_240).addon(Addon::amount("ipv6", "", 1)).addon(Addon::amount(
                            "ipv6subnet_prefix",
                            "",
                            129,
                        )),
                    )
                    .ips6(1)
                },
                Kind::BadParam,
                "ipv6subnet_prefix",
                &["129"],
            ),
        ),
    ]);
}

#[test]
fn names_that_mean_nothing() {
    refused(&[
        (
            "an unknown recipe",
            wrong(
                |w| handler_setting(w, "use_recipes", "on").param("recipe", "ISPsystem__Minesweeper"),
                Kind::RecipeNotFound,
                "recipe",
                &["ISPsystem__Minesweeper"],
            ),
        ),
        (
            "a recipe name that fits two",
            wrong(two_recipes, Kind::BadParam, "recipe", &["ispsystem__docker", "ISPsystem__DOCKER"]),
        ),
        (
            "an unknown preset",
            wrong(
                |w| of_tariff(w, Tariff::new("p").preset("No such preset").addon(Addon::amount("ip", "", 1))),
                Kind::PresetNotFound,
                "preset",
                &["No such preset"],
            ),
        ),
        (
            "a preset of another kind",
            wrong(
                |w| of_tariff(w, Tariff::new("p").preset("LXD-SSD-1").addon(Addon::amount("ip", "", 1))),
                Kind::PresetNotFound,
                "preset",
                &["LXD-SSD-1"],
            ),
        ),
        (
            "a domain with a blank",
            wrong(
                |w| w.usual_order().param("domain", "my shop.example.com"),
                Kind::BadParam,
                "domain",
                &["my shop.example.com"],
            ),
        ),
        (
            "a domain with a hyphen in front",
            wrong(|w| w.usual_order().param("domain", "-a.example.com"), Kind::BadParam, "domain", &["-a.example.com"]),
        ),
        (
            "a domain of one part",
            wrong(|w| w.usual_order().param("domain", "localhost"), Kind::BadParam, "domain", &["localhost"]),
        ),
        (
            "an address for a domain",
            wrong(|w| w.usual_order().param("domain", "192.0.2.1"), Kind::BadParam, "domain", &["192.0.2.1"]),
        ),
        (
            "a template that makes no domain",
            wrong(
                |w| of_tariff(w, sized(1, 1024, 10_240).param("freedomain", "@USERNAME@_@ID@.example.com")),
                Kind::BadParam,
                "domain",
                &["alice_1.example.com"],
            ),
        ),
        (
            "a VM id that is no number",
            wrong(|w| w.usual_order().param("panelid", "vm-17"), Kind::BadParam, "panelid", &["vm-17"]),
        ),
    ]);
}

#[test]
fn settings_that_place_no_vm() {
    refused(&[
        (
            "a cluster of the tariff that is no number",
            wrong(
                |w| of_tariff(w, sized(1, 1024, 10_240).param("cluster", "first")),
                Kind::BadParam,
                "cluster",
                &["first"],
            ),
        ),
        (
            "a pool that is no number",
            wrong(
                |w| of_tariff(w, sized(1, 1024, 10_240).param("ippool", "1,public")),
                Kind::BadParam,
                "ippool",
                &["public"],
            ),
        ),
        (
            "a cluster that does not exist",
            wrong(|w| handler_setting(w, "cluster", "77"), Kind::ClusterNotFound, "cluster", &["77"]),
        ),
        ("no cluster", wrong(|w| handler_setting(w, "cluster", ""), Kind::MissingParam, "cluster", &[])),
        ("no address of VMmanager", wrong(|w| handler_setting(w, "url", ""), Kind::MissingParam, "url", &[])),
        (
            "plain http to the world",
            wrong(
                |w| handler_setting(w, "url", "http://vm.example.net"),
                Kind::Vm6Url,
                "url",
                &["http://vm.example.net"],
            ),
        ),
        ("no user name", wrong(|w| handler_setting(w, "username", " "), Kind::MissingParam, "username", &[])),
        (
            "an unknown way to check certificates",
            wrong(|w| handler_setting(w, "tls_verify", "no"), Kind::BadParam, "tls_verify", &["no"]),
        ),
        (
            "a fingerprint that is none",
            wrong(
                |w| {
                    w.bill.set_handler(w.handler, "tls_verify", "pinned");
                    handler_setting(w, "tls_fingerprint", "ab:cd")
                },
                Kind::BadParam,
                "tls_fingerprint",
                &["ab:cd"],
            ),
        ),
    ]);
}

/// Each order is refused at its first try, for the reason given, and nothing is touched.
fn refused(cases: &[(&str, Wrong)]) {
    each(cases, |case| {
        let world = TestWorld::start();
        let item = world.bill.order(&(case.arrange)(&world));
        let refusal = world.refuse(item, "open");
        refusal.is(case.kind, case.object, case.parts);
        assert_eq!(world.mutations(), [""; 0]);
    });
}

/// Two templates that differ by a hyphen only, neither spelled as ordered.
fn two_spellings(world: &TestWorld) -> Order {
    world.vmm.change(|platform| {
        let mut twin = platform.os[&11].clone();
        (twin.id, twin.name) = (99, "Debian-12".into());
        platform.os.insert(99, twin);
    });
    world.usual_order().param("ostempl", "ispsystem__debian 12")
}

fn two_recipes(world: &TestWorld) -> Order {
    world.vmm.change(|platform| {
        let mut twin = platform.recipes[&4].clone();
        (twin.id, twin.name) = (99, "DOCKER".into());
        platform.recipes.insert(99, twin);
    });
    handler_setting(world, "use_recipes", "on").param("recipe", "ispsystem__docker")
}

#[test]
fn clients_that_get_no_account() {
    let cases = [
        ("without an e-mail", ("", Kind::MissingParam, "email")),
        ("with the administrator's e-mail", ("Admin@Example.NET", Kind::AdminAccount, "admin@example.net")),
        ("with a read-only administrator's e-mail", ("auditor@example.net", Kind::AdminAccount, "auditor@example.net")),
        ("with an e-mail that is none", ("not an e-mail", Kind::Vm6Api, "POST /vm/v3/account")),
        ("with an e-mail that VMmanager refuses", ("o'hara@example.com", Kind::Vm6Api, "POST /vm/v3/account")),
    ];
    each(&cases, |&(email, kind, object)| {
        let world = TestWorld::start();
        world.vmm.change(|platform| platform.add_account("auditor@example.net", "Auditor-pass-1", "admin.readonly"));
        let client = world.bill.add_client("Somebody", email);
        let item = world.bill.order(&Order { client, ..world.usual_order() });
        let (hosts, accounts) = world.vmm.look(|platform| (platform.hosts.len(), platform.accounts.len()));
        let refusal = world.fail(item, "open");
        refusal.is(kind, object, &[]);
        assert!(refusal.value.to_lowercase().contains(&email.to_lowercase()), "{refusal:?}");
        assert_eq!(world.vmm.look(|platform| (platform.hosts.len(), platform.accounts.len())), (hosts, accounts));
        assert_eq!(world.bill.item(item).status, 5);
        assert_eq!(world.bill.params(item).get("panelid"), None);
    });
}

#[test]
fn services_that_are_not_ours() {
    let world = TestWorld::start();
    let url = world.vmm.url();
    let foreign =
        world.bill.add_handler(&Handler { module: "pmvmmgr6".into(), ..Handler::new(&url, "a@b.c", "x", "1") });
    let external =
        Handler { datacenter: base::EXTERNAL_DATACENTER, ..Handler::new(&url, "admin@example.net", "x", "1") };
    let external = world.bill.add_handler(&external);
    let order = |handler| world.bill.order(&Order { handler, ..world.usual_order() });
    let (of_foreign, of_nobody, of_external) = (order(foreign), order(world.handler), order(external));
    world.bill.set_item(of_nobody, "processingmodule", None::<u64>);
    for command in CHANGING {
        world.refuse(of_foreign, command).is(
            Kind::UnsupportedModule,
            "pmvmmgr6",
            &["pmvmmgr6", &of_foreign.to_string()],
        );
        world.refuse(of_nobody, command).is(Kind::UnsupportedModule, "", &[&of_nobody.to_string()]);
    }
    world.refuse(of_external, "open").is(Kind::DatacenterExternal, "datacenter", &["ext-7"]);
    assert!(world.vmm.requests().is_empty());
}

#[test]
fn a_closed_service_is_not_opened_again() {
    let world = TestWorld::start();
    let item = world.opened();
    world.succeed(item, "close");
    world.forget();
    for command in ["open", "reopen"] {
        world.refuse(item, command).is(Kind::BadParam, "status", &[&item.to_string(), "closed"]);
    }
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn rows_that_are_missing_or_damaged() {
    let statements = [
        ("no tariff", ("UPDATE item SET pricelist = NULL WHERE id = 1", Kind::BadArgument, "item")),
        ("no handler row", ("DELETE FROM processingmodule", Kind::UnsupportedModule, "")),
        ("no password of the handler", ("DELETE FROM processingcryptedparam", Kind::MissingParam, "password")),
        (
            "a crypted value that is not base64",
            ("UPDATE processingcryptedparam SET value = '***'", Kind::BadParam, "password"),
        ),
        (
            "a crypted value of another length",
            ("UPDATE processingcryptedparam SET value = 'AAAA'", Kind::BadParam, "password"),
        ),
        ("no client", ("UPDATE item SET account = NULL WHERE id = 1", Kind::MissingParam, "email")),
        ("no user of the client", ("DELETE FROM user", Kind::MissingParam, "email")),
        ("no table of units", ("DROP TABLE measure", Kind::Db, "query")),
        ("no units", ("DELETE FROM measure", Kind::BadParam, "mem")),
    ];
    each(&statements, |&(statement, kind, object)| {
        let world = TestWorld::start();
        let item = world.bill.order(&Order::new(world.alice, world.tariffs.medium, world.handler));
        assert_eq!(item, 1);
        world.bill.exec(statement, &[]);
        let before = (world.vmm.look(|p| (p.hosts.len(), p.accounts.len())), world.bill.params(item));
        let started = Instant::now();
        Refusal::of(&world.perform(item, "open")).is(kind, object, &[]);
        assert!(started.elapsed() < IMPATIENCE);
        assert_eq!((world.vmm.look(|p| (p.hosts.len(), p.accounts.len())), world.bill.params(item)), before);
    });
}

/// The running module is told that the database is somewhere else.
fn with_options(world: &TestWorld, options: &str) -> Refusal {
    fs::write(world.bill.root().join("etc/billmgr.conf.d/db.conf"), options).unwrap();
    let started = Instant::now();
    let refusal = Refusal::of(&world.run(&["--command", "open", "--item", "1"]));
    assert!(started.elapsed() < IMPATIENCE, "{:?}", started.elapsed());
    assert!(world.vmm.requests().is_empty());
    refusal
}

#[test]
fn a_database_that_cannot_be_read() {
    let world = TestWorld::start();
    world.ordered();
    let file = world.bill.root().join("var/absent.db").display().to_string();
    with_options(&world, &format!("DBType sqlite\nDBName {file}\n")).is(Kind::Db, &file, &[]);
    let text = world.bill.root().join("etc/debug.conf").display().to_string();
    assert_eq!(with_options(&world, &format!("DBType sqlite\nDBName {text}\n")).kind, Kind::Db);
    let socket = "/nonexistent/mysqld.sock";
    let options =
        format!("DBHost localhost\nDBSocket {socket}\nDBName billmgr\nDBUser billmgr\nDBPassword Db-secret-77\n");
    with_options(&world, &options).is(Kind::Db, socket, &["billmgr"]);
    with_options(&world, "DBHost 127.0.0.1:1\nDBName billmgr\nDBPassword Db-secret-77\n").is(
        Kind::Db,
        "127.0.0.1:1",
        &[],
    );
    assert!(!world.bill.log().contains("Db-secret-77"));
}

#[test]
fn a_mariadb_that_refuses() {
    let world = TestWorld::on(Database::MariaDb);
    world.ordered();
    let options = fs::read_to_string(world.bill.root().join("etc/billmgr.conf.d/db.conf")).unwrap();
    let changed = |name: &str, value: &str| {
        let line = |line: &str| if line.starts_with(name) { format!("{name} {value}\n") } else { format!("{line}\n") };
        options.lines().map(line).collect::<String>()
    };
    let refusal = with_options(&world, &changed("DBPassword", "Wrong-db-pass-1"));
    assert_eq!(refusal.kind, Kind::Db, "{refusal:?}");
    assert!(!format!("{refusal:?}{}", world.bill.log()).contains("Wrong-db-pass-1"));
    let refusal = with_options(&world, &changed("DBName", "no_such_database"));
    assert_eq!(refusal.kind, Kind::Db, "{refusal:?}");
    // The right options again: nothing has to be repaired.
    fs::write(world.bill.root().join("etc/billmgr.conf.d/db.conf"), &options).unwrap();
    world.succeed(1, "open");
}

#[test]
fn an_mgrctl_that_cannot_be_used() {
    type Spoil = fn(&PathBuf);
    let cases: [(&str, (Spoil, &str)); 6] = [
        ("missing", (|_| (), "cannot be started")),
        ("a directory", (|file| fs::create_dir(file).unwrap(), "cannot be started")),
        ("not executable", (|file| program(file, "#!/bin/sh\n", 0o644), "cannot be started")),
        ("printing nonsense", (|file| program(file, "#!/bin/sh\necho nonsense\n", 0o755), "nonsense")),
        ("failing silently", (|file| program(file, "#!/bin/sh\nexit 3\n", 0o755), "without an XML answer")),
        ("killed", (|file| program(file, "#!/bin/sh\nkill -9 $$\n", 0o755), "without an XML answer")),
    ];
    each(&cases, |(spoil, reason)| {
        let world = TestWorld::with(|scene| "panel=1".clone_into(&mut scene.limits));
        let item = world.ordered();
        let file = world.bill.root().join("sbin/mgrctl");
        let program = fs::read_link(&file).unwrap();
        fs::remove_file(&file).unwrap();
        spoil(&file);
        let started = Instant::now();
        let refusal = Refusal::of(&world.perform(item, "open"));
        assert!(started.elapsed() < IMPATIENCE, "{:?}", started.elapsed());
        assert_eq!(refusal.kind, Kind::Mgrctl, "{refusal:?}");
        assert!(refusal.value.contains(reason), "{refusal:?}");
        assert!(world.made_by_module().is_empty(), "no VM that BILLmanager cannot be told of");
        if file.is_dir() {
            fs::remove_dir(&file).unwrap();
        } else {
            _ = fs::remove_file(&file);
        }
        symlink(program, &file).unwrap();
        world.succeed(item, "open");
    });
}

fn program(file: &PathBuf, text: &str, mode: u32) {
    fs::write(file, text).unwrap();
    fs::set_permissions(file, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_key_that_cannot_be_used() {
    let elsewhere = TestWorld::with(|scene| scene.bill.installation = 1);
    let other_key = fs::read_to_string(elsewhere.bill.root().join("etc/billmgr.pem")).unwrap();
    let cases = [
        ("missing", (None, Kind::Db)),
        ("empty", (Some(""), Kind::Db)),
        ("no key", (Some("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"), Kind::Db)),
        ("another key", (Some(other_key.as_str()), Kind::BadParam)),
    ];
    each(&cases, |(text, kind)| {
        let world = TestWorld::start();
        let item = world.ordered();
        let file = world.bill.root().join("etc/billmgr.pem");
        let good = fs::read_to_string(&file).unwrap();
        match text {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let refusal = world.refuse(item, "open");
        let object = if *kind == Kind::Db { file.display().to_string() } else { "password".to_owned() };
        refusal.is(*kind, &object, &[]);
        fs::write(&file, good).unwrap();
        world.succeed(item, "open");
    });
}

#[test]
fn answers_of_vmmanager_that_stay_wrong() {
    let mistakes = [Action::Garbage, Action::TruncatedJson, Action::WrongType, Action::Huge(40 << 20)];
    let paths = ["/vm/v3/host", "/vm/v3/os", "/vm/v3/preset", "/vm/v3/account"];
    let cases: Vec<(&str, (&str, Action))> =
        paths.iter().flat_map(|path| mistakes.iter().map(move |mistake| (*path, (*path, mistake.clone())))).collect();
    each(&cases, |(path, mistake)| {
        let world = TestWorld::start();
        let tariff =
            world.bill.add_tariff(&Tariff::sized("t", 1, 1024, 10_240).preset("KVM-SSD-1").handler(world.handler));
        let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
        world.vmm.fault(Fault::on("GET", path).always().act(mistake.clone()));
        let refusal = world.fail(item, "open");
        let asked = world.vmm.requests().iter().filter(|it| it.method == "GET" && it.path == *path).count();
        assert_eq!(asked, 4, "one reading and three repetitions, then it gives up: {mistake:?}");
        assert!(matches!(refusal.kind, Kind::Vm6Api | Kind::Vm6Connect), "{mistake:?}: {refusal:?}");
        assert_eq!(refusal.object, format!("GET {path}"), "{mistake:?}: {refusal:?}");
        assert!(world.made_by_module().is_empty());
        world.vmm.clear_faults();
        world.succeed(item, "open");
    });
}

#[test]
fn a_licence_that_has_lapsed() {
    let world = TestWorld::start();
    let (item, open) = (world.ordered(), world.opened());
    world.vmm.change(|platform| platform.licence_valid = false);
    assert_eq!(world.fail(item, "open").kind, Kind::Vm6Permission);
    assert!(world.hosts_of(item).is_empty());
    // Deletion works without a licence.
    world.succeed(open, "close");
    world.vmm.change(|platform| platform.licence_valid = true);
    world.succeed(item, "open");
}

#[test]
fn nothing_is_done_on_a_copied_installation() {
    let world = TestWorld::start();
    let item = world.opened();
    let before = world.snapshot(item);
    world.bill.do_nothing(true);
    for command in CHANGING {
        let run = world.run(&["--command", command, "--item", &item.to_string()]);
        assert!(run.done && run.stdout.is_empty(), "{command}: {run:?}");
    }
    assert_eq!(world.snapshot(item), before);
    assert!(world.vmm.requests().is_empty() && world.bill.calls().is_empty());
    world.bill.do_nothing(false);
    world.succeed(item, "close");
}

/// A link to a directory that would do.
fn link(path: &PathBuf) {
    let elsewhere = path.with_file_name("elsewhere");
    open_directory(&elsewhere, 0o700);
    symlink(elsewhere, path).unwrap();
}

#[test]
fn state_directories_that_cannot_be_trusted() {
    type Spoil = fn(&PathBuf);
    let cases: [(&str, (Spoil, &str)); 4] = [
        ("a file", (|path| fs::write(path, "").unwrap(), "not a directory")),
        ("a link", (link, "symbolic link")),
        ("open to all", (|path| open_directory(path, 0o777), "chmod 0700")),
        ("open to the group", (|path| open_directory(path, 0o770), "chmod 0700")),
    ];
    each(&cases, |(spoil, reason)| {
        let world = TestWorld::start();
        let item = world.ordered();
        let path = world.bill.root().join("var/pmvmmanager6");
        spoil(&path);
        let refusal = world.refuse(item, "open");
        assert_eq!(refusal.kind, Kind::State, "{refusal:?}");
        assert!(refusal.object.starts_with(&path.display().to_string()), "{refusal:?}");
        assert!(refusal.value.to_lowercase().contains(reason), "{refusal:?}");
        assert!(world.vmm.requests().is_empty());
    });
}

fn open_directory(path: &PathBuf, mode: u32) {
    fs::create_dir(path).unwrap();
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}
