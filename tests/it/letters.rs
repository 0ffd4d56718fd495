//! The letters of the README, written with what BILLmanager has of services after they were opened: no parameter is
//! missing, and a password is told only to the client whose account it opens.

use std::collections::BTreeMap;

use sandbox::bill::Order;

use crate::support::markdown::{first_cells, read};
use crate::support::world::TestWorld;

/// Parameters of a service as a letter has them: in clear.
type Params = BTreeMap<String, String>;

fn params(world: &TestWorld, item: u64) -> Params {
    let secrets = ["password", "userpassword"].into_iter();
    let secrets = secrets.filter_map(|name| Some((name.to_owned(), world.bill.secret(item, name)?)));
    world.bill.params(item).into_iter().chain(secrets).collect()
}

/// The letters of the README, in the order of the languages.
fn letters() -> Vec<String> {
    let readme = read("README.md");
    let blocks = readme.split("```ejs\n").skip(1).map(|rest| rest.split("```").next().unwrap().to_owned());
    blocks.collect()
}

/// What EJS makes of the few forms that the letters have; another form fails the test.
fn written(letter: &str, params: &Params) -> String {
    let mut text = String::new();
    // Whether what stands here is shown; there is one condition at a time.
    let (mut shows, mut is_met) = (true, false);
    for (number, part) in letter.split("<%").enumerate() {
        let (code, plain) = if number == 0 { ("", part) } else { part.split_once("%>").expect("a tag ends") };
        let value = |name: &str| params.get(name.strip_prefix("vps.").expect("a parameter of the service"));
        let condition = code.trim().strip_prefix("if (").and_then(|rest| rest.strip_suffix(") {"));
        match (code.trim(), code.strip_prefix('='), condition) {
            (_, Some(name), _) if shows => {
                text.push_str(value(name.trim()).unwrap_or_else(|| panic!("{name} is missing: {params:?}")));
            }
            (_, Some(_), _) | ("" | "var vps = item;", ..) => {}
            (.., Some(name)) => (is_met, shows) = (value(name).is_some(), value(name).is_some()),
            ("} else {", ..) => shows = !is_met,
            ("}", ..) => shows = true,
            (code, ..) => panic!("{code} is not understood"),
        }
        if shows {
            text.push_str(plain);
        }
    }
    text
}

#[test]
fn the_letters_of_the_readme_tell_the_client_what_he_needs() {
    let world = TestWorld::start();
    let first = world.opened();
    let second = world.opened();
    let tariff = world.tariff();
    let elsewhere = world.vmm.change(|p| p.add_account("bob@example.org", "Pass-of-bob-123", "@user"));
    let third = world.bill.order(&Order::new(world.bob, tariff, world.handler));
    world.succeed(third, "open");
    assert_eq!(world.host_of(third).account, elsewhere);
    let letters = letters();
    assert_eq!(letters.len(), 3, "English, Russian and Spanish");
    for (item, email) in [(first, "alice@example.com"), (second, "alice@example.com"), (third, "bob@example.org")] {
        let params = params(&world, item);
        let host = world.host_of(item);
        for letter in &letters {
            let text = written(letter, &params);
            let told = [email, &host.domain, &host.password, &params["ip"], &world.vmm.url()];
            assert!(told.iter().all(|word| !word.is_empty() && text.contains(*word)), "{text}\n{params:?}");
            let own = params.get("userpassword");
            assert_eq!(own.is_some(), item == first, "only the first order made an account");
            assert!(own.is_none_or(|own| text.contains(own)) && text.matches("<p>").count() == 2, "{text}");
        }
    }
}

/// The table promises what is there, for services that an earlier release opened too.
#[test]
fn every_parameter_of_the_table_is_saved() {
    let world = TestWorld::start();
    let [first, second] = [world.opened(), world.opened()];
    world.bill.exec("DELETE FROM itemparam WHERE intname IN ('username', 'vmmanager_url')", &[]);
    for item in [first, second] {
        assert!(world.aside(item, "sync_item").done);
    }
    let promised = first_cells(&read("README.md"), "### Letters");
    assert!(promised.len() > 5, "{promised:?}");
    for (item, missing) in [(first, vec![]), (second, vec!["userpassword"])] {
        let params = params(&world, item);
        let absent: Vec<&str> =
            promised.iter().map(String::as_str).filter(|name| !params.contains_key(*name)).collect();
        assert_eq!(absent, missing, "service {item}: {params:?}");
    }
}

/// Saving costs a call for each value, so only what has changed is saved.
#[test]
fn what_is_saved_already_costs_no_call() {
    let world = TestWorld::start();
    let item = world.opened();
    assert!(world.aside(item, "sync_item").done);
    let saved: Vec<String> = world.panel_calls().into_iter().filter(|call| call.contains("saveparam")).collect();
    assert_eq!(saved, [""; 0]);
}
