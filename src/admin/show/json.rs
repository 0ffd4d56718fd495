//! The report as one JSON document; its shape is in the head of the folder.

use std::collections::BTreeMap;

use secrecy::SecretString;
use serde_json::{Map, Value, json};

use super::redact::shown;
use crate::admin::queue::Row;
use crate::admin::table::moment;
use crate::error::{Error, Result};
use crate::mask::MASK;
use crate::queue::{Entry, Scope};
use crate::service::job::evidence::{OwnMark, Owner, Recorded};
use crate::service::order::Order;
use crate::service::report::{BillingPart, JournalPart, PlatformPart, QueuePart, Report};
use crate::vmm::Host;

/// The whole report.
pub(super) fn document(report: &Report) -> Value {
    json!({
        "service": report.item,
        "complete": report.is_complete(),
        "contradictions": report.contradictions(),
        "billmanager": part(&report.bill, bill),
        "journal": part(&report.journal, journal),
        "vmmanager": part(&report.platform, platform),
        "queue": part(&report.queue, queue),
        "log": part(&report.log, |lines| json!(lines)),
    })
}

fn part<T>(part: &Result<T>, show: impl FnOnce(&T) -> Value) -> Value {
    match part {
        Ok(part) => show(part),
        Err(error) => json!({ "error": error.to_string() }),
    }
}

/// Settings in clear with the crypted ones as stars.
pub(super) fn settings(plain: &BTreeMap<String, String>, crypted: &BTreeMap<String, SecretString>) -> Value {
    let plain = plain.iter().map(|(name, value)| (name.clone(), shown(name, value).into()));
    let crypted = crypted.keys().map(|name| (name.clone(), MASK.into()));
    Value::Object(plain.chain(crypted).collect())
}

fn bill(bill: &BillingPart) -> Value {
    let BillingPart { service, handler, .. } = bill;
    let addons = service.addons.iter();
    let addons: Map<String, Value> =
        addons.map(|(name, it)| (name.clone(), json!({ "value": it.value, "unit": it.unit }))).collect();
    let slots = bill.slots.iter();
    let slots: Vec<Value> =
        slots.map(|it| json!({ "id": it.id, "address": it.address, "free": it.free, "ipv6": it.v6 })).collect();
    let operations = bill.operations.iter().map(
        |it| json!({ "id": it.id, "command": it.command, "tries": it.tries, "manual": it.manual, "error": it.error }),
    );
    json!({
        "status": service.status.number(),
        "status_name": service.status.name(),
        "period_months": service.period,
        "client": { "id": service.client.id, "name": service.client.name, "email": service.client.email },
        "tariff": {
            "id": service.tariff_id,
            "name": service.tariff_title,
            "internal_name": service.tariff_name,
            "parameters": settings(&service.tariff, &BTreeMap::new()),
        },
        "handler": {
            "id": handler.id,
            "name": handler.name,
            "settings": settings(&handler.params, &handler.secrets),
        },
        "parameters": settings(&service.params, &bill.secrets),
        "addons": addons,
        "order": part(&bill.order, order),
        "slots": slots,
        "operations": operations.collect::<Vec<_>>(),
    })
}

fn order(order: &Order) -> Value {
    json!({
        "cores": order.sizes.cpu_number,
        "memory_mib": order.sizes.ram_mib,
        "disk_mib": order.sizes.hdd_mib,
        "in_mbitps": order.sizes.net_in_mbitps,
        "out_mbitps": order.sizes.net_out_mbitps,
        "ipv4": order.ipv4,
        "ipv6": order.ipv6,
        "ipv6_prefix": order.ipv6_prefix,
        "domain": order.domain,
        "os": order.os,
        "recipe": order.recipe,
        "preset": order.preset,
    })
}

fn journal(remembered: &JournalPart) -> Value {
    let Some(record) = &remembered.record else { return Value::Null };
    let task = record.task.as_ref().map(|(consul, name)| json!({ "consul_id": consul, "name": name }));
    let restart = record.restart.as_ref();
    let restart = restart.map(|it| json!({ "operation": it.operation, "after": it.after, "task": it.task }));
    let traffic = remembered.meter.as_ref().map(|meter| {
        let used = meter.used();
        json!({ "month": meter.month, "vm": meter.vm, "in_bytes": used.incoming, "out_bytes": used.outgoing })
    });
    let cap = remembered.cap.as_ref().map(|cap| {
        json!({
            "vm": cap.vm,
            "in_mbitps": cap.speed.incoming,
            "out_mbitps": cap.speed.outgoing,
            "before_in_mbitps": cap.before.incoming,
            "before_out_mbitps": cap.before.outgoing,
            "settled": cap.settled,
        })
    });
    let schedules = remembered.schedules.iter();
    let schedules = schedules.map(|it| json!({ "schedule": it.schedule, "name": it.name, "vm": it.vm }));
    json!({
        "phase": record.phase.name(),
        "mark": record.mark,
        "account": record.account,
        "vm": record.vm,
        "vm_created": record.vm_created,
        "task": task,
        "restart": restart,
        "stopped_again": record.stopped_again,
        "changed": moment(record.changed),
        "ended": record.ended.map(moment),
        "traffic": traffic,
        "speed_cap": cap,
        "backup_schedules": schedules.collect::<Vec<_>>(),
    })
}

fn platform(platform: &PlatformPart) -> Value {
    let tasks = platform.tasks.as_ref().map(|tasks| {
        let task = tasks.iter().map(|(past, error)| {
            json!({
                "id": past.id,
                "name": past.name,
                "state": past.state,
                "created": past.date_create,
                "error": error.as_ref().map(Error::message),
            })
        });
        task.collect::<Vec<_>>()
    });
    let vm = platform.vm.as_ref().map(|(host, facts)| {
        let mut vm = vm(host);
        vm["proof"] = json!({
            "proved": facts.judge().is_ok(),
            "own_mark": facts.mark == OwnMark::Valid,
            "foreign_mark": facts.foreign,
            "journal": facts.row == Recorded::Here,
            "owner": facts.owner != Owner::Other,
        });
        vm
    });
    json!({
        "url": platform.client.base(),
        "mark": platform.mark.to_string(),
        "vm": vm,
        "also_marked": platform.others.iter().map(|host| host.id).collect::<Vec<_>>(),
        "tasks": tasks,
    })
}

fn vm(host: &Host) -> Value {
    let pending = |value: Option<u64>| value.filter(|&value| value > 0);
    let addresses: Vec<&str> = host.addresses().map(|address| address.ip.as_str()).collect();
    json!({
        "id": host.id,
        "name": host.name,
        "state": host.state.as_str(),
        "domain": host.domain,
        "created": host.create_date,
        "comment": host.comment,
        "owner": host.account.as_ref().map(|owner| json!({ "account": owner.id, "email": owner.email })),
        "cores": host.cpu_number,
        "memory_mib": host.ram_mib,
        "disk_mib": host.disk.as_ref().and_then(|disk| disk.size_mib),
        "in_mbitps": host.net_in_mbitps,
        "out_mbitps": host.net_out_mbitps,
        "pending": {
            "cores": pending(host.cpu_number_new),
            "memory_mib": pending(host.ram_mib_new),
            "disk_mib": pending(host.disk.as_ref().and_then(|disk| disk.size_mib_new)),
        },
        "addresses": addresses,
    })
}

fn queue(queue: &QueuePart) -> Value {
    let keys = queue.pauses.iter().filter_map(|scope| match scope {
        Scope::Key(key) => Some(key),
        Scope::All => None,
    });
    json!({
        "tickets": queue.entries.iter().map(ticket).collect::<Vec<_>>(),
        "paused": keys.collect::<Vec<_>>(),
        "paused_all": queue.pauses.contains(&Scope::All),
    })
}

/// As in `queue --json`, with the key.
fn ticket(entry: &Entry) -> Value {
    let mut ticket = json!(Row::from(entry.clone()));
    ticket["key"] = entry.key.as_str().into();
    ticket
}
