//! Setting a handler and a tariff up: the forms' commands, from an empty BILLmanager to the first VM.

use std::collections::BTreeMap;
use std::time::Instant;

use pmvmmanager6::error::Kind;
use pmvmmanager6::wire::{self, Element};
use sandbox::bill::{Handler, Order, Tariff};
use sandbox::vmm::{Action, Fault};

use crate::support::decoy::Decoy;
use crate::support::invariants::assert_no_secret;
use crate::support::refusal::Refusal;
use crate::support::world::{IMPATIENCE, TestWorld};

const PASSWORD: &str = "Adm1n-secret-pass";

/// A form as the panel hands it over: values are direct children of the document.
#[derive(Clone)]
struct Form(Element);

impl Form {
    fn new(func: &str) -> Self {
        Form(Element::new("doc")).with("func", func)
    }

    /// The wizard's form with the administrator of the sandbox.
    fn of(world: &TestWorld) -> Self {
        let form = Form::new("processing.add.user").with("url", &world.vmm.url());
        form.with("username", "admin@example.net").with("password", PASSWORD).with("cluster", "")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.0.children.retain(|child| child.name != name);
        self.0.children.push(Element::with_text(name, value));
        self
    }

    /// Runs a command; the answer holds everything that was handed over, in order, and then lists.
    #[track_caller]
    fn tune(&self, world: &TestWorld, args: &[&str]) -> Element {
        let started = Instant::now();
        // Not remembered: the echo of a form holds the password that was typed into it.
        let run = world.bill.run_with_input(args, &self.0.document());
        assert!(started.elapsed() < IMPATIENCE, "a person waits for this form: {:?}", started.elapsed());
        assert_eq!(run.status, Some(0), "{run:#?}\n{}", world.bill.log());
        let answer = wire::parse(run.stdout.as_bytes()).unwrap();
        let (given, added) = answer.children.split_at(self.0.children.len());
        assert_eq!(given, self.0.children, "the form comes back as it was");
        assert!(added.iter().all(|child| child.name == "slist"), "{added:?}");
        assert!(!world.bill.log().contains(PASSWORD));
        answer
    }

    #[track_caller]
    fn clusters(&self, world: &TestWorld) -> Vec<(String, String)> {
        options(&self.tune(world, &["--command", "tune_connection"]), "cluster")
    }

    #[track_caller]
    fn refused(&self, world: &TestWorld) -> Refusal {
        Refusal::of(&world.run_with_input(&["--command", "tune_connection"], &self.0.document()))
    }
}

/// Key and text of a select's entries. Names of things are values; only "nothing" is a message of the panel's.
#[track_caller]
fn options(answer: &Element, select: &str) -> Vec<(String, String)> {
    let lists: Vec<&Element> = answer.all("slist").filter(|list| list.get("name") == Some(select)).collect();
    assert_eq!(lists.len(), 1, "one list for {select}: {answer:?}");
    let entry = |entry: &Element| {
        let key = entry.get("key").unwrap();
        assert_eq!(entry.name, if key.is_empty() { "msg" } else { "val" }, "{entry:?}");
        (key.to_owned(), entry.text.clone())
    };
    lists[0].children.iter().map(entry).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn the_clusters_appear_with_their_kind() {
    let world = TestWorld::start();
    let expected = [("1", "kvm-1 (KVM)"), ("2", "lxd-1 (LXD)"), ("3", "kvm-2if (KVM)")];
    assert_eq!(Form::of(&world).clusters(&world), pairs(&expected));
    // A form that is being edited, and one whose list was filled before.
    let edited = Form::of(&world).with("func", "processing.edit").with("cluster", "3");
    assert_eq!(edited.clusters(&world), pairs(&expected));
    assert_eq!(world.mutations(), [""; 0]);
}

#[test]
fn the_form_opens_whatever_vmmanager_does() {
    let world = TestWorld::start();
    let silent = Decoy::answering("");
    for (name, value) in [
        ("url", ""),
        ("url", "ftp://x"),
        ("url", "https://127.0.0.1:1"),
        ("url", silent.address().as_str()),
        ("username", ""),
        ("password", ""),
        ("password", "Wrong-pass-77"),
        ("tls_verify", "pinned"),
    ] {
        let form = Form::of(&world).with(name, value);
        assert_eq!(form.clusters(&world), [], "{name}={value}");
        // What is chosen stays chosen.
        assert_eq!(form.with("cluster", "7").clusters(&world), pairs(&[("7", "7")]));
    }
    world.vmm.fault(Fault::on("GET", "/vm/v3/cluster").always().act(Action::Garbage));
    assert_eq!(Form::of(&world).clusters(&world), []);
}

#[test]
fn a_sleeping_vmmanager_does_not_hold_the_form_up() {
    let world = TestWorld::start();
    world.vmm.fault(Fault::on("POST", "/auth/v4/public/token").always());
    assert_eq!(Form::of(&world).clusters(&world), []);
}

#[test]
fn a_step_of_the_wizard_is_refused_with_the_reason() {
    let world = TestWorld::start();
    let wrong = Form::of(&world).with("password", "Wrong-pass-77");
    for (name, value) in [("sok", "ok"), ("clicked_button", "next"), ("clicked_button", "finish")] {
        let refusal = wrong.clone().with(name, value).refused(&world);
        refusal.is(Kind::Vm6Auth, "admin@example.net", &["Wrong e-mail or password"]);
        assert_eq!(Form::of(&world).with(name, value).clusters(&world).len(), 3);
    }
    for form in [
        wrong.clone().with("sok", "ok").with("clicked_button", "back"),
        wrong.clone().with("func", "processing.edit").with("sok", "ok"),
        wrong.clone().with("sv_field", "password"),
    ] {
        assert_eq!(form.clusters(&world), []);
    }
    // The cluster belongs to the fourth step, and only that step judges it.
    let nowhere = Form::of(&world).with("sok", "ok").with("cluster", "77");
    assert_eq!(nowhere.clusters(&world).len(), 4);
    let nowhere = nowhere.with("func", "processing.add.settings");
    nowhere.refused(&world).is(Kind::ClusterNotFound, "cluster", &["77"]);
    nowhere.clone().with("cluster", "").refused(&world).is(Kind::MissingParam, "cluster", &["choose"]);
    for button in ["next", "back", "cancel"] {
        assert_eq!(nowhere.clone().with("clicked_button", button).clusters(&world).len(), 4, "{button}");
    }
}

#[test]
fn the_stored_password_goes_to_its_own_address_only() {
    let world = TestWorld::start();
    let edit = Form::of(&world).with("func", "processing.edit").with("password", "");
    let edit = edit.with("elid", &world.handler.to_string());
    assert_eq!(edit.clusters(&world).len(), 3);
    let elsewhere = Decoy::answering("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}");
    let moved = edit.with("url", &format!("http://{}", elsewhere.address()));
    assert_eq!(moved.clusters(&world), []);
    assert_eq!(elsewhere.heard(), [""; 0], "nobody has typed a password for that address");
    // Somebody else's handler is no reason to refuse the form.
    let foreign = Handler { module: "pmvmmgr6".into(), ..Handler::new(&world.vmm.url(), "a@b.c", "x", "1") };
    let foreign = world.bill.add_handler(&foreign).to_string();
    assert_eq!(Form::of(&world).with("elid", &foreign).clusters(&world).len(), 3);
}

#[test]
fn lists_that_were_kept_stand_in() {
    let world = TestWorld::start();
    let handler = world.handler.to_string();
    let run = world.run(&["--command", "get_server_config", "--module", &handler]);
    assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
    let edit =
        Form::of(&world).with("func", "processing.edit").with("elid", &handler).with("password", "Wrong-pass-77");
    let clusters = [("1", "kvm-1 (KVM)"), ("2", "lxd-1 (LXD)"), ("3", "kvm-2if (KVM)")];
    assert_eq!(edit.clusters(&world), pairs(&clusters));
    world.forget();
    let args = ["--command", "pricelist_dynamic_settings_tune", "--module", &handler, "--itemtype", "vds"];
    let tariff = Form::new("pricelist.edit").with("preset", "Gone-1").tune(&world, &args);
    assert!(world.vmm.requests().is_empty(), "the form does not wait for the network");
    let nothing = [("", "null")];
    assert_eq!(options(&tariff, "cluster"), pairs(&[&nothing[..], &clusters].concat()));
    let presets = options(&tariff, "preset");
    assert_eq!(
        presets[..3],
        pairs(&[("Gone-1", "Gone-1"), ("", "null"), ("KVM-SSD-1", "KVM-SSD-1: 2 CPU, 2048 MiB, 20480 MiB (KVM)")])
    );
    assert_eq!(presets.len(), 7);
    assert_eq!(options(&tariff, "ippool")[1], ("1".to_owned(), "kvm-public: kvm-1 (KVM)".to_owned()));
}

#[test]
fn the_tariff_form_opens_without_kept_lists_and_without_vmmanager() {
    let world = TestWorld::start();
    let handler = world.handler.to_string();
    let args = ["--command", "pricelist_dynamic_settings_tune", "--module", &handler];
    let form = Form::new("pricelist.edit").with("cluster", "3");
    assert_eq!(options(&form.tune(&world, &args), "cluster").len(), 4, "VMmanager is asked");
    for kept in ["nonsense", "<config version=\"1\"/>", "<choices version=\"99\"/>"] {
        world.bill.exec("UPDATE processingmodule SET config = ? WHERE id = ?", &[kept, &handler]);
        assert_eq!(options(&form.tune(&world, &args), "preset").len(), 6);
    }
    world.bill.set_handler(world.handler, "url", "https://127.0.0.1:1");
    let lonely = form.tune(&world, &args);
    assert_eq!(options(&lonely, "cluster"), pairs(&[("3", "3"), ("", "null")]));
    for args in [&args[..2], &["--command", "pricelist_dynamic_settings_tune", "--module", "4711"]] {
        assert_eq!(options(&form.tune(&world, args), "ippool"), pairs(&[("", "null")]));
    }
}

#[test]
fn names_of_every_kind_stay_legible() {
    let world = TestWorld::start();
    let names = ["<b>&amp;\"'", "кластер", "🚀 rocket", "\u{202e}عربي", "a\u{1}b\u{b}c", "  ", "]]>", "x\ty\nz"];
    world.vmm.change(|platform| {
        let blank = platform.clusters[&1].clone();
        for (id, name) in (100..).zip(names) {
            platform.clusters.insert(id, sandbox::vmm::Cluster { id, name: name.into(), ..blank.clone() });
        }
    });
    let texts: BTreeMap<String, String> = Form::of(&world).clusters(&world).into_iter().collect();
    assert_eq!(texts["100"], "<b>&amp;\"' (KVM)");
    assert_eq!(texts["101"], "кластер (KVM)");
    assert_eq!(texts["102"], "🚀 rocket (KVM)");
    assert_eq!(texts["103"], "\u{fffd}عربي (KVM)");
    assert_eq!(texts["104"], "a\u{fffd}b\u{fffd}c (KVM)");
    assert_eq!(texts["105"], "#105 (KVM)");
    assert_eq!(texts["106"], "]]> (KVM)");
    assert_eq!(texts["107"], "x y z (KVM)");
}

#[test]
fn long_lists_are_paged() {
    let world = TestWorld::start();
    world.vmm.change(|platform| {
        let blank = platform.clusters[&1].clone();
        for id in 10..1507 {
            platform.clusters.insert(id, sandbox::vmm::Cluster { id, name: format!("c{id}"), ..blank.clone() });
        }
    });
    assert_eq!(Form::of(&world).clusters(&world).len(), 1500);
    let asked = world.vmm.requests().into_iter().filter(|request| request.path == "/vm/v3/cluster");
    assert_eq!(asked.count(), 6, "500 at a time with one in common, and two looks that find no more");
}

/// The panel hands back what it was given before.
#[test]
fn a_form_with_ten_thousand_clusters_comes_back() {
    let world = TestWorld::start();
    let entry = |id: u32| Element::with_text("msg", format!("cluster {id}")).attribute("key", id.to_string());
    let old = Element::new("slist").attribute("name", "elsewhere").children((0..10_000).map(entry));
    let mut form = Form::of(&world);
    form.0.children.push(old);
    assert_eq!(form.clusters(&world).len(), 3);
}

#[test]
fn doubled_and_strange_fields_come_back() {
    let world = TestWorld::start();
    let mut form = Form::of(&world);
    form.0.children.push(Element::with_text("password", "second"));
    form.0.children.push(Element::with_text("cluster", "9"));
    form.0.children.push(Element::new("elem").attribute("a", "<1>").child(Element::with_text("x", "🚀 \u{202e}")));
    form.0.attributes.push(("lang".into(), "ru".into()));
    assert_eq!(form.clusters(&world).len(), 3, "of a doubled field the first counts");
    for input in ["", "<doc>", "nonsense"] {
        let refusal = Refusal::of(&world.run_with_input(&["--command", "tune_connection"], input));
        assert_eq!(refusal.kind, Kind::BadInputXml);
    }
}

/// What `check_connection` says to these settings beside the usual ones.
fn check(world: &TestWorld, settings: &[(&str, &str)]) -> Result<(), Refusal> {
    let mut form: BTreeMap<&str, &str> =
        BTreeMap::from([("username", "admin@example.net"), ("password", PASSWORD), ("cluster", "1")]);
    let url = world.vmm.url();
    form.insert("url", &url);
    form.extend(settings.iter().copied());
    let fields = form.into_iter().map(|(name, value)| Element::with_text(name, value));
    let document = Element::new("doc").child(Element::new("processingmodule").children(fields)).document();
    let run = world.run_with_input(&["--command", "check_connection"], &document);
    assert_no_secret(world);
    if run.status == Some(0) { Ok(()) } else { Err(Refusal::of(&run)) }
}

#[test]
fn the_version_must_be_known_to_work() {
    let world = TestWorld::start();
    for good in ["2024.03.1", "2024.3.1", "2024.10.2-1", "2026.01.0", "VMmanager 6.2025.06.1"] {
        world.vmm.change(|platform| platform.version = good.into());
        check(&world, &[]).unwrap();
    }
    for old in ["2024.02.9", "2023.12.1", "6.2023.05"] {
        world.vmm.change(|platform| platform.version = old.into());
        check(&world, &[]).unwrap_err().is(Kind::Vm6Version, "version", &["2024.03.1", "update VMmanager"]);
    }
    for unreadable in ["", "trunk", "1.2.3"] {
        world.vmm.change(|platform| platform.version = unreadable.into());
        check(&world, &[]).unwrap();
    }
    assert!(world.bill.log().contains("version cannot be understood"));
    let gone = r#"{"error":{"code":1106,"msg":"No handler"}}"#;
    world.vmm.fault(Fault::on("GET", "/vm/v3/version").act(Action::Status { code: 404, body: gone.into() }));
    check(&world, &[]).unwrap();
}

#[test]
fn half_the_rights_are_not_enough() {
    let world = TestWorld::start();
    let forbidden = r#"{"error":{"code":3001,"msg":"Unauthorized"}}"#;
    let lists = [
        ("account", "accounts"),
        ("cluster", "clusters"),
        ("host", "virtual machines"),
        ("task", "tasks"),
        ("os", "OS templates"),
        ("preset", "VM configurations"),
        ("ippool", "IP pools"),
    ];
    for (path, what) in lists {
        let fault = Fault::on("GET", &format!("/vm/v3/{path}"));
        world.vmm.fault(fault.act(Action::Status { code: 403, body: forbidden.into() }));
        check(&world, &[]).unwrap_err().is(Kind::Vm6Permission, what, &["may not see", what]);
    }
    let recipes = || Fault::on("GET", "/vm/v3/recipe").act(Action::Status { code: 403, body: forbidden.into() });
    world.vmm.fault(recipes());
    check(&world, &[]).unwrap();
    check(&world, &[("use_recipes", "on")]).unwrap_err().is(Kind::Vm6Permission, "recipes", &[]);
    world.vmm.change(|platform| platform.licence_valid = false);
    check(&world, &[]).unwrap_err().is(Kind::Vm6Permission, "accounts", &["licence"]);
    assert_eq!(world.mutations(), [""; 0], "rights are tried out by reading");
}

#[test]
fn the_second_interface_must_exist() {
    let world = TestWorld::start();
    check(&world, &[("cluster", "3"), ("additional_interface", "on")]).unwrap();
    check(&world, &[("cluster", "1"), ("additional_interface", "off")]).unwrap();
    let refusal = check(&world, &[("cluster", "1"), ("additional_interface", "on")]).unwrap_err();
    refusal.is(Kind::NoSecondInterface, "additional_interface", &["cluster 1", "pool"]);
}

/// As a new user would: nothing but the forms' commands and what they answer.
#[test]
fn from_an_empty_billmanager_to_a_vm() {
    let world = TestWorld::start();
    let succeed = |args: &[&str]| {
        let run = world.run(args);
        assert_eq!((run.status, run.stdout.as_str()), (Some(0), ""), "{run:#?}\n{}", world.bill.log());
    };
    let form = Form::of(&world).with("use_recipes", "on");
    let clusters = form.clusters(&world);
    let (cluster, _) = clusters.iter().find(|(_, text)| text == "kvm-1 (KVM)").unwrap();
    form.with("cluster", cluster).with("clicked_button", "finish").clusters(&world);
    check(&world, &[("cluster", cluster), ("use_recipes", "on")]).unwrap();
    let handler = Handler::new(&world.vmm.url(), "admin@example.net", PASSWORD, cluster).with("use_recipes", "on");
    let handler = world.bill.add_handler(&handler);
    let id = handler.to_string();
    succeed(&["--command", "get_server_config", "--module", &id]);
    succeed(&["--command", "sync_server", "--module", &id]);
    let args = ["--command", "pricelist_dynamic_settings_tune", "--module", &id, "--itemtype", "vds"];
    let tariff = Form::new("pricelist.add").tune(&world, &args);
    let preset = &options(&tariff, "preset")[1].0;
    let pool = &options(&tariff, "ippool")[2].0;
    let tariff = Tariff::new("VPS").param("preset", preset).param("ippool", pool).param("cluster", "");
    let tariff = world.bill.add_tariff(&tariff.handler(handler));
    let sql = "SELECT intname FROM itemtypeparamvalue WHERE intname LIKE ?";
    let ordered = |name: &str| world.bill.rows(sql, &[name])[0][0].clone().unwrap();
    let order = Order::new(world.alice, tariff, handler);
    let order = order.param("ostempl", &ordered("%Ubuntu 24.04")).param("recipe", &ordered("%Docker"));
    let item = world.bill.order(&order);
    world.succeed(item, "open");
    let host = world.host_of(item);
    assert_eq!((host.cpu_number, host.ram_mib, host.cluster, host.recipes), (2, 2048, 1, vec![4]));
    let address = world.vmm.look(|platform| platform.addresses(host.id, 4)[0].ip_addr.clone());
    assert!(address.starts_with("198.18."), "the pool of the tariff: {address}");
}
