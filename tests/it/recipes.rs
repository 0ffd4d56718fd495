//! Recipes that ask for parameters: the order gives them, in clear or encrypted.

use pmvmmanager6::error::Kind;
use sandbox::bill::{Database, Order};
use sandbox::vmm::{Action, Fault};
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::invariants::assert_sound;
use crate::support::refusal::Refusal;
use crate::support::world::TestWorld;

const WITH_EDITION: &str = "ISPsystem__ispmanager 6";
const WITH_PASSWORD: &str = "ISPsystem__WordPress";

fn with_recipes(database: Database) -> TestWorld {
    let world = TestWorld::on(database);
    world.bill.set_handler(world.handler, "use_recipes", "on");
    world
}

fn order(world: &TestWorld, recipe: &str) -> Order {
    world.usual_order().param("recipe", recipe)
}

/// What the last request that named recipes said of them.
fn sent(world: &TestWorld) -> Value {
    let mut bodies = world.changes().into_iter().filter_map(|request| request.body?.get("recipe_list").cloned());
    bodies.next_back().unwrap_or_default()
}

fn run(recipe: u64, params: &[(&str, &str)]) -> Value {
    let params: Vec<Value> = params.iter().map(|(name, value)| json!({"name": name, "value": value})).collect();
    json!([{"recipe": recipe, "recipe_params": params}])
}

#[test]
fn the_order_fills_a_recipes_parameters() {
    each(&[("SQLite", Database::Sqlite), ("MariaDB", Database::MariaDb)], |database| {
        let world = with_recipes(*database);
        let other = "recipe_colour";
        let cases = [
            (
                order(&world, WITH_EDITION).param("recipe_edition", "pro").param(other, "red"),
                run(5, &[("EDITION", "pro")]),
            ),
            (order(&world, WITH_EDITION).param("recipe_EDITION", "lite"), run(5, &[("EDITION", "lite")])),
            // What the recipe does not require may stay away or be empty.
            (
                order(&world, WITH_PASSWORD)
                    .secret("recipe_admin_password", "Wp-pass-4711")
                    .param("recipe_site_title", ""),
                run(8, &[("ADMIN_PASSWORD", "Wp-pass-4711")]),
            ),
            // What is encrypted goes over what is in clear.
            (
                order(&world, WITH_PASSWORD)
                    .param("recipe_admin_password", "Plain-4711")
                    .secret("recipe_admin_password", "Crypted-4711")
                    .param("recipe_site_title", "Mine & \"yours\""),
                run(8, &[("SITE_TITLE", "Mine & \"yours\""), ("ADMIN_PASSWORD", "Crypted-4711")]),
            ),
        ];
        for (order, expected) in cases {
            world.forget();
            world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::LoseAnswer));
            let item = world.bill.order(&order);
            world.succeed(item, "open");
            assert_eq!(sent(&world), expected);
            assert_eq!(world.host_of(item).recipes, [expected[0]["recipe"].as_u64().unwrap()]);
            assert!(!world.bill.log().contains("4711\""));
        }
        assert_sound(&world);
    });
}

/// Recipe, name and value of a parameter; what is refused, how, in which words.
type Case<'a> = (&'a str, &'a str, &'a str, &'a str, Kind, &'a [&'a str]);

#[test]
fn what_a_recipe_cannot_be_given_is_refused_before_anything_exists() {
    let long = "x".repeat(1001);
    let cases: [Case; 6] = [
        (
            WITH_EDITION,
            "",
            "",
            "recipe_edition",
            Kind::MissingParam,
            &["\"EDITION\" (Edition to install)", WITH_EDITION, "fill in"],
        ),
        (WITH_PASSWORD, "recipe_site_title", "Mine", "recipe_admin_password", Kind::MissingParam, &["ADMIN_PASSWORD"]),
        (WITH_EDITION, "recipe_edition", "", "recipe_edition", Kind::MissingParam, &["EDITION"]),
        (WITH_EDITION, "recipe_edition", "home", "recipe_edition", Kind::BadParam, &["\"home\"", "lite, pro"]),
        (WITH_EDITION, "recipe_edition", "lite\nrm", "recipe_edition", Kind::BadParam, &["control characters"]),
        (WITH_EDITION, "recipe_edition", &long, "recipe_edition", Kind::BadParam, &["longer than 1000"]),
    ];
    let world = with_recipes(Database::Sqlite);
    for (recipe, name, value, object, kind, parts) in cases {
        world.forget();
        let item = world.bill.order(&order(&world, recipe).param(name, value));
        world.refuse(item, "open").is(kind, object, parts);
        assert_eq!(world.mutations(), [""; 0], "{name}={value}");
        // Corrected, it opens.
        let (name, value) =
            if recipe == WITH_EDITION { ("recipe_edition", "pro") } else { ("recipe_admin_password", "Later-4711") };
        world.bill.set_param(item, name, value);
        world.drop_operations();
        world.succeed(item, "reopen");
        assert_eq!(sent(&world)[0]["recipe_params"].as_array().unwrap().last().unwrap()["value"], value);
    }
    // A secret is not repeated, in clear or encrypted.
    let (plain, crypted) = ("Plain\u{7}4711", "Crypted\u{7}4711");
    for order in [
        order(&world, WITH_PASSWORD).param("recipe_admin_password", plain),
        order(&world, WITH_PASSWORD).secret("recipe_admin_password", crypted),
    ] {
        let refusal = world.refuse(world.bill.order(&order), "open");
        refusal.is(Kind::BadParam, "recipe_admin_password", &["control characters"]);
        let said = format!("{refusal:?}{}{:?}", world.bill.log(), world.bill.calls());
        assert!(["Plain", "Crypted"].iter().all(|secret| !said.contains(secret)), "{said}");
    }
}

#[test]
fn forms_are_told() {
    let world = TestWorld::start();
    let ask = |name: &str, value: &str| world.run(&["--command", "check_param", "--param", name, "--value", value]);
    for value in ["pro", "", "it's \"fine\" – really"] {
        assert_eq!(ask("recipe_edition", value).status, Some(0));
    }
    let refusal = Refusal::of(&ask("recipe_admin_password", "Secret\n4711"));
    refusal.is(Kind::BadParam, "recipe_admin_password", &["control characters"]);
    assert!(!refusal.value.contains("4711") && !world.bill.log().contains("4711"), "{refusal:?}");
    assert_eq!(Refusal::of(&ask("recipe_x", &"x".repeat(1001))).kind, Kind::BadParam);
}

/// Whatever VMmanager says of its recipes, no value is guessed and no value is told.
#[test]
fn what_vmmanager_says_of_recipes() {
    let item_of = |world: &TestWorld, secret: &str| {
        world.bill.order(&order(world, WITH_PASSWORD).secret("recipe_admin_password", secret))
    };
    // It refuses the request and repeats it, also what is too short to be masked everywhere; the script's task fails and repeats it.
    let world = with_recipes(Database::Sqlite);
    for secret in ["p4ss", "Wp-pass-4711"] {
        let said = format!("ADMIN_PASSWORD '{secret}' is not good enough");
        let refused = Action::Error { status: 400, code: 3004, msg: said.clone() };
        world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(refused));
        let refusal = world.fail(item_of(&world, secret), "open");
        assert!(refusal.value.contains("'***' is not good enough"), "{refusal:?}");
        assert!(!world.bill.log().contains(secret), "{}", world.bill.log());
    }
    let said = "script failed: wp --pass Wp-pass-4711".to_owned();
    world.vmm.fault(Fault::on("POST", "/vm/v3/host").act(Action::FailTask { word: "failed", text: said }));
    let refusal = world.fail(item_of(&world, "Wp-pass-4711"), "open");
    assert!(refusal.value.contains("wp --pass ***"), "{refusal:?}");
    assert_sound(&world);
    // It does not list what it asks for, or in a form that nobody knows.
    for action in
        [Action::WrongType, Action::Status { code: 404, body: r#"{"error":{"code":1106,"msg":"no"}}"#.into() }]
    {
        world.vmm.fault(Fault::on("GET", "/vm/v3/recipe/8/params").always().act(action));
        world.forget();
        let refusal = world.fail(item_of(&world, "Wp-pass-4711"), "open");
        assert!([Kind::Vm6Api, Kind::Vm6Version].contains(&refusal.kind), "{refusal:?}");
        assert_eq!(world.mutations(), [""; 0]);
        world.vmm.clear_faults();
    }
    // A build that neither counts nor lists parameters runs recipes as before.
    let list = r#"{"list": [{"id": 4, "name": "Docker", "repository": "ISPsystem"}]}"#;
    world.vmm.fault(Fault::on("GET", "/vm/v3/recipe").always().act(Action::Status { code: 200, body: list.into() }));
    let unknown = Action::Status { code: 404, body: r#"{"error":{"code":1106,"msg":"no such path"}}"#.into() };
    world.vmm.fault(Fault::on("GET", "/vm/v3/recipe/4/params").always().act(unknown));
    world.succeed(world.bill.order(&order(&world, "ISPsystem__Docker")), "open");
    assert_eq!(sent(&world), json!([{"recipe": 4}]));
}

/// A VM that is there is left alone by the parameters; a reinstallation runs the recipe with what the order says by then.
#[test]
fn a_reinstallation_takes_the_orders_parameters() {
    let world = with_recipes(Database::Sqlite);
    let item = world.opened();
    let reinstall = |more: &[&str]| {
        world.forget();
        world.bill.run(&[&["reinstall", "--item", &item.to_string(), "--yes"], more].concat())
    };
    let run_of = reinstall(&["--recipe", WITH_PASSWORD]);
    assert_eq!(run_of.status, Some(1), "{run_of:?}");
    assert!(
        run_of.stderr.contains("recipe_admin_password") && run_of.stderr.contains("missing_param"),
        "{}",
        run_of.stderr
    );
    assert_eq!(
        (world.mutations(), world.panel_calls()),
        (Vec::new(), Vec::new()),
        "nothing is lost, no new password is saved"
    );
    world.bill.exec(
        "INSERT INTO itemcryptedparam (item, intname, value) VALUES (?, 'recipe_admin_password', ?)",
        &[&item.to_string(), &world.bill.encrypt("Wp-pass-4711")],
    );
    let done = reinstall(&["--recipe", WITH_PASSWORD]);
    assert_eq!(done.status, Some(0), "{done:?}");
    assert_eq!(sent(&world), run(8, &[("ADMIN_PASSWORD", "Wp-pass-4711")]));
    assert_eq!((world.host_of(item).recipes, world.host_of(item).installs), (vec![8], 2));
    assert!(!format!("{done:?}{}", world.bill.log()).contains("4711"));
    // Another order of the parameters changes nothing by itself.
    world.forget();
    world.bill.set_param(item, "recipe_site_title", "New");
    for command in ["setparam", "reopen"] {
        world.succeed(item, command);
    }
    assert_eq!(world.mutations(), [""; 0]);
}

/// A plan says which parameters are sent, not what is in them.
#[test]
fn a_plan_keeps_the_values() {
    let world = with_recipes(Database::Sqlite);
    let item = world.bill.order(&order(&world, WITH_PASSWORD).secret("recipe_admin_password", "p4ss"));
    for more in [&[][..], &["--json"]] {
        let plan = world.run(&[&["plan", "--item", &item.to_string()], more].concat());
        assert_eq!(plan.status, Some(0), "{plan:?}");
        assert!(plan.stdout.contains("ADMIN_PASSWORD") && plan.stdout.contains("***"), "{}", plan.stdout);
        assert!(!plan.stdout.contains("p4ss"), "{}", plan.stdout);
    }
    assert_eq!(world.mutations(), [""; 0]);
}
