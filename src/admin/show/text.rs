//! The report as a page for people.

use super::redact::shown;
use crate::admin::queue::{HEADING, Row};
use crate::admin::table::{counted, moment, or_dash, table};
use crate::direction::PerDirection;
use crate::error::{Error, Result};
use crate::mask::MASK;
use crate::queue::Scope;
use crate::service::job::evidence::{Facts, OwnMark, Owner, Recorded};
use crate::service::order::Order;
use crate::service::report::{BillingPart, JournalPart, PlatformPart, QueuePart, Report};
use crate::text::{LONGEST, clean};
use crate::vmm::Host;

/// A fact and what is said of it.
type Fact = [String; 2];

/// The whole page.
pub(super) fn page(report: &Report) -> String {
    let parts = [
        part("BILLmanager: could not be read", &report.bill, bill),
        part("Journal: could not be read", &report.journal, journal),
        part("VMmanager: could not be asked", &report.platform, platform),
        part("Queue: could not be read", &report.queue, queue),
        part("Log: could not be read", &report.log, |lines| log(lines)),
        contradictions(report),
    ];
    format!("Service {}\n\n{}", report.item, parts.join("\n"))
}

fn part<T>(otherwise: &str, part: &Result<T>, show: impl FnOnce(&T) -> String) -> String {
    match part {
        Ok(part) => show(part),
        Err(error) => format!("{otherwise}: {error}\n"),
    }
}

fn fact(name: &str, text: impl Into<String>) -> Fact {
    [name.to_owned(), text.into()]
}

/// What is shown of each element, joined; a dash for none.
fn list(parts: impl IntoIterator<Item = String>, between: &str) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    if parts.is_empty() { "-".to_owned() } else { parts.join(between) }
}

/// `2 cores`; empty where the number is not known.
fn number(value: Option<u64>, what: &str) -> String {
    value.map(|value| format!("{value} {what}")).unwrap_or_default()
}

fn bill(bill: &BillingPart) -> String {
    let BillingPart { service, handler, .. } = bill;
    let url = handler.params.get("url").map_or("", String::as_str);
    let cluster = handler.params.get("cluster").map_or("", String::as_str);
    let mut facts = vec![
        fact("status", format!("{} ({})", service.status.name(), service.status.number())),
        fact("client", format!("{} {}, {}", service.client.id, service.client.name, service.client.email)),
        fact("tariff", tariff(bill)),
        fact("handler", format!("{} {}, {url}, cluster {cluster}", handler.id, handler.name)),
        fact("order", bill.order.as_ref().map_or_else(|error| format!("cannot be read: {error}"), order)),
    ];
    facts.extend(bill.slots.iter().map(|slot| {
        let family = if slot.v6 { "IPv6" } else { "IPv4" };
        let state = if slot.free { "free" } else { "in use" };
        let address = slot.address.as_deref().unwrap_or("-");
        fact("slot", format!("{} {family} {address}, {state}", slot.id))
    }));
    facts.extend(bill.operations.iter().map(|it| {
        let staff = if it.manual { ", with staff" } else { "" };
        let error = it.error.as_ref().map(|error| format!("; last error: {error}")).unwrap_or_default();
        fact("operation", format!("{} {}, tried {}{staff}{error}", it.id, it.command, counted(it.tries, "time")))
    }));
    let params = service.params.iter().map(|(name, value)| [name.clone(), shown(name, value).to_owned()]);
    let secrets = bill.secrets.keys().map(|name| fact(name, MASK));
    let addons = service.addons.iter().map(|(name, it)| [name.clone(), it.value.clone(), it.unit.clone()]);
    [
        table(["BILLmanager", ""], &facts),
        table(["Parameter", ""], &params.chain(secrets).collect::<Vec<_>>()),
        table(["Add-on", "", ""], &addons.collect::<Vec<_>>()),
    ]
    .join("\n")
}

fn tariff(bill: &BillingPart) -> String {
    let service = &bill.service;
    let name = Some(service.tariff_name.as_str()).filter(|name| !name.is_empty());
    let name = name.map(|name| format!(" ({name})")).unwrap_or_default();
    let params = service.tariff.iter().map(|(name, value)| format!(", {name}={}", shown(name, value)));
    let change = service.last_tariff.map(|last| format!("; a change from tariff {last} is in progress"));
    let change = change.unwrap_or_default();
    format!("{} {}{name}{}{change}", service.tariff_id, service.tariff_title, params.collect::<String>())
}

fn order(order: &Order) -> String {
    let sizes = &order.sizes;
    let text =
        |what: &str, value: &Option<String>| value.as_ref().map(|value| format!("{what} {value}")).unwrap_or_default();
    let parts = [
        number(sizes.cpu_number, "cores"),
        number(sizes.ram_mib, "MiB of memory"),
        number(sizes.hdd_mib, "MiB of disk"),
        number(sizes.net_in_mbitps, "Mbit/s in"),
        number(sizes.net_out_mbitps, "Mbit/s out"),
        number(order.ipv4, "IPv4"),
        order.ipv6.filter(|on| *on).map(|_| "IPv6".to_owned()).unwrap_or_default(),
        text("OS", &order.os),
        text("recipe", &order.recipe),
        text("domain", &order.domain),
        text("VM configuration", &order.preset),
    ];
    list(parts, ", ")
}

fn journal(remembered: &JournalPart) -> String {
    let Some(record) = &remembered.record else {
        return "Journal: it does not know this service\n".to_owned();
    };
    let ended = record.ended.map(|ended| format!(", ended {}", moment(ended))).unwrap_or_default();
    let mut facts = vec![
        fact("phase", format!("{}, changed {}{ended}", record.phase.name(), moment(record.changed))),
        fact("VM", list([or_dash(record.vm), record.vm_created.clone()], ", created ")),
        fact("account", or_dash(record.account)),
        fact("mark", record.mark.clone()),
        fact("stopped again", format!("{} times while suspended", record.stopped_again)),
    ];
    facts.extend(record.task.as_ref().map(|(consul, name)| fact("task", format!("{name} {consul}"))));
    facts.extend(record.restart.as_ref().map(|it| {
        let text = format!(
            "for operation {}, after task {}, its task {}",
            it.operation,
            or_dash(it.after.as_deref()),
            or_dash(it.task)
        );
        fact("restart", text)
    }));
    facts.extend(remembered.meter.as_ref().map(|meter| {
        let PerDirection { incoming, outgoing } = meter.used();
        fact("traffic", format!("{}: {incoming} bytes in, {outgoing} bytes out (VM {})", meter.month, meter.vm))
    }));
    facts.extend(remembered.cap.map(|cap| {
        let [to, from] = [cap.speed, cap.before.map(Some)]
            .map(|speeds| format!("{}/{}", or_dash(speeds.incoming), or_dash(speeds.outgoing)));
        let settled = if cap.settled { "" } else { ", asked for, not confirmed" };
        fact("speed cap", format!("in/out {to} Mbit/s, before {from} (VM {}){settled}", cap.vm))
    }));
    facts.extend(remembered.schedules.iter().map(|entry| {
        fact("backup schedule", format!("\"{}\", {} in VMmanager (VM {})", entry.name, entry.schedule, entry.vm))
    }));
    table(["Journal", ""], &facts)
}

fn platform(platform: &PlatformPart) -> String {
    let Some((host, facts)) = &platform.vm else {
        return format!("VMmanager: {} has no VM of this service (mark {})\n", platform.client.base(), platform.mark);
    };
    let page = table(["VMmanager", platform.client.base().as_str()], &vm(host, *facts));
    let Some(tasks) = &platform.tasks else {
        return page + "Its tasks: VMmanager does not tell\n";
    };
    let rows = tasks.iter().map(|(past, error)| {
        let error = error.as_ref().map(Error::message).unwrap_or_default();
        let id = past.id.map(|id| id.to_string()).unwrap_or_default();
        [id, past.date_create.clone(), past.name.clone(), past.state.clone(), error]
    });
    format!("{page}\n{}", table(["Task", "", "", "", ""], &rows.collect::<Vec<_>>()))
}

fn vm(host: &Host, facts: Facts) -> Vec<Fact> {
    let disk = host.disk.as_ref();
    let pending = |value: Option<u64>, what: &str| number(value.filter(|&value| value > 0), what);
    let sizes = [
        number(host.cpu_number, "cores"),
        number(host.ram_mib, "MiB of memory"),
        number(disk.and_then(|disk| disk.size_mib), "MiB of disk"),
        number(host.net_in_mbitps, "Mbit/s in"),
        number(host.net_out_mbitps, "Mbit/s out"),
    ];
    let later = [
        pending(host.cpu_number_new, "cores"),
        pending(host.ram_mib_new, "MiB of memory"),
        pending(disk.and_then(|disk| disk.size_mib_new), "MiB of disk"),
    ];
    let addresses = host.addresses().map(|address| address.ip.clone());
    let owner = host.account.as_ref().map(|owner| format!("account {}, {}", owner.id, owner.email));
    vec![
        fact("VM", format!("{} {}, {}, created {}", host.id, host.name, host.state, host.create_date)),
        fact("owner", owner.unwrap_or_else(|| "nobody".to_owned())),
        fact("domain", host.domain.clone()),
        fact("sizes", list(sizes, ", ")),
        fact("at next stop", list(later, ", ")),
        fact("addresses", list(addresses, " ")),
        fact("comment", host.comment.clone()),
        fact("proved", proved(facts)),
    ]
}

/// Whether the VM is the service's, and why.
fn proved(facts: Facts) -> String {
    let mark = match facts.mark {
        OwnMark::Valid => "the comment has the service's mark",
        OwnMark::Forged => "the comment has a mark of the service without the right tag",
        OwnMark::Copied => "the comment has a copy of the service's mark",
        OwnMark::None => "the comment lacks the service's mark",
    };
    let journal = match facts.row {
        Recorded::Here => "the journal holds this VM",
        Recorded::OtherVm => "the journal holds another VM",
        Recorded::Elsewhere => "the journal holds a VM of another platform",
        Recorded::OtherClient => "the journal's row is another client's",
        Recorded::Earlier => "the journal's row is of an earlier service with this number",
        Recorded::Asked | Recorded::None => "the journal does not hold this VM",
    };
    let reasons = [
        if facts.claimed { "another service names it" } else { "" },
        if facts.foreign { "the comment has another mark" } else { "" },
        mark,
        journal,
        if facts.owner == Owner::Other { "the owner is not the client" } else { "the owner is the client" },
    ];
    let verdict = if facts.judge().is_ok() { "yes" } else { "no" };
    format!("{verdict}: {}", list(reasons.map(str::to_owned), ", "))
}

fn queue(queue: &QueuePart) -> String {
    let paused = queue.pauses.iter().map(|scope| match scope {
        Scope::All => "All queues are paused.\n".to_owned(),
        Scope::Key(key) => format!("Queue {key} is paused.\n"),
    });
    let paused: String = paused.collect();
    if queue.entries.is_empty() {
        return format!("{paused}Queue: no operation of this service runs or waits\n");
    }
    let rows: Vec<_> = queue.entries.iter().map(|entry| Row::from(entry.clone()).cells(&entry.key)).collect();
    paused + &table(HEADING, &rows)
}

fn log(lines: &[String]) -> String {
    if lines.is_empty() {
        return "Log: no line about this service\n".to_owned();
    }
    let lines = lines.iter().map(|line| format!("{}\n", clean(line, usize::MAX)));
    format!("Log, the last lines about this service\n{}", lines.collect::<String>())
}

fn contradictions(report: &Report) -> String {
    let found = report.contradictions();
    if found.is_empty() {
        let all = if report.is_complete() {
            "Nothing contradicts itself"
        } else {
            "What could be read does not contradict itself"
        };
        return format!("{all}.\n");
    }
    let found = found.iter().map(|sentence| format!("- {}\n", clean(sentence, LONGEST)));
    format!("Contradictions\n{}", found.collect::<String>())
}
