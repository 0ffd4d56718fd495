//! Services that change hands, other modules' services, restored databases.

use anyhow::Result;
use sandbox::bill::{Database, Handler, Order, VENDOR_MODULE};

use crate::shop::Shop;

fn transferred(database: Database) -> Result<()> {
    let shop = Shop::with("open", |setup| setup.database = database)?;
    let bob = shop.bill.add_client("Bob", "bob@example.org");
    let item =
        shop.bill.order(&Order::new(shop.client, shop.tariff, shop.handler).addon("mem", "2048").secret("note", "n"));
    assert!(shop.bill.perform(item, "open").done);
    let slots = shop.bill.slots(item);
    let copy = shop.bill.transfer(item, bob);
    let (old, new) = (shop.bill.item(item), shop.bill.item(copy));
    assert!(copy > item && new.account == Some(bob) && old.account == Some(shop.client));
    assert_eq!((old.status, new.status, new.processingmodule), (4, 2, Some(shop.handler)));
    assert_eq!(shop.bill.params(copy), shop.bill.params(item));
    assert_eq!(shop.bill.params(copy)["panelid"], "17");
    assert_eq!(shop.bill.secret(copy, "note").as_deref(), Some("n"));
    assert_eq!((shop.bill.slots(copy), shop.bill.slots(item)), (slots, vec![]));
    assert_eq!(shop.bill.running(copy), []);
    Ok(())
}

#[test]
fn a_transfer_is_a_copy_on_sqlite() -> Result<()> {
    transferred(Database::Sqlite)
}

#[test]
fn a_transfer_is_a_copy_on_mariadb() -> Result<()> {
    transferred(Database::MariaDb)
}

#[test]
fn staff_change_the_owner_and_the_handler() -> Result<()> {
    let shop = Shop::open("silent")?;
    let item = shop.order();
    let bob = shop.bill.add_client("Bob", "bob@example.org");
    let second = shop.bill.add_handler(&Handler::new("https://second.example", "admin@example.net", "p", "1"));
    shop.bill.give_to(item, bob);
    shop.bill.move_service(item, second);
    assert_eq!((shop.bill.item(item).account, shop.bill.item(item).processingmodule), (Some(bob), Some(second)));
    shop.bill.set_handler_url(second, "https://moved.example");
    shop.bill.set_handler_password(second, "n3w");
    let edit = shop.accept(&["processing.edit", &format!("elid={second}")])?;
    assert!(edit.contains("<url>https://moved.example</url>") && edit.contains("<password>n3w</password>"), "{edit}");
    shop.bill.set_email(bob, "alice@example.com");
    let emails = shop.bill.rows("SELECT email FROM user WHERE account = ?", &[&bob.to_string()]);
    assert_eq!(emails, [[Some("alice@example.com".to_owned())]]);
    Ok(())
}

#[test]
fn a_restored_database_gives_an_id_again() -> Result<()> {
    for database in [Database::Sqlite, Database::MariaDb] {
        let shop = Shop::with("open", |setup| setup.database = database)?;
        let item = shop.order();
        assert!(shop.bill.perform(item, "open").done);
        let bob = shop.bill.add_client("Bob", "bob@example.org");
        shop.bill.reissue(item, &Order::new(bob, shop.tariff, shop.handler).resold("r-7"));
        let row = shop.bill.item(item);
        assert_eq!((row.account, row.status), (Some(bob), 5));
        assert_eq!(shop.bill.params(item).get("panelid"), None);
        assert_eq!((shop.bill.running(item).len(), shop.bill.slots(item).len()), (1, 1));
        let remote = shop.bill.rows("SELECT remoteid FROM item WHERE id = ?", &[&item.to_string()]);
        assert_eq!(remote, [[Some("r-7".to_owned())]]);
        let next = shop.order();
        assert!(next > item);
        shop.bill.forget_item(next);
        assert!(shop.bill.rows("SELECT id FROM item WHERE id = ?", &[&next.to_string()]).is_empty());
    }
    Ok(())
}

#[test]
fn another_module_has_services_with_vms() -> Result<()> {
    let shop = Shop::open("silent")?;
    let vendor = shop.bill.add_handler(&Handler::vendor("https://vm.example.net", "admin@example.net", "p", "1"));
    let item = shop.bill.add_active(&Order::new(shop.client, shop.tariff, vendor), 215);
    let sql = "SELECT m.module, i.status, p.value FROM item i JOIN processingmodule m ON i.processingmodule = m.id
               JOIN itemparam p ON p.item = i.id WHERE p.intname = 'panelid' AND i.id = ?";
    let found = shop.bill.rows(sql, &[&item.to_string()]);
    assert_eq!(found, [[VENDOR_MODULE, "2", "215"].map(|it| Some(it.to_owned()))]);
    assert_eq!(shop.bill.running(item), []);
    Ok(())
}
