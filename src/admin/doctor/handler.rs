//! A handler: its settings, its VMmanager, and what clients can order through it.

use jiff::{SignedDuration, Timestamp};

use super::{addons, capacity as room, keys, offered};
use crate::admin::connection::Attempt;
use crate::admin::finding::{Finding, Section};
use crate::config::Config;
use crate::error::Result;
use crate::id::{ClusterId, HandlerId};
use crate::panel::{Listed, Panel};
use crate::service::handler::check_connection::Step;
use crate::service::platform::capacity;
use crate::settings::{HandlerSettings, Place, SETTINGS};
use crate::vmm::{Client, Pool, Trust};

const DAY: i64 = 24 * 60 * 60;
/// Time to renew a certificate in peace.
const SOON_DAYS: i64 = 21;
/// Below this many addresses the next clients may find none.
const FEW_ADDRESSES: u64 = 10;
/// Clocks further apart make logs and tasks of both sides hard to match, and certificates fail early.
const MAX_CLOCK: SignedDuration = SignedDuration::from_secs(60);
/// Checks that need the cluster.
const OF_CLUSTER: [&str; 3] = [offered::CHECK, "addresses", room::CHECK];
/// Checks that need a login.
const OF_LOGIN: [&str; 2] = ["licence", "clock"];

/// Everything about a handler; one that is switched off is examined only when it was `asked` for.
pub(super) fn section(config: &Config, panel: &Panel, listed: &Listed, asked: bool) -> Section {
    let about = format!("handler {} {}", listed.id, listed.name);
    let findings = if listed.active || asked {
        examine(config, panel, listed)
    } else {
        let text = format!("the handler is switched off; \"doctor --module {}\" examines it", listed.id);
        vec![Finding::note("active", text)]
    };
    Section { about, handler: Some(listed.id), findings }
}

fn examine(config: &Config, panel: &Panel, listed: &Listed) -> Vec<Finding> {
    let handler = match panel.handler(listed.id) {
        Ok(handler) => handler,
        Err(error) => {
            let read = Finding::failed("settings", &error, "open the handler's form in BILLmanager and save it again");
            return vec![read, Finding::skipped("everything else", "settings")];
        }
    };
    let settings = HandlerSettings::read(&handler.params);
    let attempt = Attempt::of(config, &handler, &settings);
    let further = match &attempt.vmm {
        Some(vmm) => further(config, panel, vmm, (handler.id, &settings), &attempt),
        None => ["certificate"].into_iter().chain(OF_LOGIN).chain(OF_CLUSTER).map(skipped_by("settings")).collect(),
    };
    let address = attempt.vmm.as_ref().map(Client::base);
    let addons = addons::examine(config, panel, handler.id, address.as_deref());
    attempt.findings.into_iter().chain(further).chain(addons).chain(parameters(&settings)).collect()
}

/// What is looked at beyond the attempt of the settings.
fn further(
    config: &Config,
    panel: &Panel,
    vmm: &Client,
    handler: (HandlerId, &HandlerSettings),
    attempt: &Attempt,
) -> Vec<Finding> {
    let is_in = attempt.has_passed(Step::Login);
    let of_login = if is_in { vec![licence(vmm), clock(vmm)] } else { OF_LOGIN.map(skipped_by("login")).to_vec() };
    let of_cluster = if attempt.has_passed(Step::Cluster) {
        of_cluster(panel, vmm, handler)
    } else {
        OF_CLUSTER.map(skipped_by("cluster")).to_vec()
    };
    let of_keys = keys::examine(config, panel, vmm, handler.0)
        .unwrap_or_else(|error| Some(Finding::failed(keys::CHECK, &error, "run \"pmvmmanager6 doctor\" again")));
    std::iter::once(certificate(vmm, is_in)).chain(of_login).chain(of_cluster).chain(of_keys).collect()
}

fn skipped_by(because: &'static str) -> impl Fn(&'static str) -> Finding {
    move |check| Finding::skipped(check, because)
}

/// When the certificate ends; what that means depends on how it is judged.
fn certificate(vmm: &Client, is_in: bool) -> Finding {
    const CHECK: &str = "certificate";
    let Some(seen) = vmm.certificate() else {
        return if is_in { Finding::ok(CHECK, "none over plain http") } else { Finding::skipped(CHECK, "address") };
    };
    let Some(expires) = seen.expires else { return Finding::note(CHECK, "its end cannot be read") };
    let left = expires.duration_since(Timestamp::now()).as_secs() / DAY;
    let date = expires.strftime("%Y-%m-%d");
    let when =
        if expires < Timestamp::now() { format!("ended on {date}") } else { format!("ends on {date}, in {left} days") };
    let text = format!("{when}, SHA-256 {}", seen.fingerprint);
    match vmm.trust() {
        Trust::Off => Finding::note(CHECK, format!("not checked; {text}")),
        Trust::Pinned(_) => {
            Finding::ok(CHECK, format!("pinned, so its end does not matter until it is replaced; {text}"))
        }
        Trust::System if expires < Timestamp::now() => Finding::error(CHECK, text, "renew VMmanager's certificate"),
        Trust::System if left < SOON_DAYS => Finding::warning(CHECK, text, "renew VMmanager's certificate"),
        Trust::System => Finding::ok(CHECK, text),
    }
}

fn licence(vmm: &Client) -> Finding {
    const CHECK: &str = "licence";
    match vmm.licence_valid() {
        Ok(Some(true)) => Finding::ok(CHECK, "is valid"),
        Ok(Some(false)) => Finding::error(CHECK, "VMmanager's licence is not valid", "renew the licence of VMmanager"),
        Ok(None) => Finding::note(CHECK, "VMmanager does not report whether it is valid"),
        Err(error) => Finding::note(CHECK, format!("VMmanager does not report whether it is valid: {error}")),
    }
}

fn clock(vmm: &Client) -> Finding {
    const CHECK: &str = "clock";
    let Some(ahead) = vmm.clock_ahead() else { return Finding::note(CHECK, "VMmanager does not report the time") };
    if ahead.abs() <= MAX_CLOCK {
        return Finding::ok(CHECK, "VMmanager's and ours agree");
    }
    let way = if ahead.is_negative() { "behind" } else { "ahead of" };
    let text = format!("VMmanager's clock is {} s {way} ours", ahead.abs().as_secs());
    Finding::warning(CHECK, text, "set both clocks by NTP, for example with chrony")
}

fn of_cluster(panel: &Panel, vmm: &Client, (handler, settings): (HandlerId, &HandlerSettings)) -> Vec<Finding> {
    let Ok(Some(cluster)) = settings.cluster else {
        return OF_CLUSTER.map(skipped_by("cluster")).to_vec();
    };
    let unread = |check| move |error| Finding::failed(check, &error, "run \"pmvmmanager6 doctor\" again");
    let templates = offered::examine(panel, vmm, handler, cluster);
    let mut findings = templates.unwrap_or_else(|error| vec![unread(offered::CHECK)(error)]);
    findings.push(addresses(vmm, cluster).unwrap_or_else(unread("addresses")));
    let counted = room::examine(panel, vmm, handler, settings);
    findings.extend(counted.unwrap_or_else(|error| vec![unread(room::CHECK)(error)]));
    findings
}

/// IPv4 addresses left in the pools of the cluster.
fn addresses(vmm: &Client, cluster: ClusterId) -> Result<Finding> {
    const CHECK: &str = "addresses";
    let pools = capacity::pools(vmm, cluster, &[])?;
    if pools.is_empty() {
        let cure = "attach an IP pool to the cluster in VMmanager";
        return Ok(Finding::error(CHECK, format!("cluster {cluster} has no IP pool"), cure));
    }
    let each = |pool: &Pool| match pool.free_ipv4() {
        Some(free) => format!("{} {free} free", pool.name),
        None => format!("{} does not report it", pool.name),
    };
    let text = format!("IPv4: {}", pools.iter().map(each).collect::<Vec<_>>().join(", "));
    let cure = "add addresses to the IP pools of the cluster in VMmanager";
    Ok(match capacity::free_ipv4(&pools) {
        None => Finding::note(CHECK, text),
        Some(0) => Finding::error(CHECK, text, cure),
        Some(1..FEW_ADDRESSES) => Finding::warning(CHECK, text, cure),
        Some(_) => Finding::ok(CHECK, text),
    })
}

/// Settings that have their default because their value is impossible.
fn parameters(settings: &HandlerSettings) -> Vec<Finding> {
    const CHECK: &str = "parameters";
    if settings.warnings.is_empty() {
        let queue = if settings.queue_enabled {
            format!("queue \"{}\", {} at a time", settings.queue_key.as_str(), settings.queue_count)
        } else {
            "no queue".to_owned()
        };
        return vec![Finding::ok(
            CHECK,
            format!("sessions are kept for {} s, {queue}", settings.session_ttl.as_secs()),
        )];
    }
    let is_custom = |name: &str| SETTINGS.iter().any(|it| it.name == name && it.place == Place::Custom);
    let cure = |name: &str| {
        if is_custom(name) {
            "correct it in the handler's table \"Parameters\""
        } else {
            "correct it in the handler's form"
        }
    };
    settings.warnings.iter().map(|(name, text)| Finding::error(CHECK, text, cure(name))).collect()
}
