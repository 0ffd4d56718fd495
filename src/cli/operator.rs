//! The operator's commands: which there are, and who runs them. Each describes its own arguments.

use std::io::Write;

use crate::admin::{
    Verdict, account, admit, audit, capacity, check_connection, doctor, features, link, metrics, plan, platform, queue,
    reinstall, session, show, verify,
};
use crate::config::Config;
use crate::error::Result;

/// Operator sub-commands.
#[derive(Debug, clap::Subcommand)]
pub enum Operator {
    /// Look for what is wrong with the installation and the handlers; changes nothing
    Doctor(doctor::Options),
    /// Try the stored settings of a handler out: address, certificate, login, role, version, rights, cluster
    CheckConnection(check_connection::Options),
    /// Show how many more VMs of each tariff fit, and what there is least of
    Capacity(capacity::Options),
    /// Show what the module can do, and its settings
    Features(features::Options),
    /// Show the operations that run and wait, pause and resume queues
    Queue(queue::Options),
    /// Show and drop cached sessions of VMmanager
    Session(session::Options),
    /// Find where BILLmanager's services and VMmanager's VMs have drifted apart; changes nothing without --yes
    Audit(audit::Options),
    /// Link a service to a VM that another module made; shows both sides and changes nothing without --yes
    Link(link::Options),
    /// Show each VMmanager that was met and where the handlers lead; confirms one or joins two only with --yes
    Platform(platform::Options),
    /// Show which client each VMmanager account belongs to; confirms one only with --yes
    Account(account::Options),
    /// Show what an operation on a service would send to VMmanager and BILLmanager, and why; sends nothing
    Plan(plan::Options),
    /// Install the OS of a service's VM again: everything on its disk is lost
    Reinstall(reinstall::Options),
    /// Show everything that is known of a service: BILLmanager, journal, VMmanager, queue, log
    Show(show::Options),
    /// Print metrics for Prometheus: operations, requests, logins, retries, queue, journal
    Metrics(metrics::Options),
    /// Compare what the module assumes of VMmanager with what this one shows; only reads
    Verify(verify::Options),
}

impl Operator {
    /// Whether the caller may run it here: what the program says of itself needs no installation.
    pub fn admit(&self, config: &Config) -> Result<()> {
        if matches!(self, Operator::Features(_)) { Ok(()) } else { admit(config) }
    }

    /// Runs it. Commands that look for something say what they think of it, the others are done or fail.
    pub fn run(&self, config: &Config, out: &mut dyn Write) -> Result<Verdict> {
        let runtime = config.runtime_dir();
        let fine = |()| Verdict::Fine;
        match self {
            Operator::Audit(options) => audit::run(config, options, out),
            Operator::Doctor(options) => doctor::run(config, options, out),
            Operator::CheckConnection(options) => check_connection::run(config, options, out),
            Operator::Capacity(options) => capacity::run(config, options, out),
            Operator::Features(options) => features::run(options, out).map(fine),
            Operator::Metrics(options) => metrics::run(config, options, out),
            Operator::Show(options) => show::run(config, options, out),
            Operator::Queue(options) => queue::run(&runtime, options, out).map(fine),
            Operator::Session(options) => session::run(&runtime, options, out).map(fine),
            Operator::Link(options) => link::run(config, options, out).map(fine),
            Operator::Platform(options) => platform::run(config, options, out),
            Operator::Account(options) => account::run(config, options, out).map(fine),
            Operator::Plan(options) => plan::run(config, options, out),
            Operator::Reinstall(options) => reinstall::run(config, options, out).map(fine),
            Operator::Verify(options) => verify::run(config, options, out),
        }
    }
}
