//! The wizard and the form of a handler as the panel draws them from the plugin XML: page by page.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Carried, Form, Order, Run, Style};
use sandbox::vmm::{self, Action, Fault};

use crate::support::cases::each;
use crate::support::decoy::Decoy;
use crate::support::refusal::Refusal;
use crate::support::sites::{another, two};
use crate::support::world::TestWorld;

const PASSWORD: &str = "Adm1n-secret-pass";
const CONNECT: [&str; 5] = ["url", "username", "password", "tls_verify", "tls_fingerprint"];
const SETTINGS: [&str; 3] = ["cluster", "use_recipes", "additional_interface"];
const CLUSTERS: [(&str, &str); 3] = [("1", "kvm-1 (KVM)"), ("2", "lxd-1 (LXD)"), ("3", "kvm-2if (KVM)")];

/// What no source shows of the panel, in every combination in which the fourth step knows the third.
const STYLES: [(&str, Style); 6] = [
    ("beside", Style { func_is_child: false, carried: Carried::Beside }),
    ("beside, func a child", Style { func_is_child: true, carried: Carried::Beside }),
    ("deeper", Style { func_is_child: false, carried: Carried::Deeper }),
    ("deeper, func a child", Style { func_is_child: true, carried: Carried::Deeper }),
    ("as params", Style { func_is_child: false, carried: Carried::AsParams }),
    ("as params, func a child", Style { func_is_child: true, carried: Carried::AsParams }),
];

#[track_caller]
fn done<T>(result: Result<T, Box<Run>>) -> T {
    result.unwrap_or_else(|run| panic!("the module has refused: {run:#?}"))
}

#[track_caller]
fn refused<T>(result: Result<T, Box<Run>>) -> Refusal {
    let Err(run) = result else { panic!("the module was expected to refuse") };
    Refusal::of(&run)
}

/// The third step, filled in for the sandbox's first VMmanager.
#[track_caller]
fn third_step(world: &TestWorld, style: Style) -> Form<'_> {
    let mut form = done(world.bill.wizard(style));
    for (name, value) in [("url", &*world.vmm.url()), ("username", "admin@example.net"), ("password", PASSWORD)] {
        done(form.fill(name, value));
    }
    form
}

/// The fourth step of the same.
#[track_caller]
fn fourth_step(world: &TestWorld, style: Style) -> Form<'_> {
    let mut form = third_step(world, style);
    done(form.send());
    form
}

fn names(form: &Form) -> Vec<String> {
    form.fields().into_iter().map(|field| field.name).collect()
}

fn pairs(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}

#[test]
fn each_page_has_its_own_fields() {
    let world = TestWorld::start();
    let mut form = third_step(&world, Style::default());
    assert_eq!(names(&form), CONNECT);
    done(form.send());
    assert_eq!(names(&form), SETTINGS);
    let opened = done(world.bill.open_handler(world.handler, Style::default()));
    assert_eq!(names(&opened), [&CONNECT[..], &SETTINGS].concat());
    let words = ["system", "pinned", "off"];
    let shown = opened.list("tls_verify");
    assert_eq!(shown.iter().map(|(value, _)| value.as_str()).collect::<Vec<_>>(), words);
    assert!(shown.iter().all(|(value, text)| text.starts_with(&format!("{value}: "))), "{shown:?}");
}

#[test]
fn four_steps_lead_to_a_handler_that_sells() {
    each(&STYLES, |style| {
        let world = TestWorld::start();
        assert_eq!(world.bill.products(), ["vds"]);
        assert_eq!(world.bill.modules("vds"), ["VMmanager 6 (pmvmmanager6)"]);
        let mut form = fourth_step(&world, *style);
        assert_eq!(form.list("cluster"), pairs(&CLUSTERS));
        done(form.fill("cluster", "3"));
        done(form.fill("additional_interface", "on"));
        let handler = done(form.save("Amsterdam 2"));
        assert!(!world.bill.log().contains(PASSWORD));
        let tariff = sandbox::bill::Tariff::sized("VPS", 1, 1024, 10_240).handler(handler);
        let item = world.bill.order(&Order::new(world.alice, world.bill.add_tariff(&tariff), handler));
        world.succeed(item, "open");
        assert_eq!(world.host_of(item).cluster, 3);
    });
}

#[test]
fn a_wrong_third_step_is_refused_and_can_be_corrected() {
    each(&STYLES, |style| {
        let world = TestWorld::start();
        let mut form = third_step(&world, *style);
        done(form.fill("password", "Wrong-pass-77"));
        refused(form.send()).is(Kind::Vm6Auth, "admin@example.net", &["Wrong e-mail or password"]);
        assert_eq!(names(&form), CONNECT, "the step stays");
        done(form.fill("password", PASSWORD));
        done(form.send());
        assert_eq!(names(&form), SETTINGS);
    });
}

#[test]
fn a_wrong_fourth_step_is_refused_with_the_reason() {
    each(&STYLES, |style| {
        let world = TestWorld::start();
        let handlers = || world.bill.rows("SELECT id FROM processingmodule", &[]).len();
        let before = handlers();
        let mut form = fourth_step(&world, *style);
        done(form.fill("cluster", "1"));
        done(form.fill("additional_interface", "on"));
        refused(form.save("A")).is(Kind::NoSecondInterface, "additional_interface", &["cluster 1"]);
        done(form.fill("additional_interface", "off"));
        world.vmm.change(|platform| drop(platform.clusters.remove(&1)));
        refused(form.save("A")).is(Kind::ClusterNotFound, "cluster", &["1"]);
        assert_eq!(handlers(), before, "nothing is stored");
    });
}

/// The page opens with what the third step has said; only what is chosen on it is judged when it is sent.
#[test]
fn another_vmmanager_after_a_step_back() {
    each(&STYLES, |style| {
        let world = TestWorld::with(two);
        let mut form = fourth_step(&world, *style);
        done(form.fill("cluster", "2"));
        world.vmm.change(|platform| drop(platform.clusters.remove(&2)));
        done(form.back());
        done(form.fill("url", &world.site(1).url()));
        done(form.send());
        assert_eq!(form.list("cluster")[0], ("1".to_owned(), "kvm-1-fra (KVM)".to_owned()));
    });
}

#[test]
fn a_page_opens_whatever_vmmanager_does() {
    each(&STYLES, |style| {
        let world = TestWorld::start();
        let mut form = fourth_step(&world, *style);
        world.vmm.fault(Fault::on("GET", "/vm/v3/cluster").always().act(Action::Garbage));
        done(form.back());
        done(form.fill("url", &Decoy::answering("").address()));
        let opened = done(world.bill.open_handler(world.handler, *style));
        assert_eq!(opened.list("cluster"), pairs(&[("1", "1")]), "what is chosen stays");
    });
    // A panel that keeps the third step for itself: the page opens, and `check_connection` judges what is stored.
    let world = TestWorld::start();
    let form = fourth_step(&world, Style { carried: Carried::Nowhere, ..Style::default() });
    assert_eq!(form.list("cluster"), []);
}

#[test]
fn names_are_shown_as_they_are() {
    let strange = ["off", "url", "null", "plugin", "кластер <1>"];
    let world = TestWorld::start();
    world.vmm.change(|platform| {
        let blank = platform.clusters[&1].clone();
        for (id, name) in (10..).zip(strange) {
            let virtualization_type = String::new();
            platform.clusters.insert(id, vmm::Cluster { id, name: name.into(), virtualization_type, ..blank.clone() });
        }
    });
    let shown = fourth_step(&world, Style::default()).list("cluster");
    let texts: Vec<&str> = shown[3..].iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, strange, "a message of that name is not meant");
}

#[test]
fn an_existing_handler_is_edited_without_its_password() {
    each(&STYLES, |style| {
        let world = TestWorld::start();
        let mut form = done(world.bill.open_handler(world.handler, *style));
        assert_eq!(form.list("cluster"), pairs(&CLUSTERS));
        done(form.fill("cluster", "3"));
        done(form.save(""));
        let tariff = world.tariff();
        let item = world.bill.order(&Order::new(world.alice, tariff, world.handler));
        world.succeed(item, "open");
        assert_eq!(world.host_of(item).cluster, 3);
    });
}

#[test]
fn an_existing_handler_with_another_address_needs_its_password() {
    let world = TestWorld::with(|scene| scene.more.push(another()));
    let mut form = done(world.bill.open_handler(world.handler, Style::default()));
    done(form.fill("url", &world.site(1).url()));
    assert_eq!(form.list("cluster"), pairs(&[("1", "1")]), "nobody is asked with the stored password");
    refused(form.save("")).is(Kind::MissingParam, "password", &["enter"]);
    assert_eq!(world.site(1).logins(), 0);
    done(form.fill("password", PASSWORD));
    assert_eq!(form.list("cluster")[0].1, "kvm-1-fra (KVM)");
    done(form.save(""));
}
