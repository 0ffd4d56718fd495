//! Callbacks of the module: what the panel accepts, what it refuses, what it records.

use std::thread;

use anyhow::{Context, Result, bail};
use sandbox::bill::{Behaviour, CallFault, Database, Format, Key, Order, Origin, SaveParam, Tariff};

use crate::shop::Shop;

fn opening(database: Database) -> Result<()> {
    let shop = Shop::with("open", |setup| setup.database = database)?;
    let order = Order::new(shop.client, shop.tariff, shop.handler)
        .secret("ssh_key", "ssh-ed25519 AAAA")
        .addon("mem", "2048")
        .addon("backup", "on")
        .addon("cpu_mode", "host")
        .ips(2);
    let item = shop.bill.order(&order);
    assert_eq!(shop.bill.item(item).status, 5);
    assert_eq!(shop.bill.running(item)[0].command, "open");
    assert_eq!(shop.bill.slots(item), [(1, String::new(), 1), (2, String::new(), 1)]);
    let sql = "SELECT a.intvalue, p.addonlimit, m.intname FROM item a JOIN pricelist p ON a.pricelist = p.id
               JOIN itemtype t ON p.itemtype = t.id JOIN measure m ON p.measure = m.id
               WHERE a.parent = ? AND t.intname = 'mem'";
    let found = shop.bill.rows(sql, &[&item.to_string()]);
    assert_eq!(found, [["1024", "1024", "mib"].map(|it| Some(it.to_owned()))]);

    let run = shop.bill.perform(item, "open");
    assert!(run.done, "{run:?}");
    assert_eq!(shop.bill.item(item).status, 2);
    assert_eq!(shop.bill.running(item), []);
    assert_eq!(shop.bill.slots(item), [(1, "192.0.2.10".into(), 2), (2, String::new(), 1)]);
    assert_eq!(shop.bill.secret(item, "password").as_deref(), Some("s3cret & more"));
    assert_eq!(shop.bill.secret(item, "ssh_key").as_deref(), Some("ssh-ed25519 AAAA"));
    let params = shop.bill.params(item);
    let shown: Vec<(&str, &str)> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("domain", "vm1.example.com"),
        ("ip", "192.0.2.10"),
        ("ostempl", "ISPsystem__Debian 12"),
        ("panelid", "17"),
        ("username", "u"),
    ];
    assert_eq!(shown, expected);
    let opened = shop.bill.rows("SELECT opendate FROM item WHERE id = ?", &[&item.to_string()]);
    assert!(opened[0][0].as_ref().is_some_and(|date| date.len() == 10), "{opened:?}");
    Ok(())
}

#[test]
fn a_service_is_opened_on_sqlite() -> Result<()> {
    opening(Database::Sqlite)
}

#[test]
fn a_service_is_opened_on_mariadb() -> Result<()> {
    opening(Database::MariaDb)
}

#[test]
fn installations_share_a_server_but_no_data() -> Result<()> {
    let [one, other] = [0, 1].map(|_| Shop::with("silent", |setup| setup.database = Database::MariaDb));
    let (one, other) = (one?, other?);
    one.order();
    assert_eq!(other.bill.rows("SELECT id FROM item", &[]).len(), 0);
    let socket = |shop: &Shop| {
        let conf = std::fs::read_to_string(shop.bill.root().join("etc/billmgr.conf.d/db.conf"));
        conf.map(|conf| conf.lines().find(|line| line.starts_with("DBSocket")).map(str::to_owned))
    };
    assert_eq!(socket(&one)?, socket(&other)?);
    Ok(())
}

#[test]
fn the_module_is_started_as_the_panel_does_it() -> Result<()> {
    let shop = Shop::open("echo")?;
    let item = shop.order();
    shop.bill.set_item(item, "status", 2);
    let run = shop.bill.perform(item, "setparam");
    let root = shop.bill.root().display().to_string();
    let operation = run.operation.context("no operation")?;
    let argv = format!("argv: --command setparam --item {item} --runningoperation {operation} --userid 1\n");
    assert!(run.stdout.starts_with(&argv), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("cwd: {root}\ninput: \n")), "{}", run.stdout);
    assert!(run.stdout.contains(&format!("PMVMMANAGER6_ROOT={root}\n")));
    assert!(!run.stdout.contains("CARGO"), "the environment is not clean: {}", run.stdout);
    let run = shop.bill.run_with_input(&["--command", "check_connection"], "<doc/>");
    assert!(run.stdout.contains("input: <doc/>\n"), "{}", run.stdout);
    let password = shop.bill.arguments(item, "changepassword", 9);
    let secret = password.last().context("no password")?;
    assert_eq!(shop.bill.decrypt(secret), "N3w-pass-from-panel");
    Ok(())
}

#[test]
fn an_operation_without_its_callback_is_not_done() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let runs = shop.bill.perform_until_done(item, "open", 3);
    assert_eq!(runs.iter().map(|run| (run.status, run.done)).collect::<Vec<_>>(), [(Some(0), false); 3]);
    assert_eq!(shop.bill.running(item)[0].trycount, 3);
    Ok(())
}

#[test]
fn a_failure_is_kept_with_the_operation() -> Result<()> {
    let shop = Shop::open("fail")?;
    let item = shop.order();
    assert!(!shop.bill.perform(item, "open").done);
    assert_eq!(shop.bill.running(item)[0].errorxml.as_deref(), Some("<doc><error type=\"x\"/></doc>"));
    assert_eq!(shop.bill.item(item).status, 5);
    Ok(())
}

#[test]
fn what_is_handed_to_the_staff_is_not_repeated() -> Result<()> {
    let shop = Shop::open("manual")?;
    let item = shop.order();
    assert_eq!(shop.bill.perform_until_done(item, "open", 5).len(), 1);
    assert!(shop.bill.running(item)[0].manual);
    let task = &shop.bill.tasks(item)[0];
    assert_eq!((task.kind, task.status, task.params.as_str()), (1, 0, "look at open"));
    shop.accept(&["service.postopen", "elid=1", "sok=ok"])?;
    assert_eq!(shop.bill.tasks(item)[0].status, 2, "the task ends with its operation");
    Ok(())
}

#[test]
fn wrong_calls_are_refused() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let elid = format!("elid={item}");
    let cases: &[(&[&str], &str)] = &[
        (&["service.nonsense", "elid=1", "sok=ok"], "missed"),
        (&["service.postopen", "sok=ok"], "missed"),
        (&["service.postopen", &elid], "missed"),
        (&["service.postopen", &elid, "sok=yes"], "value"),
        (&["service.postopen", "elid=4711", "sok=ok"], "value"),
        (&["service.postopen", "elid=one", "sok=ok"], "value"),
        (&["service.postsuspend", &elid, "sok=ok"], "state"),
        (&["service.postclose", &elid, "sok=ok"], "state"),
        (&["vds.open", &elid, "sok=ok"], "missed"),
        (&["vds.open", &elid, "sok=ok", "ip=192.0.2.10:80"], "value"),
        (&["vds.open", &elid, "sok=ok", "ip=192.0.2.10", "domain=under_score.example.com"], "value"),
        (&["service.saveparam", &elid, "sok=ok"], "missed"),
        (&["service.ip.add", "elid=1", "sok=ok", "ip=2001:db8::1"], "value"),
        (&["service.ip.add", "elid=99", "sok=ok", "ip=192.0.2.1"], "value"),
        (&["service.ip.add.commit", "elid=1", "sok=ok"], "state"),
        (&["service.changepricelist.rollback", &elid, "sok=ok"], "state"),
        (&["service.getnextmodule", &elid], "no_suitable_module"),
        (&["service.setexpiredate", &elid, "expiredate=31.01.2027"], "value"),
        (&["runningoperation.edit", "elid=1", "sok=ok", "errorxml=<doc>"], "value"),
        (&["task.edit", "sok=ok", &format!("item={item}"), "runningoperation=1", "type=77"], "value"),
        (&["problems.register", "sok=ok", "name=whatever", "id=1", "level=error"], "value"),
        (&["processing.edit", "elid=1", "sok=ok", "url=x"], "access"),
        (&["itemtype.param.value.sync", "itemtype=vds", "module=1", "param=ip", "value=x", "name=x"], "value"),
    ];
    for (words, kind) in cases {
        assert_eq!(shop.refusal(words)?, *kind, "{words:?}");
    }
    assert_eq!(shop.bill.item(item).status, 5);
    assert_eq!(shop.bill.running(item).len(), 1);
    assert_eq!(shop.bill.params(item).len(), 1, "a refused call leaves nothing behind");
    assert!(shop.bill.calls().iter().all(|call| call.error.is_some() && call.exit == Some(0)));
    shop.bill.behave(Behaviour { error_exit: 1, ..Behaviour::default() });
    assert_eq!(shop.panel(&["service.postopen"])?.status.code(), Some(1));
    Ok(())
}

#[test]
fn callbacks_follow_the_life_of_a_service() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let elid = format!("elid={item}");
    let status_after = |function: &str| -> Result<i64> {
        shop.accept(&[function, &elid, "sok=ok"])?;
        Ok(shop.bill.item(item).status)
    };
    assert_eq!(status_after("service.postopen")?, 2);
    assert_eq!(shop.refusal(&["vds.open", &elid, "sok=ok", "ip=192.0.2.1"])?, "state");
    for (command, function, status) in [
        ("suspend", "service.postsuspend", 3),
        ("resume", "service.postresume", 2),
        ("reboot", "service.postreboot", 2),
        ("setparam", "service.postsetparam", 2),
        ("close", "service.postclose", 4),
    ] {
        shop.bill.operation(item, command);
        assert_eq!(status_after(function)?, status);
        assert_eq!(shop.bill.running(item), [], "{command}");
    }
    assert_eq!(shop.refusal(&["service.postsuspend", &elid, "sok=ok"])?, "state");
    assert_eq!(shop.refusal(&["service.postclose", &elid, "sok=ok"])?, "state");
    Ok(())
}

#[test]
fn parameters_are_saved_in_both_forms() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let elid = format!("elid={item}");
    let save = |words: &[&str]| shop.panel(&[&["service.saveparam", "sok=ok", &elid], words].concat());
    save(&["panelid=5", "serverid=vps5", "crypted=off"])?;
    save(&["name=username", "value=alice", "crypted=off"])?;
    save(&["crypted=on", "password=one", "userpassword=two"])?;
    save(&["crypted=on", "name=panelid", "value=6"])?;
    save(&["name=serverid"])?;
    let params = shop.bill.params(item);
    assert_eq!(params.keys().collect::<Vec<_>>(), ["ostempl", "username"]);
    for (name, value) in [("password", "one"), ("userpassword", "two"), ("panelid", "6")] {
        assert_eq!(shop.bill.secret(item, name).as_deref(), Some(value));
    }
    shop.accept(&["service.dropparam", "sok=ok", &elid, "name=password"])?;
    assert_eq!(shop.bill.secret(item, "password"), None);

    let only = |saveparam| Behaviour { saveparam, ..Behaviour::default() };
    shop.bill.behave(only(SaveParam::FormA));
    assert_eq!(shop.refusal(&["service.saveparam", "sok=ok", &elid, "ip=192.0.2.1"])?, "missed");
    shop.bill.behave(only(SaveParam::FormB));
    save(&["name=ip", "value=192.0.2.1"])?;
    let params = shop.bill.params(item);
    assert_eq!((params.get("ip"), params["name"].as_str(), params["value"].as_str()), (None, "ip", "192.0.2.1"));
    Ok(())
}

#[test]
fn a_tariff_change_can_be_rolled_back() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.bill.order(&Order::new(shop.client, shop.tariff, shop.handler).addon("mem", "3072"));
    shop.bill.set_item(item, "status", 2);
    let large = shop.bill.add_tariff(&Tariff::sized("large", 4, 8192, 81_920).handler(shop.handler));
    let tariff_of_memory = || {
        let sql =
            "SELECT p.parent FROM item a JOIN pricelist p ON a.pricelist = p.id JOIN itemtype t ON p.itemtype = t.id
                   WHERE a.parent = ? AND t.intname = 'mem'";
        shop.bill.rows(sql, &[&item.to_string()])[0][0].clone()
    };
    shop.bill.change_tariff(item, large);
    assert_eq!(shop.bill.item(item).lastpricelist, Some(shop.tariff));
    assert_eq!(tariff_of_memory(), Some(large.to_string()));
    let call = ["service.changepricelist.rollback", "sok=ok", &format!("elid={item}"), "userid=1"];
    shop.accept(&call)?;
    let row = shop.bill.item(item);
    assert_eq!((row.pricelist, row.lastpricelist), (Some(shop.tariff), None));
    assert_eq!(tariff_of_memory(), Some(shop.tariff.to_string()));
    Ok(())
}

#[test]
fn addresses_fill_slots() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.bill.order(&Order::new(shop.client, shop.tariff, shop.handler).ips6(1));
    let text =
        shop.accept(&["service.ip.add", "sok=ok", "elid=2", "ip=2001:db8::1", "mask=", "gateway=", "domain="])?;
    assert!(text.contains("<ip.id>2</ip.id>"), "{text}");
    assert_eq!(shop.bill.slots(item)[1], (2, "2001:db8::1".into(), 1));
    shop.accept(&["service.ip.add.commit", "sok=ok", "elid=2"])?;
    assert_eq!(shop.refusal(&["service.ip.add", "sok=ok", "elid=2", "ip=2001:db8::2"])?, "state");
    shop.bill.set_addon(item, "ip", 2);
    assert_eq!(shop.bill.slots(item).len(), 3);
    shop.accept(&["service.ip.del", "sok=ok", "elid=2"])?;
    assert_eq!(shop.bill.slots(item).len(), 2);
    Ok(())
}

#[test]
fn handlers_lists_and_problems() -> Result<()> {
    let shop = Shop::open("silent")?;
    let edit = shop.accept(&["processing.edit", "elid=1"])?;
    assert!(edit.contains("<password>pässword</password>") && edit.contains("<cluster>1</cluster>"), "{edit}");
    assert!(shop.accept(&["paramlist"])?.contains("<elem><DBType>sqlite</DBType></elem>"));
    let sync = ["itemtype.param.value.sync", "itemtype=vds", "module=1", "param=ostempl", "value=ISPsystem__Debian 12"];
    for _ in 0..2 {
        shop.accept(&[&sync[..], &["name=Debian 12", "name_ru=Debian 12", "disablepricelists=on"]].concat())?;
    }
    assert_eq!(shop.bill.rows("SELECT * FROM processingmodule2itemtypeparamvalue", &[]).len(), 1);
    shop.accept(&["itemtype.param.value.processing.suspend", "elid=1", "plid=1"])?;
    assert_eq!(shop.bill.rows("SELECT * FROM processingmodule2itemtypeparamvalue", &[]).len(), 0);
    shop.accept(&["processing.setconfig", "elid=1", "config=<doc/>"])?;
    shop.accept(&["service.poststat", "elid=1", "date=2026-11-21"])?;
    let kept = shop.bill.rows("SELECT config, laststatdate FROM processingmodule", &[]);
    assert_eq!(kept, [["<doc/>", "2026-11-21"].map(|it| Some(it.to_owned()))]);
    let problem = ["problems.register", "sok=ok", "name=processingmodule_connect", "id=1", "level=error"];
    shop.accept(&[&problem[..], &["param_pm_name=VM", "param_errormsg=no route"]].concat())?;
    assert_eq!(shop.bill.problems()[0].params["errormsg"], "no route");
    let import = ["processing.import.service", "sok=ok", "module=1", "import_itemtype_intname=vds", "status=2"];
    let rest = ["import_service_name=web", "expiredate=2027-01-31", "panelid=44", "password=root"];
    let text = shop.accept(&[&import[..], &rest].concat())?;
    assert!(text.contains("<service_id>1</service_id>"), "{text}");
    assert_eq!(shop.bill.secret(1, "password").as_deref(), Some("root"));
    shop.accept(&["processing.import.assign", "sok=ok", "elid=1", "account=2", "pricelist_1=1"])?;
    assert_eq!(shop.bill.item(1).account, Some(shop.client));
    Ok(())
}

#[test]
fn the_panel_can_be_down() -> Result<()> {
    let shop = Shop::open("silent")?;
    shop.bill.panel_down(Some(2));
    for _ in 0..2 {
        let output = shop.panel(&["paramlist"])?;
        assert_eq!(output.status.code(), Some(1));
        assert!(String::from_utf8(output.stderr)?.contains("Connection refused"));
        assert_eq!(output.stdout, b"");
    }
    shop.accept(&["paramlist"])?;
    shop.bill.panel_down(None);
    assert!(!shop.panel(&["paramlist"])?.status.success());
    shop.bill.panel_up();
    shop.accept(&["paramlist"])?;
    Ok(())
}

#[test]
fn single_calls_can_go_wrong() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let open = ["vds.open", "sok=ok", &format!("elid={item}"), "ip=192.0.2.1"];
    let error = CallFault::Error { exit: 1, kind: "busy".into() };
    shop.bill.fail_call("vds.open", error, 1);
    shop.bill.fail_call("vds.open", CallFault::LoseAnswer, 1);
    shop.accept(&["paramlist"])?;
    let refused = shop.panel(&open)?;
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(shop.bill.item(item).status, 5);
    let lost = shop.panel(&open)?;
    assert_eq!((lost.status.code(), lost.stdout.len()), (None, 0));
    assert_eq!(shop.bill.item(item).status, 2, "the work was done");
    assert_eq!(shop.bill.calls().last().and_then(|call| call.exit), None);
    shop.bill.fail_call("paramlist", CallFault::Garbage, 1);
    assert!(shop.panel(&["paramlist"])?.stdout.starts_with(b"<html>"));
    let item = shop.order();
    let open = ["vds.open", "sok=ok", &format!("elid={item}"), "ip=192.0.2.2"];
    shop.bill.fail_call("vds.open", CallFault::Die, 1);
    shop.bill.fail_call("vds.open", CallFault::Words { text: "OK\n".to_owned(), exit: 0 }, 1);
    let died = shop.panel(&open)?;
    assert_eq!((died.status.code(), died.stdout.len()), (None, 0));
    let said = shop.panel(&open)?;
    assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(0), &b"OK\n"[..]));
    assert_eq!(shop.bill.item(item).status, 5, "nothing was done");
    Ok(())
}

#[test]
fn calls_are_recorded_with_the_origin_of_every_parameter() -> Result<()> {
    let shop = Shop::open("open")?;
    let item = shop.order();
    assert!(shop.bill.perform(item, "open").done);
    let calls = shop.bill.calls();
    let functions: Vec<&str> = calls.iter().map(|call| call.function.as_str()).collect();
    let expected = ["service.saveparam", "service.saveparam", "service.ip.add", "service.ip.add.commit", "vds.open"];
    assert_eq!(functions, expected);
    assert_eq!(calls[0].origin("password"), Some(Origin::Env));
    assert_eq!(calls[0].param("password"), Some("s3cret & more"));
    assert!(calls[0].argv.iter().all(|word| !word.contains("s3cret")));
    assert_eq!(calls[1].origin("value"), Some(Origin::Argv));
    assert!(calls.iter().all(|call| call.succeeded() && call.ssh_connection.as_deref() == Some("pmvmmanager6")));
    assert!(calls.is_sorted_by_key(|call| call.at));
    shop.bill.forget_calls();
    assert_eq!(shop.bill.calls(), []);
    Ok(())
}

#[test]
fn keys_of_every_kind_work() -> Result<()> {
    for (bits, format) in [(1024, Format::Pkcs8), (2048, Format::Pkcs1), (4096, Format::Pkcs8)] {
        let shop = Shop::with("silent", |setup| setup.key = Key { bits, format })?;
        let pem = std::fs::read_to_string(shop.bill.root().join("etc/billmgr.pem"))?;
        assert_eq!(pem.contains("BEGIN RSA PRIVATE KEY"), format == Format::Pkcs1);
        let long = "ä".repeat(bits);
        assert_eq!(shop.bill.decrypt(&shop.bill.encrypt(&long)), long);
        assert_eq!(shop.bill.encrypt(""), "");
    }
    let pem = |number| {
        let shop = Shop::with("silent", |setup| setup.installation = number)?;
        anyhow::Ok(std::fs::read_to_string(shop.bill.root().join("etc/billmgr.pem"))?)
    };
    assert_eq!(pem(0)?, pem(0)?);
    assert_ne!(pem(0)?, pem(1)?);
    Ok(())
}

#[test]
fn calls_may_come_all_at_once() -> Result<()> {
    for database in [Database::Sqlite, Database::MariaDb] {
        let shop = Shop::with("silent", |setup| setup.database = database)?;
        let items: Vec<u64> = (0..8).map(|_| shop.order()).collect();
        thread::scope(|scope| {
            let calls = items.iter().map(|item| {
                let elid = format!("elid={item}");
                let shop = &shop;
                scope.spawn(move || -> Result<()> {
                    for round in 0..8 {
                        let value = format!("panelid={round}");
                        shop.accept(&["service.saveparam", "sok=ok", &elid, &value, "serverid=x"])?;
                    }
                    shop.accept(&["vds.open", "sok=ok", &elid, "ip=192.0.2.1"]).map(drop)
                })
            });
            let calls: Vec<_> = calls.collect();
            calls.into_iter().try_for_each(|call| call.join().unwrap_or_else(|_| bail!("a caller panicked")))
        })?;
        assert!(items.iter().all(|item| shop.bill.params(*item)["panelid"] == "7"));
        assert_eq!(shop.bill.calls().len(), 8 * 9);
    }
    Ok(())
}

#[test]
fn an_installation_leaves_nothing_behind() -> Result<()> {
    let shop = Shop::with("silent", |setup| setup.database = Database::MariaDb)?;
    let root = shop.bill.root().to_owned();
    assert!(root.join("processing/pmvmmanager6").exists());
    drop(shop);
    assert!(!root.exists());
    Ok(())
}
