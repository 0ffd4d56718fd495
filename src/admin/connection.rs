//! The settings of a handler, as they are stored, tried out step by step: what `--command check_connection` checks,
//! each step shown.

use super::finding::Finding;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::panel::Handler;
use crate::service::handler::check_connection::{Passed, Step};
use crate::service::platform::connection;
use crate::service::platform::password::Password;
use crate::settings::HandlerSettings;
use crate::vmm::{Client, Trust};

/// How far a attempt came.
pub(super) struct Attempt {
    /// What was seen, in the order of the steps.
    pub findings: Vec<Finding>,
    /// A client, when the settings are complete; it may not have been let in.
    pub vmm: Option<Client>,
    passed: Vec<Step>,
}

impl Attempt {
    /// Whether a step was taken with success.
    pub(super) fn has_passed(&self, step: Step) -> bool {
        self.passed.contains(&step)
    }

    /// Takes every step that an earlier failure does not make pointless. Logs in again: a kept session proves nothing.
    pub(super) fn of(config: &Config, handler: &Handler, settings: &HandlerSettings) -> Self {
        let mut attempt = Attempt { findings: Vec::new(), vmm: None, passed: Vec::new() };
        attempt.findings.push(match connection::refuse_external(handler) {
            Ok(()) => Finding::ok("data center", "is BILLmanager's own"),
            Err(error) => Finding::failed("data center", &error, "move the handler to such a data center"),
        });
        let left = ["address", "TLS"].into_iter().chain(Step::ALL.map(Step::name));
        let Ok(vmm) = connection::connect(config, settings, &Password::Stored(handler)) else {
            let failed = |error| Finding::failed("settings", &error, "correct it in the handler's form");
            attempt.findings.extend(connection::faults(settings, handler).into_iter().map(failed));
            attempt.findings.extend(left.map(|check| Finding::skipped(check, "settings")));
            return attempt;
        };
        attempt.findings.push(Finding::ok("settings", "address, user name, password and TLS check are filled in"));
        if let Err(error) = vmm.may_log_in() {
            attempt.findings.push(Finding::failed("password", &error, "enter it again in the handler's form"));
            attempt.findings.extend(left.map(|check| Finding::skipped(check, "password")));
            return attempt;
        }
        for step in Step::ALL {
            attempt.take(step, &vmm, settings);
        }
        attempt.vmm = Some(vmm);
        attempt
    }

    fn take(&mut self, step: Step, vmm: &Client, settings: &HandlerSettings) {
        if let Some(needed) = step.needs().filter(|needed| !self.passed.contains(needed)) {
            self.findings.push(Finding::skipped(step.name(), needed.name()));
            return;
        }
        let taken = step.take(vmm, settings);
        if step == Step::Login {
            self.findings.extend(way(vmm, taken.as_ref().err()));
        }
        match taken {
            // A form may leave it open for its next page; a handler that sells cannot.
            Ok(Passed::NotAsked(text)) if step == Step::Cluster => {
                self.findings.push(Finding::error(step.name(), text, cure(step)));
            }
            Ok(passed) => {
                self.passed.push(step);
                self.findings.push(match passed {
                    Passed::Fine(text) | Passed::NotAsked(text) => Finding::ok(step.name(), text),
                    Passed::Unclear(text) => Finding::note(step.name(), text),
                });
            }
            Err(error) if step == Step::Login && is_on_the_way(&error) => {
                let because = if error.kind == Kind::Vm6Tls { "TLS" } else { "address" };
                self.findings.push(Finding::skipped(step.name(), because));
            }
            Err(error) => self.findings.push(Finding::failed(step.name(), &error, cure(step))),
        }
    }
}

/// The login was not refused: it never got there.
fn is_on_the_way(error: &Error) -> bool {
    !matches!(error.kind, Kind::Vm6Auth | Kind::Vm6Version)
}

/// What a login shows of the way to VMmanager: its address and its certificate.
fn way(vmm: &Client, error: Option<&Error>) -> [Finding; 2] {
    let reached = Finding::ok("address", format!("VMmanager answers at {}", vmm.base()));
    match error.filter(|error| is_on_the_way(error)) {
        None => [reached, trusted(vmm)],
        Some(error) if error.kind == Kind::Vm6Tls => {
            let answers = Finding::ok("address", format!("a server answers at {}", vmm.base()));
            [answers, Finding::failed("TLS", error, "correct the TLS check in the handler's form")]
        }
        Some(error) => {
            let cure = "check the address, the network and that VMmanager runs";
            [Finding::failed("address", error, cure), Finding::skipped("TLS", "address")]
        }
    }
}

fn trusted(vmm: &Client) -> Finding {
    const CHECK: &str = "TLS";
    match (vmm.certificate(), vmm.trust()) {
        (None, _) => Finding::ok(CHECK, "none: plain http, which is accepted for loopback only"),
        (Some(_), Trust::System) => Finding::ok(CHECK, "the certificate is signed by a trusted authority"),
        (Some(_), Trust::Pinned(_)) => Finding::ok(CHECK, "the certificate is the pinned one"),
        (Some(seen), Trust::Off) => {
            let what =
                format!("nothing is checked: anybody on the way may read the password; SHA-256 {}", seen.fingerprint);
            let cure =
                "set \"TLS check\" to \"pinned\" with this fingerprint, after comparing it on the VMmanager server";
            Finding::warning(CHECK, what, cure)
        }
    }
}

fn cure(step: Step) -> &'static str {
    match step {
        Step::Login => "check user name and password in the handler's form",
        Step::Role | Step::Rights => "enter an administrator of VMmanager in the handler's form, best the first user",
        Step::Version => "update VMmanager",
        Step::Cluster => "choose a cluster in the handler's form",
        Step::Interfaces => "look at the IP pools of the cluster in VMmanager",
    }
}
