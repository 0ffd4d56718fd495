//! The open questions about VMmanager [api 6] that reading can settle: what is asked, what the module assumes, how it is seen.

use super::answers;
use super::month;
use super::schedules;
use super::seen::Seen;
use super::site::Site;
use super::ssh_keys;
use crate::error::Result;
use crate::journal::Proof;

pub(super) struct Question {
    /// A short name that never changes, for those who read the JSON.
    pub name: &'static str,
    /// What is not known, for people.
    pub topic: &'static str,
    /// What the module takes for granted.
    pub assumes: &'static str,
    pub ask: fn(&Site) -> Result<Seen>,
}

/// Questions whose answer may prove something of the platform.
pub(super) const PROOFS: [(&str, Proof); 7] = [
    ("backup-schedules", Proof::BackupSchedules),
    ("creation-interfaces", Proof::Interfaces),
    ("creation-tuning", Proof::TuningAtCreation),
    ("change-tuning", Proof::TuningAtChange),
    ("creation-ssh-keys", Proof::SshKeysAtCreation),
    ("reinstall-ssh-keys", Proof::SshKeysAtReinstall),
    ("traffic-month", Proof::CalendarMonth),
];

/// All: the platform itself, its tasks, creation, changes, VMs, lists.
pub(super) const QUESTIONS: &[Question] = &[
    Question {
        name: "version",
        topic: "version",
        assumes: "a release like 2024.03.1 is in the answer",
        ask: answers::version,
    },
    Question { name: "licence", topic: "licence", assumes: "license.valid is true or false", ask: answers::licence },
    Question {
        name: "requests",
        topic: "requests that the module makes",
        assumes: "the description of the API lists all of them",
        ask: answers::requests,
    },
    Question { name: "task-status", topic: "words of a task's status", assumes: STATUS_WORDS, ask: answers::statuses },
    Question {
        name: "task-details",
        topic: "details of a task",
        assumes: "an object, bare or inside \"task\"",
        ask: answers::task_details,
    },
    Question {
        name: "task-fields",
        topic: "fields of a task",
        assumes: "consul_id, id, name, status",
        ask: answers::task_fields,
    },
    Question {
        name: "task-filter",
        topic: "tasks found by consul_id and name",
        assumes: "the filter finds a task that the list has",
        ask: answers::task_filter,
    },
    Question {
        name: "task-names",
        topic: "names of tasks",
        assumes: "names like host_create, as the vendor uses them",
        ask: answers::task_names,
    },
    Question {
        name: "creation-fields",
        topic: "POST /host: fields that are sent",
        assumes: "each of them is documented, ipv6_pool and ssh_keys are not needed",
        ask: answers::create_fields,
    },
    Question {
        name: "creation-interfaces",
        topic: "POST /host: the additional interface",
        assumes: "\"interfaces\" or \"custom_interfaces\" is a field of the request",
        ask: answers::create_interfaces,
    },
    Question {
        name: "creation-tuning",
        topic: "POST /host: limits and modes",
        assumes: "nothing; add-ons for them are delivered where all are documented",
        ask: answers::create_tuning,
    },
    Question {
        name: "change-tuning",
        topic: "POST /host/{id}/resource: the same",
        assumes: "nothing; without them such an add-on is delivered to new VMs only",
        ask: answers::change_tuning,
    },
    Question {
        name: "creation-ssh-keys",
        topic: "POST /host: the owner's SSH keys",
        assumes: "nothing; keys get into new VMs where \"ssh_keys\" is a list of ids",
        ask: ssh_keys::at_creation,
    },
    Question {
        name: "reinstall-ssh-keys",
        topic: "POST /host/{id}/reinstall: the same",
        assumes: "nothing; keys get into reinstalled VMs where \"ssh_keys\" is a list of ids",
        ask: ssh_keys::at_reinstall,
    },
    Question {
        name: "pool-interface",
        topic: "interface that a pool serves",
        assumes: "the list of pools or that of a pool's clusters has \"interface\"",
        ask: answers::pool_interfaces,
    },
    Question {
        name: "pool-counters",
        topic: "counters of a pool",
        assumes: "ipv4.total and ipv4.used, or total_ip and using_ip",
        ask: answers::pool_counters,
    },
    Question {
        name: "deferred-change",
        topic: "change at the next stop",
        assumes: "POST /host/{id}/resource has \"defer\"",
        ask: answers::defer,
    },
    Question {
        name: "hot-change",
        topic: "hot change",
        assumes: "VMs have hot_plug and live_resize",
        ask: answers::hot,
    },
    Question { name: "vm-fields", topic: "fields of a VM", assumes: HOST_FIELDS_TEXT, ask: answers::host_fields },
    Question {
        name: "vm-states",
        topic: "states of VMs",
        assumes: "active and stopped; others are passing",
        ask: answers::host_states,
    },
    Question {
        name: "vm-history",
        topic: "history of a VM",
        assumes: "name, state, task of each entry",
        ask: answers::history,
    },
    Question {
        name: "vm-addresses",
        topic: "addresses of a VM",
        assumes: "id, ip_addr, domain of each address",
        ask: answers::addresses,
    },
    Question { name: "vm-ipv6", topic: "IPv6 of a VM", assumes: "ipv6_enabled is in the answer", ask: answers::ipv6 },
    Question {
        name: "traffic",
        topic: "month of traffic",
        assumes: "net_rx_summary and net_tx_summary are bytes",
        ask: answers::traffic,
    },
    Question {
        name: "traffic-month",
        topic: "what a month of traffic is",
        assumes: "a calendar month; without proof nothing is billed after a counter fell",
        ask: month::kind,
    },
    Question {
        name: "os-fields",
        topic: "fields of an OS template",
        assumes: "clusters, id, name, repository, state",
        ask: answers::os_fields,
    },
    Question {
        name: "preset-fields",
        topic: "fields of a VM configuration",
        assumes: "id, name",
        ask: answers::preset_fields,
    },
    Question {
        name: "recipe-parameters",
        topic: "parameters of a recipe",
        assumes: "params_count is in the list; name and required of each parameter",
        ask: answers::recipes,
    },
    Question {
        name: "backup-schedules",
        topic: "backup schedules",
        assumes: "nothing; VMs are put into schedules where \"hosts\" alone can be changed",
        ask: schedules::usable,
    },
    Question {
        name: "list-pages",
        topic: "pages of a list",
        assumes: "limit=0,1 gives one element",
        ask: answers::pages,
    },
    Question {
        name: "api-path",
        topic: "path before the API",
        assumes: "none, or the one that was entered",
        ask: answers::prefix,
    },
];

const STATUS_WORDS: &str = "complete, or a word for failure, or created, running, deferred, pending";
const HOST_FIELDS_TEXT: &str = "account.id, cluster.id, comment, cpu_number, create_date, disk.disk_mib, disk.id, id, ip4, \
                                name, ram_mib, state";
