//! What clients do: order a service, change its add-ons, change the tariff.

use anyhow::{Context, Result, bail, ensure};

use super::model::{Order, addontype};
use super::rows::ItemRow;
use super::store::{Store, Value, values};
use super::{Bill, operation};

/// Service status "being opened" [protocol 5.4].
const PROCESSING: i64 = 5;
/// Address slot that waits for its address [protocol 5.6].
pub(super) const SLOT_FREE: i64 = 1;
/// Address slot in use.
pub(super) const SLOT_USED: i64 = 2;

impl Bill {
    /// Takes a paid order; answers the service's id. It is in status 5 and its operation `open` is in progress.
    pub fn order(&self, order: &Order) -> u64 {
        let crypted = self.encrypted(order);
        self.change(|store| place(store, order, &crypted, None))
    }

    /// The encrypted parameters of an order, as they are stored.
    pub(super) fn encrypted(&self, order: &Order) -> Vec<(String, String)> {
        order.crypted.iter().map(|(name, value)| (name.clone(), self.encrypt(value))).collect()
    }

    /// Changes a column of a service by hand.
    pub fn set_item(&self, item: u64, column: &str, value: impl Into<Value>) {
        let sql = format!("UPDATE item SET {column} = ? WHERE id = ?");
        let changed = self.change(|store| store.exec(&sql, &[value.into(), item.into()]));
        assert!(changed <= 1, "an id is unique");
    }

    /// Saves a plain item parameter by hand.
    pub fn set_param(&self, item: u64, name: &str, value: &str) {
        self.change(|store| {
            store.exec("DELETE FROM itemparam WHERE item = ? AND intname = ?", values![item, name])?;
            store.insert("itemparam", &[("item", item.into()), ("intname", name.into()), ("value", value.into())])
        });
    }

    /// Sets how much of an add-on a service has in all (included and ordered together); addresses get further free
    /// slots when there are more of them now.
    pub fn set_addon(&self, item: u64, intname: &str, value: impl Into<Value>) {
        let value = value.into().to_string();
        self.change(|store| {
            let tariff =
                ItemRow::read(store, item)?.and_then(|row| row.pricelist).context("the service has no tariff")?;
            let addon = Sold::find(store, tariff, intname)?;
            let child = addon.set(store, item, &value)?;
            if matches!(intname, "ip" | "ipv6" | "privateip") {
                fill_slots(store, child, value.parse()?)?;
            }
            Ok(())
        });
    }

    /// Starts a change of tariff: `lastpricelist` holds the old one, add-ons move to their counterparts.
    pub fn change_tariff(&self, item: u64, tariff: u64) {
        self.change(|store| {
            let old = ItemRow::read(store, item)?.and_then(|row| row.pricelist).context("the service has no tariff")?;
            store.exec("UPDATE item SET lastpricelist = ?, pricelist = ? WHERE id = ?", values![old, tariff, item])?;
            move_addons(store, item, tariff)
        });
    }
}

/// Moves a service's add-on items to the add-ons of the same item type in another tariff; what has no counterpart
/// there stays behind, invisible, and comes back with the old tariff.
pub(super) fn move_addons(store: &mut Store, item: u64, tariff: u64) -> Result<()> {
    let sql = "SELECT child.id, target.id FROM item child
               JOIN pricelist source ON child.pricelist = source.id
               JOIN pricelist target ON target.itemtype = source.itemtype
               WHERE child.parent = ? AND target.parent = ?";
    for row in store.rows(sql, values![item, tariff])? {
        let [Some(child), Some(target)] = row.as_slice() else {
            bail!("an add-on without an id");
        };
        store.exec("UPDATE item SET pricelist = ? WHERE id = ?", values![target, child])?;
    }
    Ok(())
}

/// Inserts a service with everything that belongs to it, under this id if there is one.
pub(super) fn place(store: &mut Store, order: &Order, crypted: &[(String, String)], id: Option<u64>) -> Result<u64> {
    let linked = "SELECT 1 FROM processingmodule2pricelist WHERE processingmodule = ? AND pricelist = ?";
    if store.row(linked, values![order.handler, order.tariff])?.is_none() {
        let row = [("processingmodule", order.handler.into()), ("pricelist", order.tariff.into())];
        store.insert("processingmodule2pricelist", &row)?;
    }
    let item = insert_item(store, order, id)?;
    for (table, rows) in [("itemparam", order.params.as_slice()), ("itemcryptedparam", crypted)] {
        for (name, value) in rows {
            let row = [("item", item.into()), ("intname", name.into()), ("value", value.into())];
            store.insert(table, &row)?;
        }
    }
    for (intname, value) in &order.addons {
        Sold::find(store, order.tariff, intname)?.set(store, item, value)?;
    }
    for (intname, count) in [("ip", order.ips), ("ipv6", order.ips6)] {
        give_addresses(store, item, order.tariff, intname, count)?;
    }
    operation::create(store, item, "open")?;
    Ok(item)
}

fn insert_item(store: &mut Store, order: &Order, id: Option<u64>) -> Result<u64> {
    let now = jiff::Zoned::now();
    let today = now.date();
    let paid_until = match order.period {
        months @ 1.. => today.saturating_add(jiff::Span::new().months(months)),
        _ => today.saturating_add(jiff::Span::new().days(14)),
    };
    let domain = order.params.iter().find(|(name, _)| name == "domain").map(|(_, value)| value.as_str());
    let mut row: Vec<(&str, Value)> = vec![
        ("account", order.client.into()),
        ("pricelist", order.tariff.into()),
        ("processingmodule", order.handler.into()),
        ("name", domain.unwrap_or("vds").into()),
        ("period", order.period.into()),
        ("status", PROCESSING.into()),
        ("cost", "5.0000".into()),
        ("createdate", today.to_string().into()),
        ("expiredate", paid_until.to_string().into()),
        ("autosuspend", false.into()),
        ("employeesuspend", false.into()),
        ("abusesuspend", false.into()),
        ("scheduledclose", false.into()),
        ("remoteid", order.remoteid.as_ref().into()),
    ];
    row.extend(id.map(|id| ("id", id.into())));
    let inserted = store.insert("item", &row)?;
    Ok(id.unwrap_or(inserted))
}

/// The tariff's address add-on, if it sells one: the item, its value and a free slot for every address.
fn give_addresses(store: &mut Store, item: u64, tariff: u64, intname: &str, count: u32) -> Result<()> {
    if Sold::search(store, tariff, intname)?.is_none() {
        ensure!(count <= u32::from(intname == "ip"), "the tariff sells no {intname}, so {count} cannot be ordered");
        return Ok(());
    }
    let child = Sold::find(store, tariff, intname)?.set(store, item, &count.to_string())?;
    fill_slots(store, child, count)
}

fn fill_slots(store: &mut Store, addon_item: u64, wanted: u32) -> Result<()> {
    let present = store.number("SELECT COUNT(*) FROM ip WHERE item = ?", values![addon_item])?.unwrap_or(0);
    for _ in present..i64::from(wanted) {
        store.insert("ip", &[("item", addon_item.into()), ("name", "".into()), ("status", SLOT_FREE.into())])?;
    }
    Ok(())
}

/// An add-on as a tariff sells it.
struct Sold {
    pricelist: u64,
    addontype: i64,
    limit: i64,
    enumeration: Option<u64>,
}

impl Sold {
    fn find(store: &mut Store, tariff: u64, intname: &str) -> Result<Self> {
        Self::search(store, tariff, intname)?.with_context(|| format!("tariff {tariff} has no add-on {intname}"))
    }

    fn search(store: &mut Store, tariff: u64, intname: &str) -> Result<Option<Self>> {
        let sql = "SELECT p.id, p.addontype, p.addonlimit, p.enumeration FROM pricelist p
                   JOIN itemtype t ON p.itemtype = t.id WHERE p.parent = ? AND (p.intname = ? OR t.intname = ?)";
        let Some(row) = store.row(sql, values![tariff, intname, intname])? else {
            return Ok(None);
        };
        let number = |column: usize| row[column].as_deref().map(str::parse::<i64>).transpose();
        Ok(Some(Self {
            pricelist: row[0].as_deref().unwrap_or_default().parse()?,
            addontype: number(1)?.unwrap_or(0),
            limit: number(2)?.unwrap_or(0),
            enumeration: row[3].as_deref().map(str::parse).transpose()?,
        }))
    }

    /// Writes the ordered value into the add-on's item, which is created if need be; answers its id.
    fn set(&self, store: &mut Store, item: u64, value: &str) -> Result<u64> {
        let found =
            store.id("SELECT id FROM item WHERE parent = ? AND pricelist = ?", values![item, self.pricelist])?;
        let child = match found {
            Some(child) => child,
            None => self.create(store, item)?,
        };
        let (column, value) = self.column(store, value)?;
        store.exec(&format!("UPDATE item SET {column} = ? WHERE id = ?"), &[value, child.into()])?;
        Ok(child)
    }

    fn create(&self, store: &mut Store, item: u64) -> Result<u64> {
        let parent = ItemRow::read(store, item)?.with_context(|| format!("there is no service {item}"))?;
        let row: [(&str, Value); 6] = [
            ("account", parent.account.into()),
            ("parent", item.into()),
            ("pricelist", self.pricelist.into()),
            ("period", parent.period.into()),
            ("status", parent.status.into()),
            ("name", "".into()),
        ];
        store.insert("item", &row)
    }

    /// Where the value goes [protocol 5.7].
    fn column(&self, store: &mut Store, value: &str) -> Result<(&'static str, Value)> {
        Ok(match self.addontype {
            addontype::BOOL => ("boolvalue", value.into()),
            addontype::ENUM => {
                let sql = "SELECT id FROM enumerationitem WHERE enumeration = ? AND intname = ?";
                let choice = store.id(sql, values![self.enumeration, value])?;
                ("enumerationitem", choice.with_context(|| format!("{value} is not offered"))?.into())
            }
            _ => ("intvalue", (value.parse::<i64>()? - self.limit).into()),
        })
    }
}
