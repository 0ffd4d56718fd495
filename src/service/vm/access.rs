//! The client's ways into a VM: root password and a login link to the panel; and the reinstallation, which gives a new
//! password too.

use secrecy::SecretString;

use crate::error::{Error, Kind, Result};
use crate::journal::Proof;
use crate::panel::ServiceStatus;
use crate::service::job::Job;
use crate::service::platform::catalogue;
use crate::service::vm::{account, password, power, recipe, recipe_params, ssh_keys};
use crate::vmm::{Failure, Host, HostState};
use crate::{fault, log};

/// Sets the root password of the VM and saves it crypted; repeating it with the same password changes nothing.
pub(crate) fn change_password(job: &Job, secret: &SecretString) -> Result<()> {
    let host = job.vm()?;
    if host.state != HostState::Running {
        let text = format!("VM {} is {}", host.id, host.state);
        let error = Error::new(Kind::Vm6Busy, format!("VM {}", host.id), text);
        return Err(error.cure("the password can be changed while it runs"));
    }
    job.finish(job.vmm.set_password(host.id, secret), job.limits().change)?;
    fault::point("password.after_request");
    job.save_secret("password", secret)?;
    job.panel.post("service.postchangepassword", job.service.id)
}

/// A link that logs the client in to VMmanager: to his own account and no other, and not while the service is suspended.
/// Never for an administrator: the client would get the whole platform.
pub(crate) fn login_link(job: &Job) -> Result<SecretString> {
    if job.service.status == ServiceStatus::Suspended {
        let text = format!("service {} is suspended: its client cannot enter VMmanager", job.service.id);
        return Err(Error::new(Kind::BadParam, "status", text));
    }
    let host = job.vm()?;
    let owner = host.account.as_ref().map(|owner| owner.id).unwrap_or_default();
    let found = job.vmm.account(owner)?.ok_or_else(|| {
        let text = format!("the owner of VM {} (account {owner}) does not exist in VMmanager", host.id);
        Error::new(Kind::Vm6NotFound, "account", text)
    })?;
    account::checked(&found)?;
    if let Err(refusal) = job.facts(&host)?.judge_login() {
        let client = job.service.client.id;
        let text =
            format!("account {owner} ({}) is not known to be client {client}'s: {}", found.email, refusal.text());
        let line = account::confirmation(job, owner, None);
        let error = Error::new(Kind::AccountTaken, &*found.email, text);
        return Err(error.cure(format!("if it is the client's, run: {line}")));
    }
    job.vmm.login_link(found.id)
}

/// Installs the OS again with a new password; without `os` and `recipe` as ordered. Destroys the data on the disk; only an operator can ask for it.
pub(crate) fn reinstall(job: &Job, os: Option<&str>, recipe: Option<&str>) -> Result<()> {
    let host = job.vm()?;
    let place = job.place()?;
    let ordered = os.or(job.service.param("ostempl"));
    let name = ordered.ok_or_else(|| {
        crate::service::order::missing("ostempl", "the order names no OS template").cure("give one with --os")
    })?;
    let os = catalogue::os(&job.vmm, name, place.cluster)?;
    let ordered = job.service.param("recipe").filter(|name| place.use_recipes && *name != "null");
    let recipe = recipe.or(ordered);
    let recipe = recipe.map(|name| recipe_params::filled(job, name)).transpose()?;
    let keys = keys(job, &host)?;
    let before = power::newest_task(job, host.id)?;
    let (old, secret) = (job.panel.secret(job.service.id, "password")?, password::generate()?);
    job.save_secret("password", &secret)?;
    log::warn!("service {}: VM {} is installed again with {name}", job.service.id, host.id);
    let outcome = job.vmm.reinstall(host.id, &os, &secret, recipe.as_ref(), &keys);
    // The VM keeps its old password, and so must BILLmanager.
    if let (Err(Failure::Refused(_)), Some(old)) = (&outcome, old) {
        job.save_secret("password", &old)?;
    }
    let task = outcome.as_ref().ok().cloned().flatten();
    job.finish(outcome, job.limits().create)?;
    if recipe.is_some() {
        recipe::wait(job, host.id, task.as_ref(), before)?;
    }
    job.wait_for_state(host.id, &HostState::Running, job.limits().change)
}

/// The client's SSH key for a reinstallation: as long as the VM is in his recorded account.
fn keys(job: &Job, host: &Host) -> Result<Vec<u64>> {
    let Some(key) = ssh_keys::ordered(job)? else { return Ok(Vec::new()) };
    let owner = host.account.as_ref().map(|owner| owner.id);
    let Some(account) = account::known(job)?.filter(|account| Some(*account) == owner) else {
        log::warn!("service {}: its VM gets no SSH key: it is not in the client's recorded account", job.service.id);
        return Ok(Vec::new());
    };
    Ok(ssh_keys::offered(job, &key, account, Proof::SshKeysAtReinstall)?.into_iter().collect())
}
