//! What a test says to the stand-in BILLmanager: handlers, tariffs, orders.
//!
//! Plain data with builders; the words are BILLmanager's, the numbers are those of its tables [protocol 5.7].

use super::base;

/// The vendor's own module for `VMmanager` 6.
pub const VENDOR_MODULE: &str = "pmvmmgr6";

/// A processing module record, i.e. one connection to a VMmanager cluster.
#[derive(Clone, Debug)]
pub struct Handler {
    /// Name shown to the staff.
    pub name: String,
    /// File name of the module's executable, `pmvmmanager6` unless a test needs a foreign one.
    pub module: String,
    /// Address of VMmanager as the administrator typed it.
    pub url: String,
    /// E-mail of the VMmanager administrator.
    pub username: String,
    /// His password; stored encrypted.
    pub password: String,
    /// Id of the VMmanager cluster, as text like every setting.
    pub cluster: String,
    /// Further settings of the handler, stored as they are.
    pub extra: Vec<(String, String)>,
    /// Id of the data centre, [`base::DATACENTER`] by default.
    pub datacenter: u64,
}

impl Handler {
    /// A handler of `pmvmmanager6` with the given connection settings.
    pub fn new(url: &str, username: &str, password: &str, cluster: &str) -> Self {
        Self {
            name: "VMmanager 6".into(),
            module: "pmvmmanager6".into(),
            url: url.into(),
            username: username.into(),
            password: password.into(),
            cluster: cluster.into(),
            extra: Vec::new(),
            datacenter: base::DATACENTER,
        }
    }

    /// A handler of the vendor's own module, which calls the user `login` [protocol A17].
    pub fn vendor(url: &str, login: &str, password: &str, cluster: &str) -> Self {
        let handler = Self::new(url, login, password, cluster).with("login", login);
        Self { module: VENDOR_MODULE.into(), name: "VMmanager 6 (vendor's module)".into(), ..handler }
    }

    /// The same handler under another name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        self.name = name.into();
        self
    }

    /// The same handler with one more setting.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.extra.push((name.into(), value.into()));
        self
    }
}

/// How an add-on is paid, `pricelist.billtype` [protocol 5.7].
pub mod billtype {
    /// The client orders an amount.
    pub const ORDERED: i64 = 2;
    /// Counted from statistics.
    pub const STAT: i64 = 3;
    /// A group of add-ons of which the client chooses one.
    pub const COMPOUND: i64 = 4;
    /// Done by hand.
    pub const MANUAL: i64 = 10;
}

/// What the value of an add-on is, `pricelist.addontype` [protocol 5.7].
pub mod addontype {
    /// `on` or `off`.
    pub const BOOL: i64 = 1;
    /// A number in the add-on's measure.
    pub const INTEGER: i64 = 2;
    /// One item of an enumeration.
    pub const ENUM: i64 = 3;
}

/// An add-on of a tariff: a child tariff of a child item type.
#[derive(Clone, Debug)]
pub struct Addon {
    /// Internal name. The item type is the one of that name (`disk disc`) or with that word in its name (`disc`);
    /// in the second case, and for an unknown name, the tariff's own internal name is set as well.
    pub intname: String,
    /// Internal name of the measure (`mib`, `gib`, `mbit/s`, …).
    pub measure: Option<String>,
    /// One of [`billtype`].
    pub billtype: i64,
    /// One of [`addontype`].
    pub addontype: i64,
    /// Amount included in the tariff.
    pub limit: Option<i64>,
    /// Most a client may order.
    pub max: Option<i64>,
    /// Most he gets during a trial.
    pub max_trial: Option<i64>,
    /// Default of a switch.
    pub switch: Option<bool>,
    /// Choices of an enumeration; the first is the default.
    pub choices: Vec<String>,
    /// Internal name of the compound add-on of the same tariff that this one belongs to.
    pub compound: Option<String>,
    /// Switched on in the tariff.
    pub active: bool,
}

impl Addon {
    fn blank(intname: &str, addontype: i64) -> Self {
        Self {
            intname: intname.into(),
            measure: None,
            billtype: billtype::ORDERED,
            addontype,
            limit: None,
            max: None,
            max_trial: None,
            switch: None,
            choices: Vec::new(),
            compound: None,
            active: true,
        }
    }

    /// An amount in a measure (an empty measure means pieces), `included` of it in the tariff.
    pub fn amount(intname: &str, measure: &str, included: i64) -> Self {
        Self {
            measure: (!measure.is_empty()).then(|| measure.into()),
            limit: Some(included),
            ..Self::blank(intname, addontype::INTEGER)
        }
    }

    /// Something counted by statistics, e.g. `in out`, with an included amount.
    pub fn statistic(intname: &str, measure: &str, included: i64) -> Self {
        Self { billtype: billtype::STAT, ..Self::amount(intname, measure, included) }
    }

    /// An `on`/`off` add-on.
    pub fn switch(intname: &str, default: bool) -> Self {
        Self { switch: Some(default), ..Self::blank(intname, addontype::BOOL) }
    }

    /// A choice; the first entry is the default.
    pub fn choice(intname: &str, choices: &[&str]) -> Self {
        Self { choices: choices.iter().map(ToString::to_string).collect(), ..Self::blank(intname, addontype::ENUM) }
    }

    /// The same add-on with a maximum.
    #[must_use]
    pub fn max(mut self, max: i64) -> Self {
        self.max = Some(max);
        self
    }
}

/// A tariff of item type `vds` with its add-ons.
#[derive(Clone, Debug, Default)]
pub struct Tariff {
    /// Name shown to the client.
    pub name: String,
    /// Internal name: empty, or the name of a preset of VMmanager.
    pub intname: String,
    /// Rows of `pricelistparam`.
    pub params: Vec<(String, String)>,
    /// Its add-ons.
    pub addons: Vec<Addon>,
    /// Ids of the handlers that may open its services.
    pub handlers: Vec<u64>,
}

impl Tariff {
    /// A tariff without internal name, add-ons and handlers.
    pub fn new(name: &str) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// The usual tariff: so many cores, MiB of memory, MiB of disk, and one IPv4 address included.
    pub fn sized(name: &str, ncpu: i64, mem_mib: i64, disk_mib: i64) -> Self {
        Self::new(name)
            .addon(Addon::amount("ncpu", "", ncpu))
            .addon(Addon::amount("mem", "mib", mem_mib))
            .addon(Addon::amount("disk disc", "mib", disk_mib))
            .addon(Addon::amount("ip", "", 1))
    }

    /// The same tariff with the internal name of a preset.
    #[must_use]
    pub fn preset(mut self, intname: &str) -> Self {
        self.intname = intname.into();
        self
    }

    /// The same tariff with one more `pricelistparam`.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.push((name.into(), value.into()));
        self
    }

    /// The same tariff with one more add-on.
    #[must_use]
    pub fn addon(mut self, addon: Addon) -> Self {
        self.addons.push(addon);
        self
    }

    /// The same tariff, sold through one more handler.
    #[must_use]
    pub fn handler(mut self, handler: u64) -> Self {
        self.handlers.push(handler);
        self
    }
}

/// A paid order of a service.
#[derive(Clone, Debug)]
pub struct Order {
    /// Account id of the client.
    pub client: u64,
    /// Tariff id.
    pub tariff: u64,
    /// Handler id.
    pub handler: u64,
    /// Months; -100 trial, -50 daily, 0 for ever [protocol 5.4].
    pub period: i64,
    /// Plain item parameters (`ostempl`, `recipe`, `domain`, …).
    pub params: Vec<(String, String)>,
    /// Item parameters stored encrypted (`password`, `ssh_key`, …), given in plain text.
    pub crypted: Vec<(String, String)>,
    /// Add-ons by internal name with the *whole* amount the service shall have (included part and ordered part
    /// together), `on`/`off`, or a choice.
    pub addons: Vec<(String, String)>,
    /// IPv4 addresses in all; each gets a free slot, and the tariff's `ip` add-on the value.
    pub ips: u32,
    /// IPv6 addresses in all, the same with the add-on `ipv6`.
    pub ips6: u32,
    /// Id of the service at the reseller who ordered it for a client of his own [protocol A10].
    pub remoteid: Option<String>,
}

impl Order {
    /// A monthly order with one IPv4 address, Debian 12 and nothing else.
    pub fn new(client: u64, tariff: u64, handler: u64) -> Self {
        Self {
            client,
            tariff,
            handler,
            period: 1,
            params: vec![("ostempl".into(), "ISPsystem__Debian 12".into())],
            crypted: Vec::new(),
            addons: Vec::new(),
            ips: 1,
            ips6: 0,
            remoteid: None,
        }
    }

    /// The same order with a plain parameter set.
    #[must_use]
    pub fn param(mut self, name: &str, value: &str) -> Self {
        self.params.retain(|(known, _)| known != name);
        self.params.push((name.into(), value.into()));
        self
    }

    /// The same order with an encrypted parameter.
    #[must_use]
    pub fn secret(mut self, name: &str, value: &str) -> Self {
        self.crypted.push((name.into(), value.into()));
        self
    }

    /// The same order with an add-on.
    #[must_use]
    pub fn addon(mut self, intname: &str, value: &str) -> Self {
        self.addons.push((intname.into(), value.into()));
        self
    }

    /// The same order with so many IPv4 addresses in all.
    #[must_use]
    pub fn ips(mut self, ips: u32) -> Self {
        self.ips = ips;
        self
    }

    /// The same order, resold under this id.
    #[must_use]
    pub fn resold(mut self, remoteid: &str) -> Self {
        self.remoteid = Some(remoteid.into());
        self
    }

    /// The same order with so many IPv6 addresses in all.
    #[must_use]
    pub fn ips6(mut self, ips6: u32) -> Self {
        self.ips6 = ips6;
        self
    }
}
