//! What we read of a service, its handler and its client: plain data and the queries that fill it.
//!
//! All SQL of the module is in this folder [protocol 5.3, 5.4, 5.5, 5.6, 5.7, 5.8].

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::Arc;

use secrecy::SecretString;

use super::addons::{Amount, addons_of, addons_query, put_over};
use super::connection::Panel;
use super::database::{Param, Query, Row, among};
use super::foreign::refuse_foreign;
use super::secret_cache::Kept;
use super::status::ServiceStatus;
use super::units::Units;
use crate::error::{Error, Kind, Result};
use crate::id::{ClientId, HandlerId, OperationId, ServiceId, TariffId, VmId};

/// A processing module record: one VMmanager cluster with its settings.
#[derive(Debug)]
pub struct Handler {
    /// `processingmodule.id`.
    pub id: HandlerId,
    /// Name shown in BILLmanager.
    pub name: String,
    /// Settings in clear (`processingparam`).
    pub params: BTreeMap<String, String>,
    /// Decrypted settings (`processingcryptedparam`).
    pub secrets: BTreeMap<String, SecretString>,
    /// Which entry of the password is stored: a keyed hash of its crypted form, empty without one.
    pub entry: String,
    /// Under which what is remembered of the secrets is kept: nobody makes it without the panel's private key.
    pub sealing_key: SecretString,
    /// The data center's external id, which must be empty for VMmanager 6.
    pub external_datacenter: Option<String>,
}

/// An account of BILLmanager with its first user.
#[derive(Clone, Debug, Default)]
pub struct Customer {
    /// `account.id`.
    pub id: ClientId,
    /// Company or person.
    pub name: String,
    /// Login of the first user.
    pub user: String,
    /// E-mail of the first user: the identity in VMmanager.
    pub email: String,
    /// Real name of the first user.
    pub real_name: String,
}

/// A service (`item`) with everything an operation needs to know of it.
pub struct Service {
    /// `item.id`.
    pub id: ServiceId,
    /// Internal name of the item type, `vds`.
    pub item_type: String,
    /// As BILLmanager has it: an operation that runs changes it at its end.
    pub status: ServiceStatus,
    /// Months; −100 trial, −50 daily, 0 lifetime.
    pub period: i64,
    /// Tariff before a change that is in progress.
    pub last_tariff: Option<TariffId>,
    /// `pricelist.id` of the tariff.
    pub tariff_id: TariffId,
    /// Name of the tariff as clients see it.
    pub tariff_title: String,
    /// Internal name of the tariff: may name a VM configuration of VMmanager.
    pub tariff_name: String,
    /// `pricelistparam` of the tariff.
    pub tariff: BTreeMap<String, String>,
    /// `item.remoteid`: the number that a reseller's own BILLmanager gave a service that it sold on [protocol A10].
    pub remote_id: Option<u64>,
    pub client: Customer,
    /// `itemparam`.
    pub params: BTreeMap<String, String>,
    /// Add-ons by their key, tariff parameters of the same name merged over them.
    pub addons: BTreeMap<String, Amount>,
    /// Table of units.
    pub units: Arc<Units>,
}

impl Service {
    /// A plain parameter unless it is empty.
    pub fn param(&self, name: &str) -> Option<&str> {
        self.params.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// A row of `processingparam`.
#[derive(Clone, Debug)]
pub struct HandlerParam {
    pub id: u64,
    /// Name of the parameter.
    pub name: String,
    pub value: String,
}

/// Which module and handler a service belongs to.
pub struct Owner {
    /// Name of the module file; empty when the service has no handler.
    pub module: String,
    /// `processingmodule.id`.
    pub handler: Option<HandlerId>,
}

/// A service that names a VM by its id.
#[derive(Clone, Debug)]
pub struct Naming {
    pub item: ServiceId,
    pub vm: VmId,
    /// The module of its handler.
    pub module: String,
    /// The address of its handler.
    pub url: String,
    /// Its main address, as BILLmanager shows it.
    pub ip: String,
}

impl Naming {
    fn read(row: &Row) -> Option<Naming> {
        let [module, url, ip] = [1, 2, 3].map(|at| row.text(at).to_owned());
        Some(Naming { item: row.id(0)?, vm: row.id(4)?, module, url, ip })
    }
}

const NAMING_QUERY: &str = "SELECT i.id, pm.module, u.value, a.value, p.value FROM itemparam p JOIN item i ON p.item = i.id \
    LEFT JOIN processingmodule pm ON i.processingmodule = pm.id \
    LEFT JOIN processingparam u ON u.processingmodule = pm.id AND u.intname = 'url' \
    LEFT JOIN itemparam a ON a.item = i.id AND a.intname = 'ip' WHERE p.intname = 'panelid' AND i.status <> 4";

impl Panel {
    /// Whose service this is; `db` when there is no such service.
    pub fn owner(&self, item: ServiceId) -> Result<Owner> {
        let sql = "SELECT pm.module, pm.id FROM item i LEFT JOIN processingmodule pm ON i.processingmodule = pm.id WHERE i.id = ?";
        let rows = self.rows(sql, &[Param::Id(item.get())])?;
        let row = rows.first().ok_or_else(|| no_row("item", item, "service"))?;
        Ok(Owner { module: row.text(0).to_owned(), handler: row.id(1) })
    }

    /// A handler with its settings; `unsupported_module` when it belongs to another module.
    pub fn handler(&self, id: HandlerId) -> Result<Handler> {
        self.handler_by("?", id.get(), &format!("handler {id}"))?.ok_or_else(|| no_row("module", id, "handler"))
    }

    /// The handler of a service with its settings; the service must be ours.
    pub fn handler_of(&self, item: ServiceId) -> Result<Handler> {
        let (expression, what) = ("(SELECT processingmodule FROM item WHERE id = ?)", format!("service {item}"));
        if let Some(handler) = self.handler_by(expression, item.get(), &what)? {
            return Ok(handler);
        }
        let owner = self.owner(item)?;
        refuse_foreign(&owner.module, &what)?;
        Err(no_row("module", owner.handler.unwrap_or_default(), "handler"))
    }

    /// The handler whose id is this expression of `value`, if there is one; `what` must belong to this module.
    fn handler_by(&self, expression: &str, value: u64, what: &str) -> Result<Option<Handler>> {
        let queries = [
            format!(
                "SELECT pm.name, pm.module, d.external_id, pm.id FROM processingmodule pm \
                 LEFT JOIN datacenter d ON pm.datacenter = d.id WHERE pm.id = {expression}"
            ),
            format!("SELECT intname, value FROM processingparam WHERE processingmodule = {expression}"),
            format!("SELECT intname, value FROM processingcryptedparam WHERE processingmodule = {expression}"),
        ];
        let value = [Param::Id(value)];
        let [rows, plain, crypted] = self.together(queries.each_ref().map(|sql| (sql.as_str(), value.as_slice())))?;
        let Some((row, id)) = rows.first().and_then(|row| Some((row, row.id(3)?))) else { return Ok(None) };
        refuse_foreign(row.text(1), what)?;
        let secrets = self.opened(&crypted)?;
        Ok(Some(Handler {
            id,
            name: row.text(0).to_owned(),
            params: pairs(&plain),
            entry: match pairs(&crypted).get("password") {
                Some(value) => self.key()?.entry(value),
                None => String::new(),
            },
            sealing_key: if secrets.is_empty() { SecretString::default() } else { self.key()?.sealing_key() },
            secrets,
            external_datacenter: row.filled(2).map(str::to_owned),
        }))
    }

    /// The settings in clear of a handler as rows.
    pub fn handler_params(&self, id: HandlerId) -> Result<Vec<HandlerParam>> {
        let sql = "SELECT id, intname, value FROM processingparam WHERE processingmodule = ? ORDER BY id";
        let rows = self.rows(sql, &[Param::Id(id.get())])?;
        let param = |row: &Row| HandlerParam {
            id: row.id(0).unwrap_or_default(),
            name: row.text(1).to_owned(),
            value: row.text(2).to_owned(),
        };
        Ok(rows.iter().map(param).collect())
    }

    /// Everything about a service but its secrets, whose decryption takes longer than all the rest: [`Panel::secret`].
    pub fn service(&self, item: ServiceId) -> Result<Service> {
        let mut found = self.services(&[item])?.pop().ok_or_else(|| no_row("item", item, "service with a tariff"))?;
        if let Some(planned) = self.mgrctl.planned() {
            found.params.extend(planned.params(item));
        }
        Ok(found)
    }

    /// A client with his first user.
    pub(crate) fn client(&self, id: ClientId) -> Result<Customer> {
        let rows = self.rows("SELECT name FROM account WHERE id = ?", &[Param::Id(id.get())])?;
        let name = rows.first().ok_or_else(|| no_row("client", id, "client"))?.text(0).to_owned();
        let users = self.rows(
            "SELECT account, name, email, realname FROM user WHERE account = ? ORDER BY id",
            &[Param::Id(id.get())],
        )?;
        let found = first_users(&users).remove(&id).unwrap_or(Customer { id, ..Customer::default() });
        Ok(Customer { name, ..found })
    }

    /// Services in the order of their ids; what does not exist or has no tariff is left out.
    pub fn services(&self, items: &[ServiceId]) -> Result<Vec<Service>> {
        let queries = service_queries(&among(items));
        let [rows, tariffs, clients, params, addons, units] =
            self.together(queries.each_ref().map(|sql| (sql.as_str(), [].as_slice())))?;
        let (tariffs, clients) = (grouped::<TariffId>(&tariffs), first_users(&clients));
        let mut params = grouped::<ServiceId>(&params);
        let (mut addons, units) = (addons_of::<ServiceId>(&addons, "service"), Arc::new(Units::from_rows(&units)));
        let service = |row: &Row| {
            let id = row.id(8)?;
            let tariff = row.id(4).and_then(|tariff| tariffs.get(&tariff)).cloned().unwrap_or_default();
            let mut addons = addons.remove(&id).unwrap_or_default();
            put_over(&tariff, &mut addons);
            let known = row
                .id(6)
                .map(|client| clients.get(&client).cloned().unwrap_or(Customer { id: client, ..Customer::default() }));
            Some(Service {
                id,
                item_type: row.text(0).to_owned(),
                status: row.number(1).unwrap_or_default().into(),
                period: row.number(2).unwrap_or_default(),
                last_tariff: row.id(3),
                tariff_id: row.id(4).unwrap_or_default(),
                tariff_title: row.text(9).to_owned(),
                remote_id: row.id(10),
                tariff_name: row.text(5).to_owned(),
                client: known.map(|client| Customer { name: row.text(7).to_owned(), ..client }).unwrap_or_default(),
                params: params.remove(&id).unwrap_or_default(),
                addons,
                units: Arc::clone(&units),
                tariff,
            })
        };
        Ok(rows.iter().filter_map(service).collect())
    }

    /// The table of units.
    pub fn units(&self) -> Result<Units> {
        Ok(Units::from_rows(&self.rows(UNITS_QUERY, &[])?))
    }

    /// The plain parameters of a service.
    pub fn params(&self, item: ServiceId) -> Result<BTreeMap<String, String>> {
        let stored = self.rows("SELECT intname, value FROM itemparam WHERE item = ?", &[Param::Id(item.get())])?;
        let planned = self.mgrctl.planned().map(|planned| planned.params(item));
        Ok(pairs(&stored).into_iter().chain(planned.into_iter().flatten()).collect())
    }

    /// The parameters of a tariff.
    pub fn tariff_params(&self, tariff: TariffId) -> Result<BTreeMap<String, String>> {
        Ok(pairs(
            &self.rows("SELECT intname, value FROM pricelistparam WHERE pricelist = ?", &[Param::Id(tariff.get())])?,
        ))
    }

    /// Clients whose open services use this user name of VMmanager. An order that failed may have left one, so it does not
    /// count.
    pub fn clients_with_username(&self, username: &str) -> Result<Vec<ClientId>> {
        let sql = "SELECT DISTINCT i.account FROM itemparam p JOIN item i ON p.item = i.id \
                   WHERE p.intname = 'username' AND p.value = ? AND i.status IN (2, 3) ORDER BY i.account";
        Ok(self.rows(sql, &[Param::Text(username)])?.iter().filter_map(|row| row.id(0)).collect())
    }

    /// Live services of every handler and module that name this VM id.
    pub fn services_naming(&self, vm: VmId) -> Result<Vec<Naming>> {
        let rows =
            self.rows(&format!("{NAMING_QUERY} AND p.value = ? ORDER BY i.id"), &[Param::Text(&vm.to_string())])?;
        Ok(rows.iter().filter_map(Naming::read).collect())
    }

    /// Every live service that names a VM.
    pub fn all_naming(&self) -> Result<Vec<Naming>> {
        let rows = self.rows(&format!("{NAMING_QUERY} ORDER BY i.id"), &[])?;
        Ok(rows.iter().filter_map(Naming::read).collect())
    }

    /// One crypted parameter of a service, decrypted.
    pub fn secret(&self, item: ServiceId, name: &str) -> Result<Option<SecretString>> {
        if let Some(planned) = self.mgrctl.planned().and_then(|planned| planned.secret(item, name)) {
            return Ok(Some(planned));
        }
        let sql = "SELECT intname, value FROM itemcryptedparam WHERE item = ? AND intname = ?";
        let rows = self.rows(sql, &[Param::Id(item.get()), Param::Text(name)])?;
        Ok(self.decrypted(&rows)?.remove(name))
    }

    /// All crypted parameters of a service, decrypted.
    pub fn secrets(&self, item: ServiceId) -> Result<BTreeMap<String, SecretString>> {
        self.decrypted(
            &self.rows("SELECT intname, value FROM itemcryptedparam WHERE item = ?", &[Param::Id(item.get())])?,
        )
    }

    /// Crypted parameters of a service whose names begin with this, decrypted.
    pub fn secrets_beginning(&self, item: ServiceId, start: &str) -> Result<BTreeMap<String, SecretString>> {
        let sql = "SELECT intname, value FROM itemcryptedparam WHERE item = ? AND SUBSTR(intname, 1, ?) = ?";
        let length = start.chars().count() as u64;
        self.decrypted(&self.rows(sql, &[Param::Id(item.get()), Param::Id(length), Param::Text(start)])?)
    }

    /// The newest order of all: BILLmanager numbers orders and their add-ons upwards [protocol 5.3].
    pub fn newest_order(&self) -> Result<ServiceId> {
        let rows = self.rows("SELECT MAX(id) FROM item", &[])?;
        rows.first().and_then(|row| row.id(0)).ok_or_else(|| Error::new(Kind::Db, "item", "BILLmanager has no orders"))
    }

    /// Status of a service, and its running operations: id and command.
    pub fn standing(&self, item: ServiceId) -> Result<(ServiceStatus, Vec<(OperationId, String)>)> {
        let rows = self.rows("SELECT status FROM item WHERE id = ?", &[Param::Id(item.get())])?;
        let status = rows.first().ok_or_else(|| no_row("item", item, "service"))?.number(0).unwrap_or_default();
        let sql = "SELECT id, intname FROM runningoperation WHERE item = ? ORDER BY id";
        let running = self.rows(sql, &[Param::Id(item.get())])?;
        let operation = |row: &Row| Some((row.id(0)?, row.text(1).to_owned()));
        Ok((status.into(), running.iter().filter_map(operation).collect()))
    }

    /// How often a running operation was tried, and whether staff has a task for it already [protocol 3.30].
    pub fn tries(&self, operation: OperationId) -> Result<(i64, bool)> {
        let rows = self.rows("SELECT trycount FROM runningoperation WHERE id = ?", &[Param::Id(operation.get())])?;
        let count = rows.first().and_then(|row| row.number(0)).unwrap_or_default();
        let tasks = self.rows("SELECT id FROM task WHERE runningoperation = ?", &[Param::Id(operation.get())])?;
        Ok((count, !tasks.is_empty()))
    }

    /// The answers to some queries, in one round trip.
    pub(super) fn together<const N: usize>(&self, queries: [Query; N]) -> Result<[Vec<Row>; N]> {
        let found = self.batch(&queries)?.try_into();
        found.map_err(|_| Error::new(Kind::Db, "query", "BILLmanager's database left a query without an answer"))
    }

    /// Settings of a handler in clear, which every run needs; decrypted once and kept sealed.
    fn opened(&self, rows: &[Row]) -> Result<BTreeMap<String, SecretString>> {
        let open = |row: &Row| {
            let (key, name, value) = (self.key()?, row.text(0), row.text(1));
            let kept = Kept::of(&self.config.runtime_dir(), key.pem(), value);
            let plain = match kept.find() {
                Some(plain) => plain,
                None => key.decrypt(name, value).inspect(|plain| kept.keep(plain))?,
            };
            Ok((name.to_owned(), plain))
        };
        rows.iter().filter(|row| row.filled(1).is_some()).map(open).collect()
    }

    fn decrypted(&self, rows: &[Row]) -> Result<BTreeMap<String, SecretString>> {
        rows.iter()
            .filter(|row| row.filled(1).is_some())
            .map(|row| Ok((row.text(0).to_owned(), self.key()?.decrypt(row.text(0), row.text(1))?)))
            .collect()
    }
}

pub(super) const UNITS_QUERY: &str = "SELECT id, intname, relation, lessmeasure FROM measure";

/// What [`Panel::services`] asks: the services, parameters of their tariffs, first users of their owners, their own
/// parameters, add-ons, units.
fn service_queries(these: &str) -> [String; 6] {
    [
        format!(
            "SELECT it.intname, i.status, i.period, i.lastpricelist, i.pricelist, p.intname, a.id, a.name, i.id, \
             p.name, i.remoteid FROM item i JOIN pricelist p ON i.pricelist = p.id JOIN itemtype it ON p.itemtype = it.id \
             LEFT JOIN account a ON i.account = a.id WHERE i.id {these} ORDER BY i.id"
        ),
        format!(
            "SELECT pricelist, intname, value FROM pricelistparam \
             WHERE pricelist IN (SELECT pricelist FROM item WHERE id {these})"
        ),
        format!(
            "SELECT account, name, email, realname FROM user \
             WHERE account IN (SELECT account FROM item WHERE id {these}) ORDER BY id"
        ),
        format!("SELECT item, intname, value FROM itemparam WHERE item {these}"),
        addons_query(these),
        UNITS_QUERY.to_owned(),
    ]
}

/// Names and values by the id of what they belong to.
pub(super) fn grouped<T: From<u64> + Ord + Default>(rows: &[Row]) -> BTreeMap<T, BTreeMap<String, String>> {
    let mut found: BTreeMap<T, BTreeMap<String, String>> = BTreeMap::new();
    for row in rows {
        let object = found.entry(row.id(0).unwrap_or_default()).or_default();
        object.insert(row.text(1).to_owned(), row.text(2).to_owned());
    }
    found
}

/// Accounts with their first users; the names of the accounts are the caller's.
fn first_users(rows: &[Row]) -> BTreeMap<ClientId, Customer> {
    let mut found = BTreeMap::new();
    for row in rows {
        let Some(id) = row.id(0) else { continue };
        let text = |column| row.text(column).trim().to_owned();
        let client = || Customer { id, name: String::new(), user: text(1), email: text(2), real_name: text(3) };
        found.entry(id).or_insert_with(client);
    }
    found
}

fn pairs(rows: &[Row]) -> BTreeMap<String, String> {
    rows.iter().map(|row| (row.text(0).to_owned(), row.text(1).to_owned())).collect()
}

fn no_row(argument: &str, id: impl Display, what: &str) -> Error {
    Error::new(Kind::BadArgument, argument, format!("BILLmanager's database has no {what} with the id {id}"))
}
