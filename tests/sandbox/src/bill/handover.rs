//! Services that change hands, handlers that change, and a database that was restored from a backup.

use anyhow::{Context, Result};

use super::Bill;
use super::model::Order;
use super::order;
use super::rows::ItemRow;
use super::schema;
use super::store::{Store, values};

/// Service statuses "active" and "deleted" [protocol 5.4].
const ACTIVE: i64 = 2;
const DELETED: i64 = 4;

impl Bill {
    /// Hands a service to another client as the panel does [protocol A5]: a copy with a new id and the same parameters
    /// and addresses, the old service deleted without a run of the module. Answers the new id.
    pub fn transfer(&self, item: u64, client: u64) -> u64 {
        self.change(|store| {
            let copy = copy_item(store, item, client, None)?;
            for addon in addons(store, item)? {
                let twin = copy_item(store, addon, client, Some(copy))?;
                store.exec("UPDATE ip SET item = ? WHERE item = ?", values![twin, addon])?;
            }
            let sql = "UPDATE item SET status = ? WHERE id = ? OR parent = ?";
            store.exec(sql, values![DELETED, item, item])?;
            Ok(copy)
        })
    }

    /// Staff give a service to another client in place: same id, another account.
    pub fn give_to(&self, item: u64, client: u64) {
        self.exec_one("UPDATE item SET account = ? WHERE id = ? OR parent = ?", values![client, item, item]);
    }

    /// Staff move a service to another handler.
    pub fn move_service(&self, item: u64, handler: u64) {
        self.exec_one("UPDATE item SET processingmodule = ? WHERE id = ?", values![handler, item]);
    }

    /// Staff change the address of a handler's VMmanager.
    pub fn set_handler_url(&self, handler: u64, url: &str) {
        self.set_handler(handler, "url", url);
    }

    /// Staff change the password of a handler.
    pub fn set_handler_password(&self, handler: u64, password: &str) {
        let crypted = self.encrypt(password);
        let sql = "UPDATE processingcryptedparam SET value = ? WHERE processingmodule = ? AND intname = 'password'";
        self.exec_one(sql, values![crypted, handler]);
    }

    /// A client changes the e-mail of his user.
    pub fn set_email(&self, client: u64, email: &str) {
        self.exec_one("UPDATE user SET email = ?, name = ? WHERE account = ?", values![email, email, client]);
    }

    /// Deletes every row about a service, as in a database restored from before its order.
    pub fn forget_item(&self, item: u64) {
        self.change(|store| forget(store, item));
    }

    /// The same, and then gives its id to another order: what a restored database does with the next orders.
    pub fn reissue(&self, item: u64, order: &Order) {
        let crypted = self.encrypted(order);
        self.change(|store| {
            forget(store, item)?;
            order::place(store, order, &crypted, Some(item)).map(drop)
        });
    }

    /// Adds a service that is active already and names its VM, without a run of the module: of another module, or from
    /// before this one. Answers its id.
    pub fn add_active(&self, order: &Order, panelid: u64) -> u64 {
        let item = self.order(order);
        self.set_param(item, "panelid", &panelid.to_string());
        self.change(|store| {
            store.exec("DELETE FROM runningoperation WHERE item = ?", values![item])?;
            store.exec("UPDATE item SET status = ? WHERE id = ? OR parent = ?", values![ACTIVE, item, item])
        });
        item
    }

    /// A change of rows that must exist.
    #[track_caller]
    fn exec_one(&self, sql: &str, params: &[super::Value]) {
        let changed = self.change(|store| store.exec(sql, params));
        assert!(changed > 0, "nothing to change: {sql}");
    }
}

fn addons(store: &mut Store, item: u64) -> Result<Vec<u64>> {
    let rows = store.rows("SELECT id FROM item WHERE parent = ? ORDER BY id", values![item])?;
    rows.iter().map(|row| Ok(row[0].as_deref().context("an add-on without an id")?.parse()?)).collect()
}

/// Copies an item with its parameters; answers the id of the copy.
fn copy_item(store: &mut Store, item: u64, client: u64, parent: Option<u64>) -> Result<u64> {
    ItemRow::read(store, item)?.with_context(|| format!("there is no service {item}"))?;
    let own = ["id", "account", "parent"];
    let rest: Vec<&str> = schema::item_columns().filter(|column| !own.contains(column)).collect();
    let rest = rest.join(", ");
    let sql = format!("INSERT INTO item (account, parent, {rest}) SELECT ?, ?, {rest} FROM item WHERE id = ?");
    store.exec(&sql, values![client, parent, item])?;
    let copy = store.last_id()?;
    for table in ["itemparam", "itemcryptedparam"] {
        let sql =
            format!("INSERT INTO {table} (item, intname, value) SELECT ?, intname, value FROM {table} WHERE item = ?");
        store.exec(&sql, values![copy, item])?;
    }
    Ok(copy)
}

fn forget(store: &mut Store, item: u64) -> Result<()> {
    for addon in addons(store, item)? {
        store.exec("DELETE FROM ip WHERE item = ?", values![addon])?;
    }
    for table in ["itemparam", "itemcryptedparam", "itemstat", "runningoperation", "task"] {
        store.exec(&format!("DELETE FROM {table} WHERE item = ?"), values![item])?;
    }
    store.exec("DELETE FROM item WHERE id = ? OR parent = ?", values![item, item]).map(drop)
}
