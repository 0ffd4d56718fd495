//! Objects as the API shows them: full field lists [api 4], nested objects and computed counters.

use std::time::Instant;

use serde_json::{Map, Value, json};

use super::model::{Account, Cluster, Disk, Host, Ip, Node, Os, Pool, Range, Recipe, Task, Tuning};
use super::platform::Platform;
use super::variant::{Figures, History};

/// One object and then another over it.
fn merged(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            base.extend(over);
            Value::Object(base)
        }
        (base, _) => base,
    }
}

/// An object that is shown as it is kept.
pub(super) fn plain(object: &impl serde::Serialize) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
}

/// Of limits and modes the speeds alone.
fn speeds(tuning: &Tuning) -> Value {
    json!({"net_in_mbitps": tuning.net_in_mbitps, "net_out_mbitps": tuning.net_out_mbitps})
}

/// The roles as well, where this account shows them.
pub(super) fn with_roles(view: Value, account: &Account) -> Value {
    if account.shows_roles { merged(view, json!({"roles": account.roles})) } else { view }
}

fn whole_seconds(from: Instant, until: Instant) -> u64 {
    until.saturating_duration_since(from).as_secs()
}

impl Platform {
    /// An account with the sums of its VMs [api 4.1].
    pub(super) fn account_view(&self, account: &Account) -> Value {
        let hosts: Vec<&Host> = self.hosts.values().filter(|host| host.account == account.id).collect();
        let ids: Vec<u64> = hosts.iter().map(|host| host.id).collect();
        let disk = |host: &&Host| self.main_disk(host.id).map_or(0, |disk| disk.size_mib);
        let view = json!({
            "id": account.id, "email": account.email, "state": account.state, "auth_source": "local",
            "host_count": hosts.len(), "host_ids": ids,
            "cpu_count": hosts.iter().map(|host| host.cpu_number).sum::<u64>(),
            "ram_mib": hosts.iter().map(|host| host.ram_mib).sum::<u64>(),
            "hdd_mib": hosts.iter().map(disk).sum::<u64>(),
        });
        with_roles(view, account)
    }

    /// A VM in a list, with everything associated [api 4.7.2].
    pub(super) fn host_view(&self, host: &Host, now: Instant) -> Value {
        let tuning = if self.variant.shows_tuning { plain(&host.tuning) } else { speeds(&host.tuning) };
        let parts =
            [self.host_identity(host, now), self.host_network(host), self.host_resources(host), host_flags(host)];
        parts.into_iter().chain([Value::from(host.unforeseen.clone())]).fold(tuning, merged)
    }

    fn host_identity(&self, host: &Host, now: Instant) -> Value {
        let (os_name, os_group) =
            host.os.and_then(|id| self.os.get(&id)).map_or(("", ""), |os| (&os.name, &os.os_group));
        let cluster = self.clusters.get(&host.cluster).map(|c| {
            json!({
                "id": c.id, "name": c.name, "datacenter_type": c.datacenter_type,
                "virtualization_type": c.virtualization_type,
            })
        });
        let node = host.node.and_then(|id| self.nodes.get(&id)).map(|node| {
            json!({
                "id": node.id, "name": node.name, "ip_addr": node.ip, "live_migration_allowed": true,
                "maintenance_mode": node.maintenance_mode, "hot_plug_memory": host.hot_plug,
            })
        });
        let email = self.accounts.get(&host.account).map(|account| account.email.as_str());
        json!({
            "id": host.id, "name": host.name, "internal_name": host.internal_name, "domain": host.domain,
            "comment": host.comment, "state": host.state, "account": {"id": host.account, "email": email},
            "cluster": cluster, "node": node, "os": host.os.map_or_else(|| json!({}), |id| json!({ "id": id })),
            "os_name": os_name, "os_group": os_group, "create_date": host.create_date, "mon_install_date": null,
            "uptime": host.started.map_or(0, |at| whole_seconds(at, now)),
        })
    }

    fn host_network(&self, host: &Host) -> Value {
        let list = |family| -> Vec<Value> {
            let shown = self.listed_addresses(host.id, family).into_iter();
            shown.map(|ip| json!({"ip": ip.ip_addr, "interface": ip.interface.to_string()})).collect()
        };
        let interfaces: Vec<Value> = host
            .interfaces
            .iter()
            .map(|i| {
                let tap = format!("vnet{}", i.id);
                json!({"host_interface": tap, "mac": i.mac, "node_interface": i.interface, "dhcp": false})
            })
            .collect();
        let (ip4, ip6) = (list(4), list(6));
        let summary: Vec<&Value> = ip4.iter().chain(&ip6).filter_map(|ip| ip.get("ip")).collect();
        json!({
            "ip_summary": summary, "ip4": ip4, "ip6": ip6, "interfaces": interfaces,
            "net_bandwidth_mbitps": host.net_bandwidth_mbitps,
            "net_bandwidth_mbitps_changed": host.net_bandwidth_mbitps_changed, "net_is_synced": true,
            "ip_automation": "auto", "vxlan": {}, "anti_spoofing_settings": {"vlan": null},
            "has_noname_iface": false,
        })
    }

    fn host_resources(&self, host: &Host) -> Value {
        let disk = self
            .main_disk(host.id)
            .map(|disk| json!({"id": disk.id, "disk_mib": disk.size_mib, "disk_mib_new": disk.size_mib_new}));
        let disks = self.disks.values().filter(|disk| disk.host == host.id).count();
        json!({
            "cpu_number": host.cpu_number, "cpu_number_new": host.cpu_number_new, "ram_mib": host.ram_mib,
            "ram_mib_new": host.ram_mib_new, "disk": disk, "disk_count": disks, "hot_plug": host.hot_plug,
            "live_resize": host.live_resize, "hot_plug_cell_counter": host.hot_plug_cell_counter,
            "expand_part": host.expand_part,
        })
    }

    /// Pool of each address and all disks in one answer [api 4.7.3].
    pub(super) fn metadata_view(&self, host: &Host) -> Value {
        let node = host.node.and_then(|id| self.nodes.get(&id)).map(|n| json!({"id": n.id, "ip_addr": n.ip}));
        let ipv4: Vec<Value> = self
            .addresses(host.id, 4)
            .iter()
            .map(|ip| json!({"ip_addr": ip.ip_addr, "ippool_id": ip.ippool}))
            .collect();
        let disks: Vec<Value> = self
            .disks
            .values()
            .filter(|disk| disk.host == host.id)
            .map(|d| {
                let storage = json!({ "id": d.storage });
                json!({
                    "id": d.id, "name": d.name, "size_mib": d.size_mib, "boot_order": d.boot_order, "storage": storage,
                })
            })
            .collect();
        json!({"metadata": {
            "id": host.id, "name": host.name, "domain": host.domain, "internal_name": host.internal_name,
            "preset": host.preset, "os": {"id": host.os}, "cluster": {"id": host.cluster}, "node": node,
            "account": {"id": host.account}, "ipv4": ipv4, "disks": disks,
            "base_resources": {"cpu_number": host.cpu_number, "ram_mib": host.ram_mib},
            "state": {"disabled": host.state == "stopped"},
        }})
    }

    /// An IPv4 address in the lists of addresses [api 4.10].
    pub(super) fn ip_view(&self, ip: &Ip) -> Value {
        let host = self.hosts.get(&ip.host);
        let iface = host.and_then(|h| h.interfaces.iter().find(|i| i.interface == ip.interface));
        json!({
            "id": ip.id, "ip_addr": ip.ip_addr, "domain": ip.domain, "gateway": ip.gateway, "mask": ip.mask,
            "state": "active", "family": ip.family, "ippool": ip.ippool, "network": ip.network,
            "host": {
                "id": ip.host, "name": host.map(|h| h.name.as_str()), "interface": ip.interface,
                "interface_name": iface.map(|i| i.name.as_str()),
            },
            "cluster_interface": ip.interface, "vxlan": null,
        })
    }

    /// A disk [api 4.8].
    pub(super) fn disk_view(&self, disk: &Disk) -> Value {
        let host = self.hosts.get(&disk.host);
        json!({
            "id": disk.id, "bus": disk.bus, "name": disk.name, "size_mib": disk.size_mib,
            "size_mib_new": disk.size_mib_new, "account": host.map(|h| h.account), "storage": disk.storage,
            "tags": disk.tags, "expand_part": disk.expand_part, "node": host.and_then(|h| h.node),
            "cluster": host.map(|h| h.cluster),
            "host": {"id": disk.host, "boot_order": disk.boot_order, "is_main": disk.is_main, "bus": disk.bus},
        })
    }

    /// A cluster [api 4.2].
    pub(super) fn cluster_view(&self, cluster: &Cluster) -> Value {
        let nodes: Vec<&Node> = self.nodes.values().filter(|node| node.cluster == cluster.id).collect();
        let used = nodes.iter().map(|node| self.allocated(node.id));
        let sum = used
            .fold((0, 0, 0, 0), |(h, c, r, s), a| (h + a.hosts, c + a.cpu_number, r + a.ram_mib, s + a.storage_mib));
        let (hosts, cpu, ram, disk) = sum;
        let total = |f: fn(&Node) -> u64| nodes.iter().map(|node| f(node)).sum::<u64>();
        let pools: Vec<Value> = self
            .pools
            .values()
            .filter(|p| p.clusters.iter().any(|c| c.id == cluster.id))
            .map(|p| json!({"id": p.id, "name": p.name}))
            .collect();
        let interfaces: Vec<Value> = cluster
            .interfaces
            .iter()
            .map(|index| {
                let pools: Vec<u64> = self.pools_of(cluster.id, *index).iter().map(|pool| pool.id).collect();
                json!({"interface": index, "ippool": pools})
            })
            .collect();
        let main = cluster.storages.first().and_then(|id| self.storages.get(id));
        let storage = main.map(
            |s| json!({"id": s.id, "name": s.name, "type": s.kind, "enabled": true, "is_main": true, "tags": s.tags}),
        );
        json!({
            "id": cluster.id, "name": cluster.name, "comment": cluster.comment,
            "virtualization_type": cluster.virtualization_type, "datacenter_type": cluster.datacenter_type,
            "state": cluster.state, "host_count": hosts, "account_host_count": hosts, "node_count": nodes.len(),
            "host_per_node_limit": cluster.host_per_node_limit,
            "cpu_number": {"total": total(|n| n.cpu_number), "used": cpu},
            "ram_mib": {"total": total(|n| n.ram_mib), "used": ram},
            "storage_mib": {"total": total(|n| n.storage_mib), "used": disk},
            "overselling": 1.0, "host_distribution_policy": "spread", "host_filter": [],
            "domain_template": cluster.domain_template, "dns_servers": ["192.0.2.53"], "time_zone": "UTC",
            "data_center": "dc1", "datacenter_params": {}, "storages": cluster.storages, "storage": storage,
            "ippools": pools, "backup_locations": [], "os_storage_path": "/vm/os", "image_storage_path": "/vm/image",
            "vxlan_mode": "none", "vxlans": [], "node_network": "switching",
            "interfaces": interfaces,
        })
    }

    /// A node [api 4.2].
    pub(super) fn node_view(&self, node: &Node) -> Value {
        let used = self.allocated(node.id);
        let in_state = |state| self.hosts.values().filter(|h| h.node == Some(node.id) && h.state == state).count();
        let cluster = self.clusters.get(&node.cluster).map(|c| {
            json!({
                "id": c.id, "name": c.name, "virtualization_type": c.virtualization_type, "time_zone": "UTC",
                "data_center": "dc1",
            })
        });
        let view = json!({
            "id": node.id, "name": node.name, "ip": node.ip, "ipv6": null, "state": node.state, "cluster": cluster,
            "vm": {
                "total": used.hosts, "active": in_state("active"), "stopped": in_state("stopped"),
                "crashed": in_state("crashed"), "estimated": node.host_limit,
            },
            "host_count": used.hosts, "host_limit": node.host_limit,
            "host_creation_blocked": node.host_creation_blocked, "maintenance_mode": node.maintenance_mode,
            "qemu_version": "7.2.0", "kernel_version": "5.14.0", "os_version": "AlmaLinux 9.4",
            "interfaces": [{"id": 1, "node_interface": 0, "network_switch": "vmbr0"}],
            "ha_state": "off", "ha_error": "no_error", "bird_error": null, "frr_error": null,
        });
        merged(view, self.node_figures(node))
    }

    /// How full a node is, in the words of this build.
    fn node_figures(&self, node: &Node) -> Value {
        let used = self.allocated(node.id);
        let overselling = json!({"overselling": node.overselling});
        let new = json!({
            "cpu": {"number": node.cpu_number, "used": used.cpu_number},
            "ram_mib": {"total": node.ram_mib, "allocated": used.ram_mib},
            "storage": {
                "size_mib": node.storage_mib, "used_mib": used.storage_mib, "allocated_mib": used.storage_mib,
                "available_mib": node.storage_mib.saturating_sub(used.storage_mib),
            },
        });
        match self.variant.figures {
            Figures::Full => merged(new, overselling),
            Figures::WithoutOverselling => new,
            Figures::Old => merged(
                json!({
                    "cpu_number": node.cpu_number, "ram_mib": {"total": node.ram_mib, "used": used.ram_mib},
                    "storage_mib": {"total": node.storage_mib, "used": used.storage_mib},
                }),
                overselling,
            ),
            Figures::Missing => json!({}),
        }
    }

    /// An OS template [api 4.3].
    pub(super) fn os_view(&self, os: &Os) -> Value {
        let clusters: Vec<Value> = os
            .clusters
            .iter()
            .filter_map(|id| self.clusters.get(id))
            .map(|c| json!({"id": c.id, "name": c.name, "updated_at": os.updated_at}))
            .collect();
        let repository = self.repositories.get(&os.repository).map(|r| r.name.as_str());
        merged(plain(os), json!({"repository": repository, "repository_id": os.repository, "clusters": clusters}))
    }

    /// A recipe [api 4.5].
    pub(super) fn recipe_view(&self, recipe: &Recipe) -> Value {
        let repository = recipe.repository.and_then(|id| self.repositories.get(&id)).map_or("local", |r| &r.name);
        json!({
            "id": recipe.id, "name": recipe.name, "repository": repository, "updated_at": recipe.updated_at,
            "tags": recipe.tags, "has_email": false, "access": "all", "params_count": recipe.params.len(),
        })
    }

    /// A pool of addresses with the counters of both generations [api 4.6].
    pub(super) fn pool_view(&self, pool: &Pool) -> Value {
        let usage = |family| {
            let (total, used) = self.pool_usage(pool.id, family);
            if total == 0 { Value::Null } else { json!({"total": total, "used": used}) }
        };
        let (total, used) = self.pool_usage(pool.id, 4);
        let view = json!({
            "id": pool.id, "name": pool.name, "note": pool.note, "clusters": self.pool_clusters_view(pool, false),
        });
        let old = json!({"total_ip": total.to_string(), "using_ip": used.to_string()});
        let new = json!({"ipv4": usage(4), "ipv6": usage(6), "min_ipv6_prefix": pool.min_ipv6_prefix});
        match self.variant.figures {
            Figures::Full | Figures::WithoutOverselling => merged(view, merged(old, new)),
            Figures::Old => merged(view, old),
            Figures::Missing => view,
        }
    }

    /// The clusters of a pool, with `enabled` when asked for by themselves.
    pub(super) fn pool_clusters_view(&self, pool: &Pool, with_enabled: bool) -> Vec<Value> {
        let known = pool.clusters.iter().filter_map(|pc| Some((pc, self.clusters.get(&pc.id)?)));
        known
            .map(|(pc, cluster)| {
                let view = json!({"id": pc.id, "name": cluster.name, "interface": pc.interface});
                if with_enabled { merged(view, json!({"enabled": true})) } else { view }
            })
            .collect()
    }

    /// A network of `IPmanager`, whose numbers are texts [api 4.6].
    pub(super) fn network_view(&self, range: &Range) -> Value {
        let used = self.ips.values().filter(|ip| ip.network == range.network).count();
        json!({
            "id": range.network, "name": format!("{}/{}", range.first, range.prefix), "family": range.family(),
            "gateway": range.gateway, "size": range.count.to_string(), "using_ip": used.to_string(), "note": "",
        })
    }
}

/// A VM by its number: flat, without associated data, `node` an int [api 2].
pub(super) fn flat_host_view(host: &Host) -> Value {
    json!({
        "id": host.id, "internal_name": host.internal_name, "node": host.node, "name": host.name,
        "state": host.state, "cpu_number": host.cpu_number, "ram_mib": host.ram_mib,
        "expand_part": host.expand_part, "net_is_synced": true, "ip_automation": "auto",
    })
}

fn host_flags(host: &Host) -> Value {
    json!({
        "disabled": host.disabled, "rescue_mode": false, "iso_mounted": false, "iso_reboot": false,
        "iso_status": null, "is_protected": host.is_protected, "extended_protection": false, "spice_enabled": false,
        "snapshot_count": host.snapshot_count, "snapshot_limit": 0, "snapshot_curr": null, "snapshot_ram": false,
        "snapshots_allowed": true, "balancer_mode": host.balancer_mode, "linked_clone_image": {}, "tags": host.tags,
        "efi_boot": false, "ha_restore_on_fail": host.ha_restore_on_fail,
        "ha_restore_priority": host.ha_restore_priority,
        "vm5_restrictions": {
            "net_iface_count": false, "nat_or_extra": false, "ipv6": false, "unsupported_storage": false,
            "iso": false, "snapshot": false,
        },
    })
}

/// A task in the list of the task manager [api 3.2]; the text of a failure is not here, as nobody has seen it here.
pub(super) fn task_view(task: &Task, now: Instant) -> Value {
    let end = task.finished.unwrap_or(now);
    json!({
        "id": task.id, "consul_id": task.consul_id, "name": task.name, "status": task.status,
        "defer_reason": task.defer_reason,
        "running_time": task.started.map(|started| whole_seconds(started, end)),
        "waiting_time": whole_seconds(task.created, task.started.unwrap_or(end)),
    })
}

/// A task by its own number, which has the text of a failure [api 3.1].
pub(super) fn task_detail_view(task: &Task, now: Instant) -> Value {
    merged(task_view(task, now), json!({"output": task.output}))
}

/// A line of a VM's history [api 3.1, B4].
pub(super) fn history_view(task: &Task, email: Option<&str>, shape: History) -> Value {
    let line = json!({"name": task.name, "state": task.status, "date_create": task.date_create});
    let ids = json!({"id": task.id, "task": task.id});
    let more = json!({"params": task.params, "user": email});
    match shape {
        History::Full => merged(merged(line, ids), more),
        History::Short => merged(line, ids),
        History::WithoutIds => merged(line, more),
    }
}

/// Every limit of an account, null where none is set [api 4.1].
pub(super) fn limits_view(limits: &Map<String, Value>) -> Value {
    let names = super::api::LIMITS.iter().map(|name| ((*name).to_owned(), Value::Null));
    merged(Value::Object(names.collect()), Value::Object(limits.clone()))
}
