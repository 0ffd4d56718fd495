//! The end of the play: a table of what both sides hold, and everything that differs from what the orders say.

use std::collections::BTreeSet;

use sandbox::World;
use sandbox::bill::Bill;
use sandbox::vmm::{Host, Platform};

use crate::script::Service;

const HEAD: [&str; 9] = ["service", "client", "VM", "cores", "memory", "disk", "addresses", "VM state", "BILLmanager"];

/// One aligned line for every service.
pub(crate) fn table(world: &World, services: &[Service]) -> String {
    let mut lines = vec![HEAD.map(str::to_owned)];
    for (vmm, handler) in world.platforms() {
        let here = services.iter().filter(|service| service.handler == handler);
        vmm.look(|platform| lines.extend(here.map(|service| line(platform, &world.bill, service))));
    }
    let widths: [usize; HEAD.len()] =
        std::array::from_fn(|column| lines.iter().map(|line| line[column].chars().count()).max().unwrap_or(0));
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
        text += cells.join("  ").trim_end();
        text.push('\n');
    }
    text
}

fn line(platform: &Platform, bill: &Bill, service: &Service) -> [String; HEAD.len()] {
    let status = match bill.item(service.item).status {
        1 => "1 ordered",
        2 => "2 active",
        3 => "3 suspended",
        4 => "4 deleted",
        5 => "5 processing",
        _ => "unknown",
    };
    let name = format!("#{} {}", service.item, service.title);
    let Some(host) = host_of(platform, bill, service) else {
        let none = || "–".to_owned();
        let client = service.client.to_owned();
        return [name, client, none(), none(), none(), none(), none(), none(), status.to_owned()];
    };
    [
        name,
        service.client.to_owned(),
        format!("{} {}", host.id, host.name),
        host.cpu_number.to_string(),
        format!("{} MiB", host.ram_mib),
        format!("{} MiB", disk_of(platform, host)),
        addresses(platform, host.id).join(" "),
        host.state.clone(),
        status.to_owned(),
    ]
}

/// Everything that is not as it should be, one sentence each.
pub(crate) fn differences(world: &World, services: &[Service]) -> Vec<String> {
    let mut found = Vec::new();
    for (vmm, handler) in world.platforms() {
        let here: Vec<&Service> = services.iter().filter(|service| service.handler == handler).collect();
        vmm.look(|platform| {
            for service in &here {
                compare(platform, &world.bill, service, &mut found);
            }
            left_over(platform, &here, &mut found);
        });
    }
    let rest = [
        ("operations in progress", "SELECT COUNT(*) FROM runningoperation"),
        ("tasks for the staff", "SELECT COUNT(*) FROM task"),
        ("registered problems", "SELECT COUNT(*) FROM problem"),
    ];
    for (what, sql) in rest {
        let count = world.bill.rows(sql, &[])[0][0].clone().unwrap_or_default();
        expect(&mut found, "BILLmanager", what, &count, &"0".to_owned());
    }
    found
}

/// Notes a value that is not the expected one.
fn expect<T: PartialEq + std::fmt::Debug>(found: &mut Vec<String>, whose: &str, what: &str, is: &T, should: &T) {
    if is != should {
        found.push(format!("{whose}: {what} is {is:?}, should be {should:?}"));
    }
}

fn compare(platform: &Platform, bill: &Bill, service: &Service, found: &mut Vec<String>) {
    let should = &service.expected;
    let whose = format!("#{} {}", service.item, service.title);
    expect(found, &whose, "status in BILLmanager", &bill.item(service.item).status, &should.status);
    let slots: BTreeSet<String> = bill.slots(service.item).into_iter().map(|(_, address, _)| address).collect();
    let host = host_of(platform, bill, service);
    let state = host.map_or("none", |host| &host.state);
    expect(found, &whose, "state of the VM", &state, &should.state.unwrap_or("none"));
    let Some(host) = host else {
        if !slots.is_empty() {
            found.push(format!("{whose}: there is no VM, but BILLmanager still holds {slots:?}"));
        }
        return;
    };
    let owner = platform.accounts.get(&host.account).map_or("nobody", |account| &account.email);
    expect(found, &whose, "owner of the VM", &owner, &service.email);
    expect(found, &whose, "number of cores", &host.cpu_number, &should.cpu);
    expect(found, &whose, "memory in MiB", &host.ram_mib, &should.ram_mib);
    expect(found, &whose, "disk in MiB", &disk_of(platform, host), &should.disk_mib);
    expect(found, &whose, "number of IPv4 addresses", &platform.addresses(host.id, 4).len(), &should.ipv4);
    expect(found, &whose, "presence of IPv6", &!platform.addresses(host.id, 6).is_empty(), &should.ipv6);
    expect(found, &whose, "addresses in BILLmanager", &slots, &BTreeSet::from_iter(addresses(platform, host.id)));
    let main = bill.params(service.item).remove("ip").unwrap_or_default();
    if !platform.addresses(host.id, 4).iter().any(|ip| ip.ip_addr == main) {
        found.push(format!("{whose}: the main address in BILLmanager, `{main}`, is not one of the VM's"));
    }
    let mark: Vec<&str> = host.comment.split(':').collect();
    if mark.first() != Some(&"billmgr") || mark.get(2) != Some(&service.item.to_string().as_str()) {
        found.push(format!("{whose}: the VM's mark is `{}`", host.comment));
    }
}

/// Nothing else on the platform than what the services need.
fn left_over(platform: &Platform, services: &[&Service], found: &mut Vec<String>) {
    let alive = services.iter().filter(|service| service.expected.state.is_some()).count();
    expect(found, "VMmanager", "number of VMs", &platform.live_hosts().len(), &alive);
    let emails: BTreeSet<&str> = services.iter().map(|service| service.email).collect();
    expect(
        found,
        "VMmanager",
        "number of accounts beside the administrator",
        &(platform.accounts.len() - 1),
        &emails.len(),
    );
    for ip in platform.ips.values().filter(|ip| !platform.hosts.contains_key(&ip.host)) {
        found.push(format!("VMmanager: the address {} belongs to VM {}, which is gone", ip.ip_addr, ip.host));
    }
    for task in platform.tasks.values().filter(|task| task.status != "complete") {
        found.push(format!("VMmanager: the task {} of {} is {}", task.name, task.id, task.status));
    }
}

/// The VM that BILLmanager names, if it is there.
fn host_of<'a>(platform: &'a Platform, bill: &Bill, service: &Service) -> Option<&'a Host> {
    let id: u64 = bill.params(service.item).get("panelid")?.parse().ok()?;
    platform.hosts.get(&id)
}

fn disk_of(platform: &Platform, host: &Host) -> u64 {
    platform.main_disk(host.id).map_or(0, |disk| disk.size_mib)
}

/// All addresses of a VM, IPv4 first.
fn addresses(platform: &Platform, host: u64) -> Vec<String> {
    [4, 6].into_iter().flat_map(|family| platform.addresses(host, family)).map(|ip| ip.ip_addr.clone()).collect()
}
