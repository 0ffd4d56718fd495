//! The command line of the demo.

use std::path::PathBuf;

use anyhow::{Context as _, Result, bail};
use clap::Parser;
use sandbox::bill::MODULE;

const EXAMPLES: &str = "\
Examples:
  demo
  demo --platforms 1
  demo --mariadb --tls target/release/pmvmmanager6

The exit status is 0 if both sides agree with every order in the end, and 1 if not.";

/// A day of a hosting provider in a few seconds.
///
/// Starts two simulated VMmanagers 6 and a stand-in BILLmanager on loopback, connects them, orders services for two clients
/// and runs the real module for every operation. Then it compares both sides with what was ordered.
#[derive(Debug, Parser)]
#[command(version, after_help = EXAMPLES)]
pub(crate) struct Args {
    /// Use a real MariaDB instead of SQLite
    #[arg(long)]
    pub(crate) mariadb: bool,

    /// VMmanager speaks HTTPS and is trusted by its fingerprint
    #[arg(long)]
    pub(crate) tls: bool,

    /// How many VMmanagers to run behind BILLmanager; with 2, each client has services on both
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=2))]
    pub(crate) platforms: u8,

    /// The module's executable; `pmvmmanager6` beside this program if not given
    module: Option<PathBuf>,
}

impl Args {
    /// The executable to run, which exists.
    pub(crate) fn module(&self) -> Result<PathBuf> {
        let module = match &self.module {
            Some(module) => module.clone(),
            None => beside_this_program()?,
        };
        if !module.is_file() {
            bail!("there is no {}; build it with `cargo build` or name another one: demo MODULE", module.display());
        }
        Ok(module)
    }
}

fn beside_this_program() -> Result<PathBuf> {
    let program = std::env::current_exe().context("cannot find this program")?;
    Ok(program.parent().context("this program has no directory")?.join(MODULE))
}
