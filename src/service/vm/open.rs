//! A paid order becomes a running VM, once.
//!
//! Before a VM is asked for, the one we may have asked for already is looked for: by the id in the journal, by the task
//! that builds it, by the mark in its comment. The ids in an answer are recorded before anything else happens. An
//! answer that got lost is never followed by a second request in the same run, and in the next run only after the VM
//! did not appear in the time in which VMmanager's lists may lag behind.

use std::time::{Duration, Instant};

use crate::digest::sha256;
use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::journal::{Phase, Proof, Record};
use crate::panel::ServiceStatus;
use crate::service::job::Job;
use crate::service::job::settle::settle;
use crate::service::order::{Order, Placement, missing};
use crate::service::platform::{catalogue, connection, interfaces, pools};
use crate::service::vm::unsupported::{self, Tunable};
use crate::service::vm::{
    account, addresses, backup_schedule, next_handler, password, power, recipe, recipe_params, remove, resize, sizes,
    ssh_keys, sync,
};
use crate::vmm::{CreateHost, Ended, Failure, Host, HostState, Preset, Task, Tuning};
use crate::{fault, log};

/// Opens a service: a running VM with its addresses, known to BILLmanager.
pub(crate) fn open(job: &Job) -> Result<()> {
    let host = ensure(job, true)?;
    finish_open(job, &host)
}

/// Repairs or finishes an opening; an existing VM is never installed again.
pub(crate) fn reopen(job: &Job) -> Result<()> {
    let host = ensure(job, false)?;
    save_facts(job, &host)?;
    job.panel.post("service.postreopen", job.service.id)
}

/// The service's VM, complete: found, or made. Unless it `opens` the service the VM is taken whatever became of its recipe,
/// and nothing is said of add-ons that are not delivered.
fn ensure(job: &Job, opens: bool) -> Result<Host> {
    connection::refuse_external(&job.handler)?;
    if job.service.status == ServiceStatus::Deleted {
        let text = format!("service {} is closed; a closed service gets no VM", job.service.id);
        return Err(Error::new(Kind::BadParam, "status", text));
    }
    let order = Order::read(&job.service)?;
    let unsupported = if opens { unsupported::find(job, &order, None)? } else { Vec::new() };
    let place = job.place()?;
    let hash = fingerprint(&order, &place);
    let scripts = opens && place.use_recipes && order.recipe.is_some();
    let host = match resume(job, &hash, scripts)? {
        Some((host, true)) => resize::apply(job, &order, host)?,
        Some((host, false)) => host,
        None => make(job, &order, &place, &hash, scripts).map_err(|error| next_handler::instead(job, error))?,
    };
    let host = if opens && Tunable::of(job, &order)?.is_late() { resize::apply(job, &order, host)? } else { host };
    unsupported::report(job, &unsupported);
    // With two interfaces a VM is made with one address on each; what was ordered beyond that follows.
    let host = if place.additional_interface { addresses::apply(job, &order, host)? } else { host };
    backup_schedule::deliver(job, &order, &host)?;
    Ok(host)
}

/// A VM where none was found.
fn make(job: &Job, order: &Order, place: &Placement, hash: &str, scripts: bool) -> Result<Host> {
    let (vm, task) = create(job, order, place, hash)?;
    fault::point("create.recorded");
    complete(job, vm, task.as_ref(), scripts)?.ok_or_else(|| vanished(vm))
}

/// What an earlier run left: the VM, complete, and whether the order was changed while it was being made.
fn resume(job: &Job, hash: &str, scripts: bool) -> Result<Option<(Host, bool)>> {
    let record = job.living_record()?;
    let changed = record.as_ref().is_some_and(|record| record.phase.is_unfinished() && record.hash != hash);
    if let Some(Record { phase: Phase::Accepted, vm: Some(vm), task, .. }) = &record {
        let task = task.as_ref().map(|(consul, name)| Task::named(*consul, name));
        if let Some(host) = complete(job, *vm, task.as_ref(), scripts)? {
            return Ok(Some((host, changed)));
        }
        log::warn!("service {}: VM {vm} was accepted by VMmanager but is gone", job.service.id);
    }
    let (phase, known) = record.map_or((None, None), |record| (Some(record.phase), record.vm));
    let scripts = scripts && phase.is_none_or(|phase| phase != Phase::Ready);
    let found = match job.locate_first()? {
        None if phase == Some(Phase::Requested) => job.appear()?,
        found => found,
    };
    let Some(host) = found else { return Ok(None) };
    let is_removed = phase == Some(Phase::Deleting) && job.service.status.is_unopened();
    if is_removed && (host.state == HostState::Creating || failed_creation(job, host.id)?.is_some()) {
        log::warn!("service {}: the remains of a failed creation, VM {}, are still there", job.service.id, host.id);
        remove::remove(job, &host)?;
        job.journal.step(job.service.id, Phase::Refused)?;
        return Ok(None);
    }
    if is_removed && job.service.named_vm() == Ok(None) {
        return Err(job.refusal(&host, "its removal was begun for an earlier service with this number"));
    }
    log::info!("service {}: VM {} ({}) exists already and is used", job.service.id, host.id, host.name);
    // A VM that only its mark proves may have other sizes than the order.
    let changed = changed || known != Some(host.id);
    Ok(complete(job, host.id, None, scripts)?.map(|host| (host, changed)))
}

/// Asks for the VM. The journal is on the disk before the request, and again before anybody waits.
fn create(job: &Job, order: &Order, place: &Placement, hash: &str) -> Result<(VmId, Option<Task>)> {
    let item = job.service.id;
    let request = request(job, order, place)?;
    fault::point("create.before_intent");
    let mark = job.mark.to_string();
    job.journal.intend(job.subject(job.platform()?, &mark), hash, request.account)?;
    fault::point("create.after_intent");
    job.journal.step(item, Phase::Requested)?;
    fault::point("create.before_request");
    let outcome = job.vmm.create_host(&request);
    fault::point("create.after_request");
    let (vm, task) = match outcome {
        Ok(accepted) => accepted,
        Err(Failure::Refused(error)) => {
            job.journal.step(item, Phase::Refused)?;
            return Err(error);
        }
        Err(Failure::Unknown(error)) => {
            log::warn!("service {item}: {error}; looking for the VM by its mark");
            let Some(host) = job.appear()? else {
                return Err(
                    error.and("no VM with the service's mark has appeared; the next try looks again before it asks")
                );
            };
            (host.id, None)
        }
    };
    job.journal.accept(item, vm, task.as_ref().and_then(|task| Some((task.consul, task.name.as_deref()?))))?;
    log::info!("service {item}: VMmanager makes VM {vm}");
    Ok((vm, task))
}

/// The body of the request; names become ids here, so a wrong name leaves nothing behind.
fn request(job: &Job, order: &Order, place: &Placement) -> Result<CreateHost> {
    let os = order.os.as_deref().ok_or_else(|| missing("ostempl", "the order names no OS template"))?;
    let (ipv4, ipv6) = (order.ipv4.unwrap_or(1), order.ipv6 == Some(true));
    if ipv4 == 0 && !ipv6 {
        let error = Error::new(Kind::BadParam, "ip", "the tariff gives neither an IPv4 nor an IPv6 address");
        return Err(error.cure("allow at least one address (add-on ip or ipv6)"));
    }
    let os = catalogue::os(&job.vmm, os, place.cluster)?;
    let preset = catalogue::needed_preset(|| job.vmm.presets(), order, os.is_lxd_image)?;
    backup_schedule::refuse_unknown(job, order, place.cluster)?;
    let recipe = match &order.recipe {
        Some(name) if place.use_recipes => Some(recipe_params::filled(job, name)?),
        _ => None,
    };
    let pools = pools::chosen(&job.vmm, place, order)?;
    let key = ssh_keys::ordered(job)?;
    let mut body = CreateHost {
        name: job.vm_name(),
        comment: job.mark.to_string(),
        cluster: place.cluster,
        os: os.id,
        domain: order.domain.clone(),
        ipv4_number: Some(ipv4).filter(|&n| n > 0),
        ipv4_pool: Some(pools.clone()).filter(|pools| !pools.is_empty()),
        ipv6_enabled: ipv6,
        ipv6_prefix: order.ipv6_prefix,
        recipe_list: recipe.map(|recipe| vec![recipe]),
        ..CreateHost::default()
    };
    if place.additional_interface {
        two_interfaces(job, place, &pools, &mut body)?;
    }
    if Tunable::of(job, order)?.at_creation {
        sizes::refuse_cpu_mode(&order.tuning, os.is_lxd_image)?;
        body.ordered = order.tuning.clone();
    }
    self::sizes(&mut body, order, preset.as_ref())?;
    fits(&os.name, "mem", body.ram_mib, os.min_ram_mib)?;
    fits(&os.name, "disk", body.hdd_mib, os.hdd_mib_required)?;
    body.password = Some(root_password(job)?);
    body.account = account::ensure(job)?;
    fault::point("account.recorded");
    if let Some(key) = key {
        let offered = ssh_keys::offered(job, &key, body.account, Proof::SshKeysAtCreation)?;
        body.ssh_keys = offered.map(|id| vec![id]);
    }
    Ok(body)
}

/// One address on each of the cluster's interfaces, in place of a number of addresses.
fn two_interfaces(job: &Job, place: &Placement, pools: &[u64], body: &mut CreateHost) -> Result<()> {
    if body.ipv4_number.is_none() {
        let text = "a VM with an additional network interface needs an IPv4 address; the tariff gives none (add-on ip)";
        return Err(Error::new(Kind::BadParam, "ip", text));
    }
    let both = interfaces::of_new_vm(&job.vmm, place.cluster, pools)?;
    if job.journal.has_proved(job.platform()?, Proof::Interfaces)? {
        body.interfaces = Some(both);
    } else {
        body.custom_interfaces = Some(interfaces::one_pool_each(&both));
    }
    (body.ipv4_number, body.ipv4_pool) = (None, None);
    Ok(())
}

/// Sizes from the tariff, else from the VM configuration. The platform does not take both together: when the tariff
/// leaves all sizes open the configuration itself is named, otherwise its values are spelled out [api 6, row 33].
fn sizes(body: &mut CreateHost, order: &Order, preset: Option<&Preset>) -> Result<()> {
    let sizes = &order.sizes;
    let speeds = (sizes.net_in_mbitps, sizes.net_out_mbitps);
    if let Some(preset) = preset
        && [sizes.cpu_number, sizes.ram_mib, sizes.hdd_mib] == [None; 3]
        && speeds == (None, None)
        && body.ordered.is_empty()
    {
        body.preset = Some(preset.id);
        return Ok(());
    }
    let needed = |name: &str, value: Option<u64>| {
        value.filter(|&size| size > 0).map(Some).ok_or_else(|| {
            let text = format!("neither the tariff nor a VM configuration gives \"{name}\"");
            Error::new(Kind::MissingParam, name, text).cure(format!("add the add-on \"{name}\" to the tariff"))
        })
    };
    body.cpu_number = needed("ncpu", sizes.cpu_number.or_else(|| preset?.cpu_number))?;
    body.ram_mib = needed("mem", sizes.ram_mib.or_else(|| preset?.ram_mib))?;
    body.hdd_mib = needed("disk", sizes.hdd_mib.or_else(|| preset.and_then(Preset::main_disk_mib)))?;
    let mut tuning = preset.map(|preset| preset.tuning.clone()).unwrap_or_default();
    if body.ordered.contains_key("cpu_mode") {
        // The model is that of the configuration's mode.
        tuning.cpu_custom_model = None;
    }
    body.tuning = Tuning {
        net_in_mbitps: speeds.0.or(tuning.net_in_mbitps),
        net_out_mbitps: speeds.1.or(tuning.net_out_mbitps),
        ..tuning
    };
    Ok(())
}

fn fits(os: &str, name: &str, ordered: Option<u64>, needed: Option<u64>) -> Result<()> {
    match (ordered, needed) {
        (Some(ordered), Some(needed)) if ordered < needed => {
            let text = format!("{os} needs at least {needed} MiB of {name}, but {ordered} MiB are ordered");
            Err(Error::new(Kind::BadParam, name, text))
        }
        _ => Ok(()),
    }
}

/// The ordered root password, or a new one that is saved before it is used.
fn root_password(job: &Job) -> Result<secrecy::SecretString> {
    use secrecy::ExposeSecret;
    let item = job.service.id;
    if let Some(ordered) = job.panel.secret(item, "password")?.filter(|secret| !secret.expose_secret().is_empty()) {
        return Ok(ordered);
    }
    let secret = password::generate()?;
    job.save_secret("password", &secret)?;
    Ok(secret)
}

/// Waits until a VM that was asked for is installed and has an address. Nothing when it does not exist (any more).
fn complete(job: &Job, vm: VmId, task: Option<&Task>, scripts: bool) -> Result<Option<Host>> {
    job.panel.save(job.service.id, "panelid", &vm.to_string())?;
    let mut limit = job.limits().create;
    // The VM of a service that was open is in use, however it began.
    let is_unopened = job.service.status.is_unopened();
    let mut may_have_failed = is_unopened && job.living_record()?.is_none_or(|record| record.phase != Phase::Ready);
    if let Some(task) = task {
        match job.finish(Ok(Some(task.clone())), limit) {
            Ok(Ended::Complete) => (limit, may_have_failed) = (job.limits().address, false),
            Ok(Ended::Unlisted) => {
                log::warn!("service {}: VMmanager forgot the task of VM {vm}; looking at the VM", job.service.id);
            }
            Err(Failure::Refused(error)) if error.kind == Kind::Vm6Task && is_unopened => {
                return Err(clean_up(job, vm, error));
            }
            Err(failure) => return Err(failure.into()),
        }
    }
    fault::point("create.waited");
    if scripts {
        recipe::wait(job, vm, task, None)?;
    }
    let Some(host) = wait_until_ready(job, vm, limit, may_have_failed)? else { return Ok(None) };
    job.prove(&host)?;
    job.journal_ready(&host)?;
    Ok(Some(host))
}

/// Nothing when the VM is not listed for as long as a created VM may take to show.
fn wait_until_ready(job: &Job, vm: VmId, limit: Duration, may_have_failed: bool) -> Result<Option<Host>> {
    let (started, mut seen) = (Instant::now(), (HostState::default(), 0));
    let ready = settle(&format!("VM {vm}: waiting until it runs and has an address"), limit, || {
        let Some(host) = job.host(vm)? else {
            return Ok((started.elapsed() >= job.limits().appear).then_some(None));
        };
        // A creation that failed may leave the VM in any state.
        if may_have_failed && let Some(failed) = failed_creation(job, vm)? {
            return Err(clean_up(job, vm, failed));
        }
        if is_ready(job, &host) {
            return Ok(Some(Some(host)));
        }
        if host.state == HostState::Stopped && job.service.status != ServiceStatus::Suspended {
            job.prove(&host)?;
            power::start(job, &host)?;
        }
        seen = (host.state, host.ip4.len() + host.ip6.len());
        Ok(None)
    })?;
    ready.ok_or_else(|| {
        let ((state, count), waited) = (seen, limit.as_secs());
        let text =
            format!("VM {vm} is {state} with {count} addresses after {waited} s; the next try continues to wait");
        Error::new(Kind::Vm6Timeout, format!("VM {vm}"), text)
    })
}

/// The error of the creation: without its answer there is no task to wait for.
fn failed_creation(job: &Job, vm: VmId) -> Result<Option<Error>> {
    let mut history = job.history(vm)?.into_iter().flatten();
    let failed = history.find(|past| past.name == "host_create" && past.ended() == Some(false));
    Ok(failed.map(|past| job.vmm.failed_before(&past)))
}

fn is_ready(job: &Job, host: &Host) -> bool {
    let settled = host.state == HostState::Running
        || (host.state == HostState::Stopped && job.service.status == ServiceStatus::Suspended);
    settled && addresses::main_address(None, host).is_some()
}

/// A failed creation may leave a half-made VM: it is removed if it is ours, so that the next try starts clean.
fn clean_up(job: &Job, vm: VmId, failed: Error) -> Error {
    let removed = job.vmm.host(vm).and_then(|host| match host {
        Some(host) => remove::remove(job, &host),
        None => Ok(()),
    });
    match removed.and_then(|()| job.journal.step(job.service.id, Phase::Refused)) {
        Ok(()) => failed.and(format!("the unfinished VM {vm} was removed, the next try starts again")),
        Err(error) => failed.and(format!("the unfinished VM {vm} could not be removed ({error})")),
    }
}

fn vanished(vm: VmId) -> Error {
    let text =
        format!("VMmanager accepted VM {vm} but does not list it; the next try looks again before it asks for another");
    Error::new(Kind::Vm6NotFound, format!("VM {vm}"), text)
}

/// Everything BILLmanager shows of the VM.
fn save_facts(job: &Job, host: &Host) -> Result<()> {
    let item = job.service.id;
    let mut facts = sync::shown(job, host);
    if job.service.param("domain").is_none() && !host.domain.is_empty() {
        facts.push(("domain", host.domain.clone()));
    }
    job.panel.save_changed(item, &job.panel.params(item)?, &facts)?;
    fault::point("open.params_saved");
    addresses::fill_slots(job, host)?;
    fault::point("open.slots_filled");
    Ok(())
}

/// `vds.open`; a parameter that this panel refuses is left out, at last the generic call is used [protocol 7.4].
fn finish_open(job: &Job, host: &Host) -> Result<()> {
    save_facts(job, host)?;
    let (item, vm) = (job.service.id, host.id.to_string());
    let domain = job.service.param("domain").unwrap_or(&host.domain);
    let mut facts = vec![
        ("ip", addresses::main_address(job.service.param("ip"), host).unwrap_or_default()),
        ("domain", domain),
        ("panelid", vm.as_str()),
        ("serverid", host.name.as_str()),
    ];
    facts.retain(|(_, value)| !value.is_empty());
    fault::point("callback.before");
    loop {
        match job.panel.call_back("vds.open", item, &facts) {
            Ok(()) => break,
            Err(error) if error.is_unreachable_panel() => return Err(error),
            Err(error) if facts.is_empty() => {
                log::warn!("service {item}: {error}; trying service.postopen");
                job.panel.post("service.postopen", item)?;
                break;
            }
            Err(error) => {
                log::warn!("service {item}: {error}; trying with fewer parameters");
                let before = facts.len();
                facts.retain(|(name, _)| *name != error.object);
                if facts.len() == before {
                    facts.clear();
                }
            }
        }
    }
    fault::point("open.called_back");
    log::info!("service {item}: open with VM {vm}");
    Ok(())
}

fn fingerprint(order: &Order, place: &Placement) -> String {
    sha256(format!("{order:?} {place:?}").as_bytes())[..16].to_owned()
}
