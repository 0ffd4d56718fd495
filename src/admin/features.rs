//! `pmvmmanager6 features`: what `--command features` declares, for people.
//!
//! `--json` prints `{"module": "pmvmmanager6", "version": "0.1.0", "commit": "5599d61", "target": "x86_64-…",
//! "itemtypes": ["vds"], "commands": ["check_connection", …], "features": ["datacenter", …],
//! "settings": [{"name": "url", "default": "", "crypted": false, "custom": false}]}`. A `custom` setting is in the
//! handler's table *Parameters*, the others in its form.

use std::io::Write;

use serde::Serialize;

use super::output::{write, write_json};
use super::table::table;
use crate::command::{TABLE, features};
use crate::config::{MODULE, built};
use crate::error::Result;
use crate::settings::{self, Place, SETTINGS};

#[derive(Serialize)]
struct Document {
    module: &'static str,
    version: &'static str,
    commit: &'static str,
    target: &'static str,
    itemtypes: [&'static str; 1],
    commands: Vec<&'static str>,
    features: [&'static str; 2],
    settings: Vec<Setting>,
}

#[derive(Serialize)]
struct Setting {
    name: &'static str,
    default: &'static str,
    crypted: bool,
    custom: bool,
}

/// What can be asked for.
#[derive(Debug, clap::Args)]
#[command(after_long_help = HELP)]
pub struct Options {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const HELP: &str = "\
--json prints one object:
  {\"module\": \"…\", \"version\": \"…\", \"commit\": \"…\", \"target\": \"…\", \"itemtypes\": [\"vds\"],
   \"commands\": [\"open\", …], \"features\": [\"datacenter\", …],
   \"settings\": [{\"name\": \"url\", \"default\": \"\", \"crypted\": false, \"custom\": false}]}
custom: is in the handler's table Parameters, not in its form.";

pub(crate) fn run(options: &Options, out: &mut dyn Write) -> Result<()> {
    let document = Document {
        module: MODULE,
        version: built::VERSION,
        commit: built::COMMIT,
        target: built::TARGET,
        itemtypes: [features::ITEM_TYPE],
        commands: TABLE.iter().filter(|command| command.feature).map(|command| command.name).collect(),
        features: features::WORDS,
        settings: settings(),
    };
    if options.json { write_json(out, &document) } else { write(out, &document.text()) }
}

fn settings() -> Vec<Setting> {
    let shown = |setting: &settings::Setting| Setting {
        name: setting.name,
        default: setting.default,
        crypted: setting.crypted,
        custom: setting.place == Place::Custom,
    };
    SETTINGS.iter().map(shown).collect()
}

impl Document {
    fn text(&self) -> String {
        let about = [
            ["module".to_owned(), format!("{MODULE} {}", built::FULL)],
            ["product types".to_owned(), self.itemtypes.join(", ")],
            ["features".to_owned(), self.features.join(", ")],
        ];
        let settings: Vec<_> = self.settings.iter().map(Setting::row).collect();
        let commands: Vec<_> = self.commands.iter().map(|command| [(*command).to_owned()]).collect();
        [
            table(["PROGRAM", ""], &about),
            table(["SETTING", "DEFAULT", "WHERE"], &settings),
            table(["COMMAND"], &commands),
        ]
        .join("\n")
    }
}

impl Setting {
    fn row(&self) -> [String; 3] {
        let default = if self.default.is_empty() { "-" } else { self.default };
        let place = match (self.custom, self.crypted) {
            (true, _) => "table \"Parameters\"",
            (false, true) => "form, stored encrypted",
            (false, false) => "form",
        };
        [self.name.to_owned(), default.to_owned(), place.to_owned()]
    }
}
