//! `pmvmmanager6 doctor`: a healthy installation, and one case for everything that can be wrong with one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use jiff::SignedDuration;
use sandbox::bill::{Database, Handler, Run, Tariff, base};
use sandbox::vmm::{Certificate, Platform, Transport};

use crate::support::cases::each;
use crate::support::golden::{assert_golden, blanked};
use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

/// A world in which nothing is wrong: certificate of an authority, plugin installed, OS templates offered, one order.
struct Healthy {
    world: TestWorld,
    _authority: tempfile::TempDir,
}

impl Healthy {
    fn start() -> Self {
        Self::with(Certificate::Signed)
    }

    fn with(certificate: Certificate) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("ca.pem");
        let world = TestWorld::with(|scene| {
            scene.vmm.transport = Transport::Tls(certificate);
            scene.bill.environment.push(("SSL_CERT_FILE".to_owned(), file.display().to_string()));
        });
        fs::write(&file, world.vmm.ca_pem().unwrap()).unwrap();
        let healthy = Healthy { world, _authority: directory };
        healthy.mode("etc/billmgr.pem", 0o600);
        // The world pins the certificate; templates are read with that pin.
        let handler = healthy.world.handler.to_string();
        assert_eq!(healthy.world.run(&["--command", "sync_server", "--module", &handler]).status, Some(0));
        healthy.set("tls_verify", "system");
        healthy.world.ordered();
        healthy
    }

    fn path(&self, name: &str) -> PathBuf {
        self.world.bill.root().join(name)
    }

    fn mode(&self, name: &str, mode: u32) {
        fs::set_permissions(self.path(name), PermissionsExt::from_mode(mode)).unwrap();
    }

    /// A setting of the handler.
    fn set(&self, name: &str, value: &str) {
        self.world.bill.set_handler(self.world.handler, name, value);
    }

    /// Another file in the place of the module, with this mode.
    fn replace_module(&self, mode: u32) {
        let module = self.path("processing/pmvmmanager6");
        fs::remove_file(&module).unwrap();
        fs::write(&module, "#!/bin/false\n").unwrap();
        self.mode("processing/pmvmmanager6", mode);
    }

    fn change_plugin(&self, change: impl Fn(&str) -> String) {
        let file = self.path("etc/xml/billmgr_mod_pmvmmanager6.xml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, change(&text)).unwrap();
    }

    fn doctor(&self, arguments: &[&str]) -> Run {
        self.doctor_with(arguments, &[])
    }

    fn doctor_with(&self, arguments: &[&str], environment: &[(&str, &str)]) -> Run {
        let words: Vec<&str> = std::iter::once("doctor").chain(arguments.iter().copied()).collect();
        // Not the installed executable: that may be what is wrong.
        let usual = self.world.bill.command(&words);
        let usual = usual.get_envs().filter_map(|(name, value)| Some((name, value?)));
        let mut command = Command::new(env!("CARGO_BIN_EXE_pmvmmanager6"));
        let output = command.args(&words).envs(usual).envs(environment.iter().copied()).output();
        Run::new(&output.expect("the module starts"), Duration::ZERO)
    }

    /// Output without what differs from run to run.
    fn normal(&self, text: &str) -> String {
        let text = text.replace(&self.world.bill.root().display().to_string(), "/usr/local/mgr5");
        let text = text.replace(&self.world.vmm.url(), "https://vm.example.net");
        let text = text.replace(&self.world.vmm.fingerprint().unwrap(), "…");
        let version = format!("SQLite {}", rusqlite::version());
        let text = blanked(&text.replace(&version, "SQLite …"), "billmgr:", ":");
        blanked(&blanked(&text, " has ", " MiB"), "ends on ", " days")
    }
}

#[test]
fn nothing_is_wrong_with_a_healthy_installation() {
    let healthy = Healthy::start();
    let run = healthy.doctor(&[]);
    assert_eq!((run.status, run.stderr.as_str()), (Some(0), ""), "{}", run.stdout);
    assert_golden("doctor/healthy.txt", &healthy.normal(&run.stdout));
    let run = healthy.doctor(&["--json"]);
    assert_eq!(run.status, Some(0));
    assert_golden("doctor/healthy.json", &healthy.normal(&run.stdout));
    assert_eq!(healthy.world.mutations(), [""; 0], "nothing is changed");
}

/// A fault, and what must be said about it.
struct Case {
    plant: fn(&Healthy),
    certificate: Certificate,
    environment: &'static [(&'static str, &'static str)],
    level: &'static str,
    check: &'static str,
    what: &'static str,
    cure: &'static str,
}

fn error(plant: fn(&Healthy), check: &'static str, what: &'static str, cure: &'static str) -> Case {
    Case { plant, certificate: Certificate::Signed, environment: &[], level: "error", check, what, cure }
}

fn warning(plant: fn(&Healthy), check: &'static str, what: &'static str, cure: &'static str) -> Case {
    Case { level: "warning", ..error(plant, check, what, cure) }
}

fn check(case: &Case) {
    let healthy = Healthy::with(case.certificate);
    (case.plant)(&healthy);
    let run = healthy.doctor_with(&[], case.environment);
    assert_eq!(run.status, Some(1), "{run:#?}");
    let mut lines = run.stdout.lines();
    let finding = lines.find(|line| {
        let rest = line.strip_prefix(case.level).map(str::trim_start).and_then(|rest| rest.strip_prefix(case.check));
        rest.is_some_and(|rest| rest.starts_with("  ") && rest.contains(case.what))
    });
    assert!(finding.is_some(), "no {} of {} about {}:\n{}", case.level, case.check, case.what, run.stdout);
    let cure = lines.next().unwrap_or_default();
    assert!(cure.contains('→') && cure.contains(case.cure), "cure \"{cure}\":\n{}", run.stdout);
    let end = run.stdout.lines().last().unwrap();
    assert!(end.contains("error") && !end.contains("0 errors, 0 warnings"), "{end}");
}

fn change(healthy: &Healthy, change: impl FnOnce(&mut Platform)) {
    healthy.world.vmm.change(change);
}

/// All addresses of the pools of cluster 1 but so many.
fn leave_addresses(platform: &mut Platform, left: u64) {
    platform.pools.get_mut(&2).unwrap().clusters.clear();
    platform.pools.get_mut(&1).unwrap().ranges.retain(|range| range.prefix == 24);
    platform.pools.get_mut(&1).unwrap().ranges[0].count = left;
}

#[test]
fn files_of_the_installation() {
    let cases = [
        (
            "no executable",
            error(
                |h| fs::remove_file(h.path("processing/pmvmmanager6")).unwrap(),
                "executable",
                "is not there",
                "install the module again",
            ),
        ),
        (
            "an executable that cannot be run",
            error(|h| h.replace_module(0o644), "executable", "mode 0644", "chmod 0755"),
        ),
        (
            "an executable that everybody can change",
            error(|h| h.replace_module(0o777), "executable", "changed by other users", "chmod 0755"),
        ),
        (
            "an executable for root alone",
            warning(|h| h.replace_module(0o700), "executable", "mode 0700, not 0755", "chmod 0755"),
        ),
        (
            "no plugin XML",
            error(
                |h| fs::remove_file(h.path("etc/xml/billmgr_mod_pmvmmanager6.xml")).unwrap(),
                "plugin XML",
                "cannot be read",
                "mgrctl -m billmgr -R",
            ),
        ),
        (
            "plugin XML that is none",
            error(|h| h.change_plugin(|_| "<mgrdata>".into()), "plugin XML", "is not XML", "restart BILLmanager"),
        ),
        (
            "plugin XML of an older version",
            error(
                |h| h.change_plugin(|text| text.replace("field name=\"tls_verify\"", "field name=\"verify\"")),
                "plugin XML",
                "lacks the field tls_verify",
                "install the module again",
            ),
        ),
        (
            "plugin XML with a text less",
            error(
                |h| h.change_plugin(|text| text.replacen("msg_error_disk_shrink", "x", 1)),
                "plugin XML",
                "lacks the text msg_error_disk_shrink",
                "install the module again",
            ),
        ),
        (
            "plugin XML without a list that a command fills",
            error(
                |h| h.change_plugin(|text| text.replace("select name=\"ippool\"", "input name=\"ippool\"")),
                "plugin XML",
                "lacks the list ippool of pricelist",
                "install the module again",
            ),
        ),
        (
            "plugin XML of another version",
            warning(
                |h| h.change_plugin(|text| format!("{text}\n<!-- newer -->\n")),
                "plugin XML",
                "of another version",
                "install the module again",
            ),
        ),
        (
            "a key that everybody can read",
            warning(|h| h.mode("etc/billmgr.pem", 0o644), "key file", "open to every user", "chmod 0600"),
        ),
    ];
    each(&cases, check);
}

#[test]
fn billmanager_and_the_state() {
    let nowhere = |h: &Healthy| {
        let text = "DBType sqlite\nDBName /nonexistent/billmgr.db\n";
        fs::write(h.path("etc/billmgr.conf.d/db.conf"), text).unwrap();
    };
    let elsewhere = &[("PMVMMANAGER6_FILESYSTEM", "6969")];
    let cases = [
        ("no database", error(nowhere, "database", "cannot be opened", "etc/billmgr.conf.d")),
        (
            "a key that is none",
            error(
                |h| {
                    fs::write(h.path("etc/billmgr.pem"), "").unwrap();
                    for invariant in [Invariant::OneVm, Invariant::NothingForgotten, Invariant::NoSecret] {
                        h.world.waive(invariant, "marks and secrets cannot be read without the key");
                    }
                },
                "key",
                "private key cannot be used",
                "restore",
            ),
        ),
        (
            "no mgrctl",
            error(
                |h| fs::remove_file(h.path("sbin/mgrctl")).unwrap(),
                "mgrctl",
                "cannot be started",
                "BILLmanager is expected in",
            ),
        ),
        (
            "BILLmanager is down",
            error(|h| h.world.bill.panel_down(None), "mgrctl", "could not be reached for 5 s", "start BILLmanager"),
        ),
        (
            "state that everybody can change",
            error(|h| h.mode("var/pmvmmanager6", 0o777), "durable state", "may be changed by other", "chmod 0700"),
        ),
        (
            "state that others can read",
            warning(|h| h.mode("var/pmvmmanager6/run", 0o750), "runtime state", "open to other users", "chmod 0700"),
        ),
        (
            "state on NFS",
            Case {
                environment: elsewhere,
                ..error(|_| (), "durable state", "NFS filesystem, where locks cannot", "put it on a local one")
            },
        ),
        (
            "a journal that is none",
            error(
                |h| fs::write(h.path("var/pmvmmanager6/journal.db"), "x".repeat(4096)).unwrap(),
                "journal",
                "journal.db",
                "restore",
            ),
        ),
    ];
    each(&cases, check);
}

#[test]
fn the_way_to_vmmanager() {
    let cases = [
        (
            "nobody listens",
            error(|h| h.set("url", "https://127.0.0.1:9"), "address", "vm6_connect", "check the address, the network"),
        ),
        ("no address", error(|h| h.set("url", ""), "settings", "is empty", "the handler's form")),
        (
            "a certificate that ends soon",
            Case {
                certificate: Certificate::EndsSoon,
                ..warning(|_| (), "certificate", "ends on", "renew VMmanager's certificate")
            },
        ),
        (
            "a certificate that has ended",
            Case { certificate: Certificate::Expired, ..error(|_| (), "certificate", "ended on", "renew VMmanager's") },
        ),
        (
            "a certificate that is not trusted",
            Case { certificate: Certificate::WrongHost, ..error(|_| (), "TLS", "vm6_tls", "its SHA-256 is") },
        ),
        ("no check of the certificate", warning(|h| h.set("tls_verify", "off"), "TLS", "nothing is checked", "pinned")),
        (
            "a password that was changed",
            error(
                |h| change(h, |p| p.accounts.get_mut(&1).unwrap().password = "Another-pass-2".into()),
                "login",
                "vm6_auth",
                "check user name and password",
            ),
        ),
        (
            "a user who is no administrator",
            error(
                |h| change(h, |p| p.accounts.get_mut(&1).unwrap().roles = vec!["admin.readonly".into()]),
                "role",
                "not an administrator",
                "enter an administrator",
            ),
        ),
        (
            "a password that this key does not open",
            error(
                |h| _ = h.world.bill.exec("UPDATE processingcryptedparam SET value = ?", &["bm9uc2Vuc2U="]),
                "settings",
                "cannot be decrypted",
                "save it again in BILLmanager",
            ),
        ),
        (
            "a data center of another system",
            error(
                |h| {
                    let id = base::EXTERNAL_DATACENTER.to_string();
                    h.world.bill.exec("UPDATE processingmodule SET datacenter = ?", &[&id]);
                },
                "data center",
                "external id \"ext-7\"",
                "without one",
            ),
        ),
    ];
    each(&cases, check);
}

#[test]
fn vmmanager_itself() {
    let cases = [
        (
            "an old VMmanager",
            error(|h| change(h, |p| p.version = "2023.11.1".into()), "version", "2023.11.1", "update VMmanager"),
        ),
        (
            "a licence that has ended",
            error(|h| change(h, |p| p.licence_valid = false), "licence", "is not valid", "renew the licence"),
        ),
        ("a cluster that is gone", error(|h| h.set("cluster", "77"), "cluster", "no cluster with the id 77", "choose")),
        ("no cluster", error(|h| h.set("cluster", ""), "cluster", "no cluster is chosen", "choose a cluster")),
        (
            "no second interface",
            error(|h| h.set("additional_interface", "on"), "interfaces", "no IP pool", "attach a pool"),
        ),
        (
            "an OS template that is gone",
            error(
                |h| change(h, |p| drop(p.os.remove(&12))),
                "OS templates",
                "has no OS template \"ISPsystem__Ubuntu 24.04\"",
                "synchronise",
            ),
        ),
        (
            "an OS template of administrators",
            error(
                |h| change(h, |p| p.os.get_mut(&12).unwrap().adminonly = true),
                "OS templates",
                "\"ISPsystem__Ubuntu 24.04\" cannot be used",
                "change it in VMmanager",
            ),
        ),
        (
            "an OS template with a hyphen now",
            warning(
                |h| change(h, |p| p.os.get_mut(&12).unwrap().name = "Ubuntu-24.04".into()),
                "OS templates",
                "\"ISPsystem__Ubuntu 24.04\" is taken for VMmanager's \"ISPsystem__Ubuntu-24.04\"",
                "sync_server",
            ),
        ),
        (
            "an OS template that only a service has",
            warning(
                |h| {
                    let sql = "UPDATE itemparam SET value = 'ISPsystem__Debian 9' WHERE intname = 'ostempl'";
                    h.world.bill.exec(sql, &[]);
                },
                "OS templates",
                "\"ISPsystem__Debian 9\"",
                "choose another OS",
            ),
        ),
        (
            "no addresses",
            error(|h| change(h, |p| leave_addresses(p, 0)), "addresses", "kvm-public 0 free", "add addresses"),
        ),
        (
            "few addresses",
            warning(|h| change(h, |p| leave_addresses(p, 3)), "addresses", "kvm-public 3 free", "add addresses"),
        ),
        (
            "a clock that is fast",
            warning(
                |h| change(h, |p| p.clock_ahead = SignedDuration::from_secs(300)),
                "clock",
                "s ahead of ours",
                "NTP",
            ),
        ),
        (
            "a clock that is slow",
            warning(
                |h| change(h, |p| p.clock_ahead = SignedDuration::from_secs(-300)),
                "clock",
                "s behind ours",
                "NTP",
            ),
        ),
        (
            "a parameter that is no number",
            error(|h| h.set("session_ttl", "soon"), "parameters", "session_ttl cannot be \"soon\"", "Parameters"),
        ),
        (
            "a parameter out of range",
            error(|h| h.set("queue_count", "0"), "parameters", "queue_count cannot be \"0\"", "Parameters"),
        ),
    ];
    each(&cases, check);
}

#[test]
fn room_for_more_vms() {
    let cases = [
        (
            "room for few",
            warning(
                |h| change(h, |p| p.nodes.values_mut().for_each(|node| node.ram_mib = 3 * 2048)),
                "capacity",
                "VPS medium\": 2 (memory)",
                "make room in VMmanager",
            ),
        ),
        (
            "room for none",
            error(
                |h| change(h, |p| p.nodes.values_mut().for_each(|node| node.host_creation_blocked = true)),
                "capacity",
                "VPS small\": none (nodes that take VMs)",
                "make room in VMmanager",
            ),
        ),
        (
            "a tariff without sizes",
            warning(
                |h| _ = h.world.bill.add_tariff(&Tariff::new("no sizes").handler(h.world.handler)),
                "capacity",
                "\"no sizes\" cannot be counted",
                "tariff",
            ),
        ),
    ];
    each(&cases, check);
}

/// One wrong setting hides no other one, and each is named once.
#[test]
fn every_wrong_setting_is_named() {
    let healthy = Healthy::start();
    let wrong = [
        ("url", "ftp://vm.example.net", "ftp"),
        ("username", "", "\"username\" is empty"),
        ("tls_verify", "sometimes", "\"sometimes\" is not a way"),
        ("cluster", "first", "\"first\" is not the id"),
        ("use_recipes", "perhaps", "use_recipes cannot be \"perhaps\""),
        ("queue_count", "0", "queue_count cannot be \"0\""),
    ];
    for (name, value, _) in wrong {
        healthy.set(name, value);
    }
    let run = healthy.doctor(&[]);
    assert_eq!(run.status, Some(1), "{run:#?}");
    for (name, _, text) in wrong {
        let lines = run.stdout.lines().filter(|line| line.starts_with("error") && line.contains(text));
        assert_eq!(lines.count(), 1, "{name}: {}", run.stdout);
    }
}

#[test]
fn one_handler_s_trouble_stays_its_own() {
    let healthy = Healthy::start();
    let url = healthy.world.vmm.url();
    let wrong = Handler::new("https://127.0.0.1:9", "admin@example.net", "x", "1").named("Frankfurt");
    let wrong = healthy.world.bill.add_handler(&wrong);
    let foreign = Handler { module: "pmvmmgr6".into(), ..Handler::new(&url, "a@b.c", "x", "1") };
    let foreign = healthy.world.bill.add_handler(&foreign).to_string();
    let run = healthy.doctor(&[]);
    assert_eq!(run.status, Some(1));
    let [first, second] = [healthy.world.handler, wrong].map(|id| section(&run.stdout, id));
    assert!(!first.contains("error") && first.contains("@admin"), "{first}");
    assert!(second.contains("skipped  login") && second.contains("address is not in order"), "{second}");
    assert!(second.contains("skipped  OS templates") && second.contains("skipped  certificate"), "{second}");
    // One handler alone.
    let run = healthy.doctor(&["--module", &healthy.world.handler.to_string()]);
    assert_eq!((run.status, run.stdout.contains("Frankfurt")), (Some(0), false), "{}", run.stdout);
    for (id, what) in [(foreign.as_str(), "is no handler of this module"), ("4711", "is no handler of this module")] {
        let run = healthy.doctor(&["--module", id]);
        assert_eq!((run.status, run.stdout.as_str()), (Some(1), ""));
        assert!(run.stderr.contains(id) && run.stderr.contains(what) && run.stderr.lines().count() == 1, "{run:?}");
    }
    // A handler that is switched off is left alone unless it is asked for.
    healthy.world.bill.exec("UPDATE processingmodule SET active = 'off' WHERE id = ?", &[&wrong.to_string()]);
    assert_eq!(healthy.doctor(&[]).status, Some(0));
    assert_eq!(healthy.doctor(&["--module", &wrong.to_string()]).status, Some(1));
}

/// The lines of one handler.
fn section(text: &str, handler: u64) -> String {
    let title = format!("handler {handler} ");
    let lines = text.lines().skip_while(|line| !line.contains(&title));
    lines.take_while(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_real_database() {
    let world = TestWorld::on(Database::MariaDb);
    let output = world.bill.run(&["doctor", "--json"]);
    let document: serde_json::Value = serde_json::from_str(&output.stdout).unwrap();
    let findings = document["sections"][2]["findings"].as_array().unwrap();
    assert_eq!((findings[0]["check"].as_str(), findings[0]["level"].as_str()), (Some("database"), Some("ok")));
    assert!(findings[0]["what"].as_str().unwrap().starts_with("server "), "{findings:?}");
    let handler = &document["sections"][3];
    assert_eq!(handler["handler"], world.handler, "{document:#}");
    let levels = handler["findings"].as_array().unwrap().iter().map(|finding| finding["level"].as_str().unwrap());
    assert!(levels.clone().all(|level| ["ok", "note"].contains(&level)), "{handler:#}");
}

#[test]
fn a_copied_installation_is_a_note() {
    let healthy = Healthy::start();
    healthy.world.bill.do_nothing(true);
    let run = healthy.doctor(&[]);
    assert_eq!(run.status, Some(0));
    assert!(run.stdout.lines().any(|line| line.starts_with("note") && line.contains("DoNothing")), "{}", run.stdout);
}
