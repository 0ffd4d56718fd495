//! Whatever is asked in whatever order, the platform stays one that could exist.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use sandbox::vmm::{Platform, Setup, Timing};
use serde_json::json;

use crate::client::{SOON, Site, body, site_with};

/// Something a client may ask for; the number chooses among the VMs there are.
#[derive(Clone, Debug)]
enum Wish {
    Create { cluster: u64 },
    Power { host: usize, action: &'static str },
    Resize { host: usize, cpu: u64, later: bool },
    Grow { host: usize, size: u64, later: bool },
    Address { host: usize, count: u64 },
    Reinstall { host: usize },
    Delete { host: usize },
}

fn wish() -> impl Strategy<Value = Wish> {
    let host = 0..4_usize;
    prop_oneof![
        3 => (1..4_u64).prop_map(|cluster| Wish::Create { cluster }),
        4 => (host.clone(), prop::sample::select(vec!["start", "stop", "restart"]))
            .prop_map(|(host, action)| Wish::Power { host, action }),
        2 => (host.clone(), 1..6_u64, any::<bool>()).prop_map(|(host, cpu, later)| Wish::Resize { host, cpu, later }),
        2 => (host.clone(), 1..9_u64, any::<bool>()).prop_map(|(host, gib, later)| Wish::Grow {
            host,
            size: gib * 10240,
            later
        }),
        2 => (host.clone(), 1..4_u64).prop_map(|(host, count)| Wish::Address { host, count }),
        1 => host.clone().prop_map(|host| Wish::Reinstall { host }),
        1 => host.prop_map(|host| Wish::Delete { host }),
    ]
}

fn ask(site: &Site, wish: &Wish) {
    let pick = |n: usize| site.vmm.look(|p| p.hosts.keys().nth(n % p.hosts.len().max(1)).copied()).unwrap_or(1);
    let later = |later: bool, mut body: serde_json::Value| {
        if later {
            body["defer"] = json!({"action": "host_stop"});
        }
        body
    };
    let said = match wish {
        Wish::Create { cluster } => {
            let os = if *cluster == 2 { 32 } else { 12 };
            site.post("/vm/v3/host", &body(&json!({"cluster": cluster, "os": os})))
        }
        Wish::Power { host, action } => site.post(&format!("/vm/v3/host/{}/{action}", pick(*host)), &json!({})),
        Wish::Resize { host, cpu, later: defer } => {
            site.post(&format!("/vm/v3/host/{}/resource", pick(*host)), &later(*defer, json!({"cpu_number": cpu})))
        }
        Wish::Grow { host, size, later: defer } => {
            let host = pick(*host);
            let disk = site.vmm.look(|p| p.main_disk(host).map(|disk| disk.id)).unwrap_or(1);
            site.post(&format!("/vm/v3/disk/{disk}"), &later(*defer, json!({"size_mib": size})))
        }
        Wish::Address { host, count } => {
            site.post(&format!("/vm/v3/host/{}/ip", pick(*host)), &json!({"ipv4_number": count}))
        }
        Wish::Reinstall { host } => site.post(&format!("/vm/v3/host/{}/reinstall", pick(*host)), &json!({"os": 11})),
        Wish::Delete { host } => site.delete(&format!("/vm/v3/host/{}", pick(*host))),
    };
    assert!([200, 400, 404].contains(&said.status), "{wish:?}: {} {}", said.status, said.body);
}

fn check(p: &Platform, sizes: &mut BTreeMap<u64, u64>) {
    let addresses: BTreeSet<&str> = p.ips.values().map(|ip| ip.ip_addr.as_str()).collect();
    assert_eq!(addresses.len(), p.ips.len(), "an address was given twice");
    assert!(p.ips.values().all(|ip| p.hosts.contains_key(&ip.host)), "an address of a VM that is gone");
    assert!(p.disks.values().all(|disk| p.hosts.contains_key(&disk.host)), "a disk of a VM that is gone");
    assert!(
        p.tasks.values().all(|task| task.is_final() != ["created", "deferred", "running"].contains(&&*task.status))
    );
    let mut running = BTreeSet::new();
    let queued = p.tasks.values().filter(|task| task.status == "running" && task.name != "ip_allocate");
    assert!(queued.into_iter().all(|task| running.insert(task.host)), "two tasks of a VM run at once");
    for disk in p.disks.values() {
        let before = sizes.insert(disk.id, disk.size_mib).unwrap_or(0);
        assert!(before <= disk.size_mib, "disk {} shrank", disk.id);
    }
    assert!(p.tasks.values().all(|task| !p.tasks.contains_key(&task.consul_id)), "the spaces of task numbers met");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_platform_stays_possible(wishes in prop::collection::vec(wish(), 1..40)) {
        let quick = Duration::from_millis(2);
        let timing = Timing { listed_after: quick, create: quick, recipe: quick, other: quick, ..Timing::default() };
        let site = site_with(Setup { timing, ..Setup::default() });
        let mut sizes = BTreeMap::new();
        for wish in &wishes {
            ask(&site, wish);
            site.vmm.look(|p| check(p, &mut sizes));
        }
        for host in site.vmm.look(|p| p.hosts.keys().copied().collect::<Vec<_>>()) {
            ask(&site, &Wish::Delete { host: 0 });
            site.vmm.wait_until(SOON, |p| !p.hosts.contains_key(&host));
        }
        site.settle();
        site.vmm.look(|p| {
            assert!(p.hosts.is_empty() && p.ips.is_empty() && p.disks.is_empty());
        });
    }
}
