//! The client's SSH key: once in his own account, and from there in a VM that is installed, where VMmanager is proved to put
//! it there [api B11].
//!
//! The account is the one that was proved to be this client's and nobody's of the staff. Only an order that is opened adds a
//! key: a service that was open before may have been handed over with the key of its former owner, so there the key is used
//! only if the client's account has it. Looking and adding happen under the client's lock, and an answer that got lost is
//! looked up. The key is an extra: what VMmanager makes of it fails no
//! order, and whoever reads the log or runs `doctor` is told.

use secrecy::ExposeSecret;

use crate::error::{Error, Kind, Result};
use crate::id::AccountId;
use crate::journal::Proof;
use crate::service::job::Job;
use crate::service::order::ssh_key::{PARAM, SshKey};
use crate::service::vm::account;
use crate::vmm::Failure;
use crate::{fault, log};

/// The key of the order.
pub(super) fn ordered(job: &Job) -> Result<Option<SshKey>> {
    let text = job.panel.secret(job.service.id, PARAM)?;
    text.map_or(Ok(None), |text| SshKey::read(text.expose_secret()))
}

/// The number of the key in the client's `account`, for a request that puts it into the VM; nothing where none does.
pub(super) fn offered(job: &Job, key: &SshKey, account: AccountId, proof: Proof) -> Result<Option<u64>> {
    let without = |why: &str| log::warn!("service {}: its VM gets no SSH key: {why}", job.service.id);
    let id = match stored(job, key, account) {
        Ok(id) => id,
        Err(error) if error.kind == Kind::Vm6Connect => return Err(error),
        Err(error) => {
            without(&format!("it is not in account {account}: {error}"));
            return Ok(None);
        }
    };
    if job.journal.has_proved(job.platform()?, proof)? {
        return Ok(Some(id));
    }
    without(&format!(
        "it is in the client's account {account}, but VMmanager is not proved to put it into a VM; run \"pmvmmanager6 verify\""
    ));
    Ok(None)
}

/// The key in the account, put there if it is missing.
fn stored(job: &Job, key: &SshKey, account: AccountId) -> Result<u64> {
    let _lock = account::locked(job)?;
    if let Some(id) = find(job, key, account)? {
        return Ok(id);
    }
    if !job.service.status.is_unopened() {
        let text = "the account does not have it, and a service that was open may have changed hands: only an order adds a key";
        return Err(Error::new(Kind::BadParam, PARAM, text));
    }
    fault::point("ssh_key.before_request");
    let outcome = job.vmm.add_ssh_key(account, &key.name(), &key.line());
    fault::point("ssh_key.after_request");
    let lost = match outcome {
        Ok(Some(id)) => return Ok(id),
        Ok(None) => None,
        Err(Failure::Refused(error)) => return Err(error),
        Err(Failure::Unknown(error)) => Some(error),
    };
    let unlisted = || Error::new(Kind::Vm6Api, PARAM, "VMmanager has taken the key and does not list it");
    match find(job, key, account)? {
        Some(id) => Ok(id),
        None => Err(lost.map_or_else(unlisted, |error| Error::new(Kind::Vm6Api, PARAM, error.text))),
    }
}

fn find(job: &Job, key: &SshKey, account: AccountId) -> Result<Option<u64>> {
    let listed = job.vmm.ssh_keys(account)?;
    Ok(listed.iter().find(|it| SshKey::listed(&it.ssh_pub_key).as_ref() == Some(key)).map(|it| it.id))
}
