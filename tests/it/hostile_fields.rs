//! The same as `hostile_letters.rs` field by field: each text of both platforms alone is odd while everything else is honest, so
//! that the rest of an operation is reached.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use sandbox::vmm::{Fault, ODD, Rewrite};
use serde_json::Value;

use crate::hostile_letters::{assert_none, assert_none_in_files, at_a_terminal};
use crate::support::invariants::Invariant;
use crate::support::world::TestWorld;

/// A service of a tariff that lets every kind of list be read, and what is done with it.
struct Stage {
    world: TestWorld,
    item: u64,
}

impl Stage {
    fn set() -> Self {
        let world = TestWorld::with(|scene| {
            "answer=3,asleep=0.3,create=1,change=0.6,disk=0.6,unlisted=0.3,address=0.3,appear=0.3,panel=1,call=3"
                .clone_into(&mut scene.limits);
            scene.bill.environment.push(("TERM".to_owned(), "xterm-256color".to_owned()));
        });
        for invariant in [Invariant::NothingForgotten, Invariant::OneVm] {
            world.waive(invariant, "what names and finds VMs is odd");
        }
        world.bill.set_handler(world.handler, "use_recipes", "on");
        let item = world.opened();
        world.bill.set_addon(item, "mem", 4096);
        Stage { world, item }
    }

    /// Everything that reads and shows; none of it may let an odd letter through. Whether what stands for one is shown.
    #[track_caller]
    fn play(&self, odd: &str) -> bool {
        let mut said = Vec::new();
        let (world, item, handler) = (&self.world, self.item.to_string(), self.world.handler.to_string());
        for line in [
            &["show", "--item", &item][..],
            &["show", "--item", &item, "--json"],
            &["check-connection", "--module", &handler],
            &["audit"],
            &["plan", "--item", &item, "--command", "setparam"],
            &["link", "--item", &item],
            &["platform"],
            &["account"],
        ] {
            let written = at_a_terminal(world, line);
            assert_none(&format!("{line:?} with odd {odd}"), &written, true);
            said.extend(written);
        }
        for command in ["setparam", "reboot", "sync_item"] {
            let run = world.perform(self.item, command);
            let written = [run.stdout.as_bytes(), run.stderr.as_bytes()].concat();
            assert_none(&format!("{command} with odd {odd}"), &written, false);
            said.extend(written);
            self.world.drop_operations();
        }
        for command in ["import", "sync_server", "get_server_config", "stat", "pricelist_dynamic_settings_tune"] {
            let run = world.run_with_input(&["--command", command, "--module", &handler], "<doc/>");
            let written = [run.stdout.as_bytes(), run.stderr.as_bytes()].concat();
            assert_none(&format!("{command} with odd {odd}"), &written, false);
            said.extend(written);
        }
        for call in world.bill.calls() {
            let words = call.argv.join(" ");
            assert_none(&format!("{words:?} with odd {odd}"), words.as_bytes(), false);
        }
        assert_none_in_files(world, &world.bill.root().join("var"));
        world.forget();
        String::from_utf8_lossy(&said).contains('\u{fffd}')
    }
}

/// The document with an odd end of every text that has this name.
fn spoilt(value: &Value, name: &str) -> Value {
    match value {
        Value::Object(map) => map
            .iter()
            .map(|(own, value)| {
                let is_it = own == name;
                let value = match value {
                    Value::String(text) if is_it => Value::String(format!("{text}{ODD}")),
                    Value::Array(list) if is_it => list
                        .iter()
                        .map(|it| {
                            it.as_str().map_or_else(|| spoilt(it, name), |text| Value::String(format!("{text}{ODD}")))
                        })
                        .collect(),
                    other => spoilt(other, name),
                };
                (own.clone(), value)
            })
            .collect(),
        Value::Array(list) => list.iter().map(|value| spoilt(value, name)).collect(),
        other => other.clone(),
    }
}

/// Names of the fields that hold texts.
fn texts(value: &Value, names: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            for (name, value) in map {
                let is_text =
                    value.is_string() || value.as_array().is_some_and(|list| list.iter().any(Value::is_string));
                if is_text {
                    names.insert(name.clone());
                }
                texts(value, names);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| texts(value, names)),
        _ => {}
    }
}

#[test]
fn every_text_of_vmmanager() {
    let stage = Stage::set();
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let names = Arc::clone(&seen);
    stage.world.vmm.fault(Fault::rewriting(Rewrite::new(move |status, honest| {
        texts(honest, &mut names.lock().unwrap());
        (status, honest.to_string().into_bytes())
    })));
    assert!(!stage.play("nothing"));
    let names = seen.lock().unwrap().clone();
    assert!(names.len() > 20, "{names:?}");
    let mut shown = BTreeSet::new();
    for name in names {
        stage.world.vmm.clear_faults();
        let odd = name.clone();
        stage.world.vmm.fault(Fault::rewriting(Rewrite::new(move |status, honest| {
            (status, spoilt(honest, &odd).to_string().into_bytes())
        })));
        if stage.play(&name) {
            shown.insert(name);
        }
    }
    assert!(shown.len() > 10, "{shown:?}");
}

#[test]
fn every_text_of_billmanager() {
    let stage = Stage::set();
    let world = &stage.world;
    // NUL ends a text for SQLite.
    let letters = ODD.replace('\0', "");
    let columns = world.bill.rows(
        "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table' AND c.type = 'TEXT' \
         AND t.name NOT LIKE 'sqlite%' ORDER BY t.name, c.cid",
        &[],
    );
    let (mut tried, mut shown) = (0, BTreeSet::new());
    for column in columns {
        let (table, column) = (column[0].clone().unwrap(), column[1].clone().unwrap());
        let filled = format!("SELECT 1 FROM {table} WHERE COALESCE({column}, '') <> '' LIMIT 1");
        if world.bill.rows(&filled, &[]).is_empty() {
            continue;
        }
        tried += 1;
        world.bill.exec(&format!("CREATE TABLE kept AS SELECT id AS kept_id, {column} AS kept FROM {table}"), &[]);
        world.bill.exec(
            &format!("UPDATE OR IGNORE {table} SET {column} = {column} || ? WHERE COALESCE({column}, '') <> ''"),
            &[&letters],
        );
        let name = format!("{table}.{column}");
        if stage.play(&name) {
            shown.insert(name);
        }
        // Rows that came meanwhile would be in the way.
        world.bill.exec(&format!("DELETE FROM {table} WHERE id NOT IN (SELECT kept_id FROM kept)"), &[]);
        let back = format!("UPDATE {table} SET {column} = (SELECT kept FROM kept WHERE kept_id = id)");
        world.bill.exec(&back, &[]);
        world.bill.exec("DROP TABLE kept", &[]);
    }
    assert!(tried > 40 && shown.len() > 10, "{tried} columns, shown: {shown:?}");
}
