//! The default world: what a fresh platform has.
//!
//! | cluster | kind | interfaces and their pools |
//! |---|---|---|
//! | 1 `kvm-1` | kvm | 0: pools 1 (with IPv6), 2 |
//! | 2 `lxd-1` | lxd | 0: pool 3 (with IPv6) |
//! | 3 `kvm-2if` | kvm | 0: pool 4; 1: pool 5 |
//!
//! Names that differ only by a hyphen or by letter case are on purpose: see `os` and `recipes`.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde_json::json;

use super::model::{
    Cluster, Image, Node, Os, Pool, PoolCluster, Preset, Range, Recipe, RecipeParam, Repository, Schedule, Storage,
    Tag, Tuning,
};

const UPDATED: &str = "2025-05-02T10:00:00Z";

pub(super) fn clusters() -> BTreeMap<u64, Cluster> {
    let cluster = |id, name: &str, kind: &str, interfaces: &[u64]| Cluster {
        id,
        name: name.into(),
        comment: String::new(),
        virtualization_type: kind.into(),
        state: "active".into(),
        datacenter_type: "common".into(),
        interfaces: interfaces.to_vec(),
        domain_template: "vm@ID@.host.example".into(),
        hot_plug: false,
        storages: vec![id],
        host_per_node_limit: None,
    };
    let all =
        [cluster(1, "kvm-1", "kvm", &[0]), cluster(2, "lxd-1", "lxd", &[0]), cluster(3, "kvm-2if", "kvm", &[0, 1])];
    all.into_iter().map(|c| (c.id, c)).collect()
}

pub(super) fn nodes() -> BTreeMap<u64, Node> {
    let node = |id: u64, name: &str, cluster| Node {
        id,
        name: name.into(),
        ip: format!("192.0.2.{}", 200 + id),
        cluster,
        state: "active".into(),
        cpu_number: 8192,
        ram_mib: 4 * 1024 * 1024,
        storage_mib: 100 * 1024 * 1024,
        maintenance_mode: false,
        host_creation_blocked: false,
        host_limit: Some(5000),
        overselling: 1,
    };
    let all = [node(1, "kvm-node1", 1), node(2, "kvm-node2", 1), node(3, "lxd-node1", 2), node(4, "kvm-2if-node1", 3)];
    all.into_iter().map(|n| (n.id, n)).collect()
}

pub(super) fn storages() -> BTreeMap<u64, Storage> {
    let storage = |id, name: &str, kind: &str| Storage {
        id,
        name: name.into(),
        comment: String::new(),
        kind: kind.into(),
        is_network: false,
        state: "active".into(),
        clusters: vec![id],
        tags: if id == 1 { vec![1] } else { Vec::new() },
    };
    let all = [storage(1, "kvm-1-dir", "dir"), storage(2, "lxd-1-zfs", "zfs"), storage(3, "kvm-2if-lvm", "lvm")];
    all.into_iter().map(|s| (s.id, s)).collect()
}

pub(super) fn repositories() -> BTreeMap<u64, Repository> {
    let repository = |id, name: &str, kind: &str| Repository {
        id,
        name: name.into(),
        url: format!("https://download.example/{}", name.to_lowercase().replace(' ', "-")),
        state: "active".into(),
        kind: kind.into(),
    };
    let all = [
        repository(1, "ISPsystem", "os"),
        repository(2, "ISPsystem LXD", "os"),
        repository(3, "local", "os"),
        repository(4, "ISPsystem EOL", "os"),
    ];
    all.into_iter().map(|r| (r.id, r)).collect()
}

fn template(id: u64, name: &str, repository: u64, clusters: &[u64]) -> Os {
    Os {
        id,
        name: name.into(),
        os_group: if name.starts_with("Windows") { "windows" } else { "linux" }.into(),
        repository,
        state: "active".into(),
        adminonly: false,
        tags: Vec::new(),
        clusters: clusters.to_vec(),
        nodes: Vec::new(),
        is_lxd_image: repository == 2,
        hdd_mib_required: 5120,
        min_ram_mib: 512,
        kms_supported: false,
        kms_ip: None,
        kms_port: None,
        product_key: None,
        efi_boot: false,
        cpu_mode: None,
        comment: None,
        updated_at: UPDATED.into(),
    }
}

pub(super) fn os() -> BTreeMap<u64, Os> {
    let windows = Os {
        hdd_mib_required: 40_960,
        min_ram_mib: 2048,
        kms_supported: true,
        efi_boot: true,
        ..template(15, "Windows Server 2022", 1, &[1, 3])
    };
    let all = [
        template(11, "Debian 12", 1, &[1, 3]),
        template(12, "Ubuntu 24.04", 1, &[1, 3]),
        template(13, "AlmaLinux 9", 1, &[1, 3]),
        template(14, "Ubuntu 22.04", 1, &[1, 3]),
        windows,
        Os { adminonly: true, ..template(16, "Rescue tools", 1, &[1, 3]) },
        Os { state: "downloading".into(), ..template(17, "Rocky Linux 9", 1, &[1, 3]) },
        template(18, "CentOS 7", 4, &[1]),
        // A pair that a hyphen tells apart, and one that only letter case does, on other clusters than 1.
        template(19, "Ubuntu-24.04", 3, &[3]),
        template(20, "debian 12", 3, &[3]),
        template(31, "Debian 12", 2, &[2]),
        template(32, "Ubuntu 24.04", 2, &[2]),
        Os { hdd_mib_required: 10_240, min_ram_mib: 1024, ..template(33, "AlmaLinux 9", 2, &[2]) },
        // Attached to no cluster: in /os/all only.
        template(40, "FreeBSD 14", 1, &[]),
    ];
    all.into_iter().map(|os| (os.id, os)).collect()
}

pub(super) fn images() -> BTreeMap<u64, Image> {
    let image = Image {
        id: 7,
        name: "golden-2025".into(),
        account: 1,
        for_all: true,
        kind: "image".into(),
        comment: String::new(),
        state: "active".into(),
        size_mib: 10_240,
        nodes: Vec::new(),
        clusters: vec![1],
    };
    BTreeMap::from([(7, image)])
}

pub(super) fn presets() -> BTreeMap<u64, Preset> {
    let preset = |id, name: &str, kind: &str, cpu_number, ram_mib, hdd_mib| Preset {
        id,
        name: name.into(),
        comment: String::new(),
        virtualization_type: kind.into(),
        cpu_number,
        ram_mib,
        hdd_mib,
        disks: vec![json!({
            "name": null, "size_mib": hdd_mib, "boot_order": 1, "expand_part": "vda1", "storage": null, "tags": [],
            "bus": "virtio"
        })],
        tuning: Tuning::default(),
        snapshot_limit: 0,
    };
    let mut tuned = preset(5, "KVM-SSD-tuned", "kvm", 2, 4096, 30_720);
    tuned.tuning.net_in_mbitps = Some(200);
    tuned.tuning.net_out_mbitps = Some(200);
    tuned.tuning.cpu_mode = Some("host-passthrough".into());
    let all = [
        preset(1, "KVM-SSD-1", "kvm", 2, 2048, 20_480),
        preset(2, "KVM-SSD-2", "kvm", 4, 8192, 61_440),
        preset(3, "LXD-1", "lxd", 1, 1024, 10_240),
        preset(4, "LXD-2", "lxd", 2, 2048, 20_480),
        tuned,
    ];
    all.into_iter().map(|p| (p.id, p)).collect()
}

pub(super) fn recipes() -> BTreeMap<u64, Recipe> {
    let recipe = |id, name: &str, repository| Recipe {
        id,
        name: name.into(),
        repository,
        only_os: Vec::new(),
        params: Vec::new(),
        tags: Vec::new(),
        updated_at: UPDATED.into(),
    };
    let param = |name: &str, description: &str, kind: &str, required| RecipeParam {
        name: name.into(),
        description: description.into(),
        required,
        kind: kind.into(),
        select_values: Vec::new(),
    };
    let editions = ["lite", "pro"].map(|name| json!({"name": name, "description": name.to_uppercase()}));
    let edition =
        RecipeParam { select_values: editions.to_vec(), ..param("EDITION", "Edition to install", "select", true) };
    let site = vec![
        param("SITE_TITLE", "Title of the site", "text", false),
        param("ADMIN_PASSWORD", "Password of its administrator", "password", true),
    ];
    let all = [
        recipe(3, "LAMP", Some(1)),
        recipe(4, "Docker", Some(1)),
        Recipe { params: vec![edition], ..recipe(5, "ispmanager 6", Some(1)) },
        Recipe { only_os: vec!["Debian 12".into()], ..recipe(6, "Bitrix-Env", Some(1)) },
        recipe(7, "docker", None),
        Recipe { params: site, ..recipe(8, "WordPress", Some(1)) },
    ];
    all.into_iter().map(|r| (r.id, r)).collect()
}

pub(super) fn tags() -> BTreeMap<u64, Tag> {
    let tag = Tag { id: 1, name: "ssd".into(), note: String::new(), immortal: false, storages: vec![1] };
    BTreeMap::from([(1, tag)])
}

pub(super) fn pools() -> BTreeMap<u64, Pool> {
    let pool = |id, name: &str, cluster, interface, ranges: Vec<Range>| Pool {
        id,
        name: name.into(),
        note: String::new(),
        min_ipv6_prefix: ranges.iter().any(|range| range.family() == 6).then_some(64),
        ranges,
        clusters: vec![PoolCluster { id: cluster, interface }],
    };
    let all = [
        pool(1, "kvm-public", 1, 0, vec![range(1, [203, 0, 113, 10], 200, 24), range6(2, 0xa, 4096)]),
        pool(2, "kvm-reserve", 1, 0, vec![range(3, [198, 18, 0, 10], 16_000, 16)]),
        pool(3, "lxd-public", 2, 0, vec![range(4, [198, 51, 100, 10], 200, 24), range6(5, 0xb, 4096)]),
        pool(4, "2if-public", 3, 0, vec![range(6, [192, 0, 2, 10], 150, 24)]),
        pool(5, "2if-backend", 3, 1, vec![range(7, [10, 20, 0, 10], 16_000, 16)]),
    ];
    all.into_iter().map(|p| (p.id, p)).collect()
}

/// `daily` for clusters 1 and 3, `weekly` for all, and one that belongs to a VM configuration.
pub(super) fn schedules() -> BTreeMap<u64, Schedule> {
    let schedule = |id, name: &str, start_time, clusters: &[u64], presets: &[u64]| Schedule {
        id,
        name: name.into(),
        comment: String::new(),
        backup_mode: "full".into(),
        kind: name.into(),
        limit_count: 7,
        limit_size_mib: None,
        start_time,
        backup_locations: vec![1],
        clusters: clusters.to_vec(),
        disks: Vec::new(),
        nodes: Vec::new(),
        hosts: Vec::new(),
        presets: presets.to_vec(),
        next_run: "2030-01-01 03:00:00".into(),
    };
    let all = [
        schedule(1, "daily", json!({"hour": 3, "minute": 0}), &[1, 3], &[]),
        schedule(2, "weekly", json!({"week_day": 7, "hour": 4, "minute": 30}), &[], &[]),
        schedule(3, "monthly", json!({"day": 1, "hour": 2, "minute": 0}), &[], &[1]),
    ];
    all.into_iter().map(|s| (s.id, s)).collect()
}

fn range(id: u64, first: [u8; 4], count: u64, prefix: u8) -> Range {
    let [a, b, c, _] = first;
    Range { id, first: IpAddr::from(first), count, gateway: IpAddr::from([a, b, c, 1]), prefix, network: 8 + id }
}

fn range6(id: u64, site: u16, count: u64) -> Range {
    let network = [0x2001, 0xdb8, site, 0, 0, 0, 0, 0];
    let gateway = IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 1]);
    Range { id, first: IpAddr::from(network), count, gateway, prefix: 48, network: 8 + id }
}
