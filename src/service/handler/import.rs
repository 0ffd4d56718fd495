//! VMs that exist without a service, offered to BILLmanager as services [protocol 3.20].
//!
//! VMmanager is only read. The journal remembers which VM a service was made from, so that the first operation, once an
//! employee has given the service to a client, can prove the VM and writes the mark. The owner is deliberately not
//! remembered: it must be that client's account, whatever client the service is given to.

use std::collections::{BTreeMap, BTreeSet};

use jiff::ToSpan;

use crate::config::today;
use crate::error::{Error, Kind, Result};
use crate::id::{AccountId, ClientId, PlatformId, ServiceId};
use crate::journal::Subject;
use crate::log;
use crate::panel::{Import, Naming};
use crate::service::handler::HandlerJob;
use crate::service::job::claims::means_vm;
use crate::service::job::mark::FoundMark;
use crate::service::platform::catalogue;
use crate::vmm::{Glimpse, Host, HostState, Os};

/// Offers every VM of the handler's cluster that no service has and one of the words fits (none: all). The number.
pub(crate) fn run(job: &HandlerJob, words: &[&str]) -> Result<usize> {
    let cluster = job.cluster()?.id;
    let naming = job.panel.all_naming()?;
    let staff = staff(job)?;
    let in_cluster = |host: &Host| host.cluster.as_ref().is_some_and(|at| at.id == cluster);
    let all = job.vmm.hosts()?;
    let platform = job.platform(Some(&all.iter().map(Glimpse::from).collect::<Vec<_>>()))?;
    let hosts: Vec<Host> = all.into_iter().filter(in_cluster).collect();
    let templates = job.vmm.os_list()?;
    let paid_until = today()
        .checked_add(1.month())
        .map_err(|error| Error::new(Kind::State, "clock", format!("this server's clock cannot be used: {error}")))?;
    let mut count = 0;
    for host in hosts.iter().filter(|host| is_asked_for(host, words)) {
        if let Some(reason) = obstacle(job, host, &naming, &staff)? {
            log::info!("handler {}: VM {} ({}) is not offered: {reason}", job.handler.id, host.id, host.name);
            continue;
        }
        offer(job, platform, host, &templates, &paid_until.to_string())?;
        count += 1;
    }
    log::info!("handler {}: {count} VMs offered as services", job.handler.id);
    Ok(count)
}

/// Accounts of administrators: their VMs are the platform's own and never a client's.
fn staff(job: &HandlerJob) -> Result<BTreeSet<AccountId>> {
    Ok(job.vmm.accounts()?.iter().filter(|account| account.is_staff()).map(|account| account.id).collect())
}

/// Id, name, domain or address; without words every VM.
fn is_asked_for(host: &Host, words: &[&str]) -> bool {
    let fits = |word: &&str| {
        let lower = word.to_lowercase();
        let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
        let named = !is_number && [&host.name, &host.domain].iter().any(|name| name.to_lowercase().contains(&lower));
        named || host.id.to_string() == lower || host.has_address(&lower)
    };
    words.is_empty() || words.iter().any(fits)
}

fn obstacle(job: &HandlerJob, host: &Host, naming: &[Naming], staff: &BTreeSet<AccountId>) -> Result<Option<String>> {
    let platform = job.platform(None)?;
    for naming in naming.iter().filter(|naming| naming.vm == host.id) {
        if means_vm(&job.journal, Some(platform), &job.vmm.base(), naming, host)? {
            return Ok(Some(format!("service {} of module {} names it", naming.item, naming.module)));
        }
    }
    if let Some(item) = job.journal.others_with_vm(platform, host.id, ServiceId::default())?.first() {
        return Ok(Some(format!("our journal knows it as the VM of service {item}")));
    }
    if let Some(mark) = FoundMark::all(&host.comment).first() {
        return Ok(Some(format!("it has the mark {mark}")));
    }
    Ok(match &host.account {
        None => Some("it has no owner".to_owned()),
        Some(owner) if staff.contains(&owner.id) => Some(format!("it belongs to the administrator {}", owner.email)),
        _ if host.state == HostState::Creating => Some("it is being made".to_owned()),
        Some(_) => None,
    })
}

fn offer(job: &HandlerJob, platform: PlatformId, host: &Host, templates: &[Os], paid_until: &str) -> Result<()> {
    let os = host.os.as_ref().and_then(|os| templates.iter().find(|template| template.id == os.id));
    let mut params = BTreeMap::from([("panelid", host.id.to_string()), ("serverid", host.name.clone())]);
    params.insert("ip", crate::service::vm::addresses::main_address(None, host).unwrap_or_default().to_owned());
    params.insert("domain", host.domain.clone());
    params.insert("ostempl", os.map(catalogue::os_title).unwrap_or_default());
    for value in params.values_mut() {
        value.retain(|c| !c.is_control());
    }
    let params: Vec<(&str, &str)> =
        params.iter().filter(|(_, value)| !value.is_empty()).map(|(name, value)| (*name, value.as_str())).collect();
    let name: String = title(host).chars().filter(|c| !c.is_control()).collect();
    let item = job.panel.import(job.handler.id, &Import { name: &name, paid_until, params: &params })?;
    let mark = job.mark(item).to_string();
    let subject = Subject { item, client: ClientId::default(), platform, mark: &mark };
    job.journal.complete(subject, None, host.id, &host.create_date)?;
    log::info!("handler {}: VM {} ({}) is service {item} now", job.handler.id, host.id, host.name);
    Ok(())
}

/// What the employee chooses by: name, size, owner.
fn title(host: &Host) -> String {
    let owner = host.account.as_ref().map_or("", |owner| owner.email.as_str());
    format!(
        "{} ({} CPU, {} MiB, disk {} MiB, {owner})",
        if host.domain.is_empty() { &host.name } else { &host.domain },
        host.cpu_number.unwrap_or_default(),
        host.ram_mib.unwrap_or_default(),
        host.disk.as_ref().and_then(|disk| disk.size_mib).unwrap_or_default()
    )
}
