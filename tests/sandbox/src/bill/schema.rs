//! The tables of a BILLmanager database that a processing module reads [protocol 5.10], described once and created
//! on SQLite and on MariaDB.
//!
//! Three columns and one table are ours: `task.params`, `item.service_status` and `problem` keep what a panel call
//! said, so that a test can read it back. Nothing else is added: a query that works here names real columns only.

use anyhow::Result;

use super::store::Store;

/// What a column holds.
#[derive(Clone, Copy)]
enum Kind {
    /// The automatic primary key.
    Id,
    /// A number or the id of another row.
    Int,
    /// A short text, also the flags `on` and `off`.
    Text,
    /// A text of any length.
    Long,
    /// `YYYY-MM-DD`.
    Date,
    /// An amount of money.
    Money,
}

impl Kind {
    fn sqlite(self) -> &'static str {
        match self {
            Self::Id => "INTEGER PRIMARY KEY AUTOINCREMENT",
            Self::Int => "INTEGER",
            Self::Text | Self::Long | Self::Date | Self::Money => "TEXT",
        }
    }

    fn mariadb(self) -> &'static str {
        match self {
            Self::Id => "INT NOT NULL AUTO_INCREMENT PRIMARY KEY",
            Self::Int => "INT NULL",
            Self::Text => "VARCHAR(255) NULL",
            Self::Long => "LONGTEXT NULL",
            Self::Date => "DATE NULL",
            Self::Money => "DECIMAL(18,4) NULL",
        }
    }
}

struct Table {
    name: &'static str,
    columns: &'static [(&'static str, Kind)],
    /// Columns that are unique together; empty for none.
    unique: &'static [&'static str],
    /// Columns with an index of their own.
    indexed: &'static [&'static str],
}

use Kind::{Date, Id, Int, Long, Money, Text};

const ITEM: Table = Table {
    name: "item",
    columns: &[
        ("id", Id),
        ("account", Int),
        ("parent", Int),
        ("pricelist", Int),
        ("lastpricelist", Int),
        ("processingmodule", Int),
        ("remoteid", Text),
        ("name", Text),
        ("period", Int),
        ("status", Int),
        ("service_status", Int),
        ("cost", Money),
        ("createdate", Date),
        ("opendate", Date),
        ("expiredate", Date),
        ("autosuspend", Text),
        ("employeesuspend", Text),
        ("abusesuspend", Text),
        ("scheduledclose", Text),
        ("boolvalue", Text),
        ("intvalue", Int),
        ("addonlimit", Int),
        ("addonmax", Int),
        ("addonmaxtrial", Int),
        ("enumerationitem", Int),
    ],
    unique: &[],
    indexed: &["parent", "account", "processingmodule"],
};

const PRICELIST: Table = Table {
    name: "pricelist",
    columns: &[
        ("id", Id),
        ("orderpriority", Int),
        ("name", Text),
        ("project", Int),
        ("itemtype", Int),
        ("billtype", Int),
        ("active", Text),
        ("intname", Text),
        ("addontype", Int),
        ("measure", Int),
        ("parent", Int),
        ("addonlimit", Int),
        ("addonlimittrial", Int),
        ("addonstep", Int),
        ("addonmax", Int),
        ("addonmaxtrial", Int),
        ("addonmin", Int),
        ("enumeration", Int),
        ("enumerationitem", Int),
        ("addonbool", Text),
        ("compound", Int),
        ("manualprocessing", Text),
        ("processing_feature", Text),
        ("changepolicy", Int),
        ("remoteid", Text),
        ("archived", Text),
    ],
    unique: &[],
    indexed: &["parent"],
};

const ITEMTYPE: Table = Table {
    name: "itemtype",
    columns: &[
        ("id", Id),
        ("orderpriority", Int),
        ("name", Text),
        ("intname", Text),
        ("embedded", Text),
        ("parent", Int),
        ("statparam", Text),
        ("open_duration_limit", Int),
        ("closetype", Int),
        ("closesubtype", Int),
        ("need_processing", Text),
    ],
    unique: &[],
    indexed: &["intname"],
};

const ITEMTYPEPARAM: Table = Table {
    name: "itemtypeparam",
    columns: &[
        ("id", Id),
        ("orderpriority", Int),
        ("intname", Text),
        ("embedded", Text),
        ("itemtype", Int),
        ("ordervisible", Text),
        ("openvisible", Text),
        ("editvisible", Text),
        ("editwritelevel", Int),
        ("editreadlevel", Int),
        ("inputtype", Int),
        ("validator", Text),
        ("name", Text),
        ("check_range", Text),
        ("default_value", Text),
        ("required", Text),
        ("zoom", Text),
        ("needmodulecheck", Text),
        ("needsetparam", Text),
        ("crypted", Text),
        ("tune_pricelists", Text),
        ("selecttype", Int),
    ],
    unique: &["itemtype", "intname"],
    indexed: &[],
};

const ITEMTYPERULE: Table = Table {
    name: "itemtyperule",
    columns: &[
        ("id", Id),
        ("itemtype", Int),
        ("billtype", Int),
        ("addontype", Int),
        ("measure", Int),
        ("enumeration", Int),
        ("enumerationitem", Int),
        ("intname", Text),
        ("needmodulecheck", Text),
        ("addonlimit", Int),
        ("addonstep", Int),
        ("addonmax", Int),
        ("create_default", Text),
        ("addonbool", Text),
    ],
    unique: &[],
    indexed: &["itemtype"],
};

const PROCESSINGMODULE: Table = Table {
    name: "processingmodule",
    columns: &[
        ("id", Id),
        ("orderpriority", Int),
        ("name", Text),
        ("module", Text),
        ("ipmgr", Int),
        ("laststatdate", Date),
        ("config", Long),
        ("datacenter", Int),
        ("department", Int),
        ("licserver", Int),
        ("licserverprovider", Int),
        ("active", Text),
        ("ippool", Int),
        ("failed", Text),
    ],
    unique: &[],
    indexed: &["module"],
};

const PROJECT: Table = Table {
    name: "project",
    columns: &[
        ("id", Id),
        ("name", Text),
        ("account", Int),
        ("site", Text),
        ("billurl", Text),
        ("clienthelp", Text),
        ("notifyemail", Text),
        ("supportemail", Text),
        ("supportphone", Text),
        ("theme", Text),
        ("active", Text),
    ],
    unique: &[],
    indexed: &[],
};

/// A table whose shape needs no more than a line.
macro_rules! table {
    ($name:literal, [$($column:literal: $kind:ident),*], unique [$($unique:literal),*], index [$($index:literal),*]) => {
        Table { name: $name, columns: &[$(($column, $kind)),*], unique: &[$($unique),*], indexed: &[$($index),*] }
    };
}

const TABLES: &[Table] = &[
    ITEM,
    PRICELIST,
    ITEMTYPE,
    ITEMTYPEPARAM,
    ITEMTYPERULE,
    PROCESSINGMODULE,
    PROJECT,
    table!("itemparam", ["id": Id, "item": Int, "intname": Text, "value": Long], unique ["item", "intname"], index []),
    table!("itemcryptedparam", ["id": Id, "item": Int, "intname": Text, "value": Long], unique ["item", "intname"], index []),
    table!("itemstat", ["id": Id, "item": Int, "statdate": Date, "param": Text, "value": Money, "measure": Int],
        unique ["item", "statdate", "param"], index []),
    table!("account", ["id": Id, "name": Text], unique [], index []),
    table!("user", ["id": Id, "account": Int, "name": Text, "email": Text, "realname": Text, "phone": Text, "language": Text],
        unique [], index ["account"]),
    table!("pricelistparam", ["id": Id, "intname": Text, "pricelist": Int, "value": Long], unique ["pricelist", "intname"], index []),
    table!("itemtypeparamvalue", ["id": Id, "orderpriority": Int, "name": Text, "intname": Text, "itemtypeparam": Int,
        "info": Text, "disablepricelists": Text, "tags": Text, "valuegroup": Int, "name_ru": Text],
        unique ["itemtypeparam", "intname"], index []),
    table!("processingparam", ["id": Id, "intname": Text, "processingmodule": Int, "value": Long],
        unique ["processingmodule", "intname"], index []),
    table!("processingcryptedparam", ["id": Id, "intname": Text, "processingmodule": Int, "value": Long],
        unique ["processingmodule", "intname"], index []),
    table!("processingmodule2pricelist", ["processingmodule": Int, "pricelist": Int, "orderpriority": Int],
        unique ["processingmodule", "pricelist"], index ["pricelist"]),
    table!("processingmodule2itemtypeparamvalue", ["processingmodule": Int, "itemtypeparamvalue": Int],
        unique ["processingmodule", "itemtypeparamvalue"], index []),
    table!("datacenter", ["id": Id, "orderpriority": Int, "name": Text, "external_id": Text, "name_ru": Text], unique [], index []),
    table!("department", ["id": Id, "name": Text], unique [], index []),
    table!("enumeration", ["id": Id, "intname": Text, "name": Text], unique [], index []),
    table!("enumerationitem", ["id": Id, "intname": Text, "enumeration": Int, "name": Text], unique [], index []),
    table!("measure", ["id": Id, "intname": Text, "relation": Int, "lessmeasure": Int], unique ["intname"], index []),
    table!("ip", ["id": Id, "name": Text, "item": Int, "status": Int], unique [], index ["item"]),
    table!("locale", ["id": Id, "langcode": Text], unique ["langcode"], index []),
    table!("runningoperation", ["id": Id, "intname": Text, "item": Int, "trycount": Int, "manual": Text, "errorxml": Long],
        unique [], index ["item"]),
    table!("task", ["id": Id, "type": Int, "item": Int, "runningoperation": Int, "status": Int, "params": Long],
        unique [], index ["runningoperation"]),
    table!("problem", ["id": Id, "name": Text, "object": Text, "level": Text, "params": Long], unique [], index []),
];

/// The columns of `item`.
pub(super) fn item_columns() -> impl Iterator<Item = &'static str> {
    ITEM.columns.iter().map(|(name, _)| *name)
}

/// Creates every table in an empty database.
pub(super) fn create(store: &mut Store) -> Result<()> {
    for table in TABLES {
        let statement = table.create(store.is_sqlite());
        store.command(&statement)?;
        for column in table.indexed {
            let name = table.name;
            store.command(&format!("CREATE INDEX {name}_{column} ON {name} ({column})"))?;
        }
    }
    Ok(())
}

impl Table {
    fn create(&self, sqlite: bool) -> String {
        let mut parts: Vec<String> = self
            .columns
            .iter()
            .map(|(name, kind)| format!("{name} {}", if sqlite { kind.sqlite() } else { kind.mariadb() }))
            .collect();
        if !self.unique.is_empty() {
            parts.push(format!("UNIQUE ({})", self.unique.join(", ")));
        }
        let tail = if sqlite { "" } else { " ENGINE=InnoDB DEFAULT CHARSET=utf8" };
        format!("CREATE TABLE {} ({}){tail}", self.name, parts.join(", "))
    }
}
