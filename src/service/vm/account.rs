//! The client's account in VMmanager: found by exact e-mail, else made, once.
//!
//! Two orders of one client may run at the same time: looking and making happen under the client's own lock. The
//! password is saved with the service before the request, so that a crash cannot leave an account nobody can enter.

use secrecy::ExposeSecret;

use crate::digest::sha256;
use crate::error::{Error, Kind, Result};
use crate::id::AccountId;
use crate::lock::Lock;
use crate::service::job::Job;
use crate::service::vm::password;
use crate::state::prepare_directory;
use crate::vmm::{Account, Failure};
use crate::{fault, log};

/// The id of the client's account.
pub fn ensure(job: &Job) -> Result<AccountId> {
    let email = job.service.client.email.trim();
    if email.is_empty() {
        let text = format!("client {} has no e-mail in BILLmanager", job.service.client.id);
        return Err(Error::new(Kind::MissingParam, "email", text).cure("VMmanager needs one for the account"));
    }
    let _lock = lock(job, email)?;
    if let Some(account) = known(job, email)? {
        return checked(&account);
    }
    create(job, email)
}

/// Not a ticket of the queue: a pause of the queue must not hold up an operation that runs already.
fn lock(job: &Job, email: &str) -> Result<Lock> {
    let directory = job.directory.join("account");
    prepare_directory(&directory)?;
    let path = directory.join(sha256(email.to_lowercase().as_bytes()));
    let mut waits = || log::info!("service {}: waiting for another order of {email}", job.service.id);
    Lock::at(&path, &mut waits).map_err(|error| {
        let text = format!("the lock of a client's account cannot be taken: {error}");
        Error::new(Kind::State, path.display().to_string(), text)
    })
}

/// By e-mail, or by the id that an earlier order of the client left in the journal: clients change their e-mail.
fn known(job: &Job, email: &str) -> Result<Option<Account>> {
    if let Some(account) = job.vmm.account_by_email(email)? {
        return Ok(Some(account));
    }
    match job.journal.account_of_client(job.service.client.id)? {
        Some(id) => job.vmm.account(id),
        None => Ok(None),
    }
}

fn create(job: &Job, email: &str) -> Result<AccountId> {
    let item = job.service.id;
    let secret = match job.panel.secret(item, "userpassword")? {
        Some(saved) if !saved.expose_secret().is_empty() => saved,
        _ => password::generate()?,
    };
    job.panel.save(item, "username", email)?;
    job.panel.save_secret(item, "userpassword", &secret)?;
    fault::point("account.before_request");
    let outcome = job.vmm.create_account(email, &secret, &job.service.client.real_name);
    fault::point("account.after_request");
    match outcome {
        Ok(id) => {
            log::info!("service {item}: account {id} made for {email}");
            Ok(id)
        }
        // Somebody made it meanwhile, or it exists in another spelling, or the answer was lost: look.
        Err(Failure::Refused(error) | Failure::Unknown(error)) => match job.vmm.account_in_full_list(email)? {
            Some(account) => checked(&account),
            None => Err(error),
        },
    }
}

fn checked(account: &Account) -> Result<AccountId> {
    refuse_admin(account)?;
    Ok(account.id)
}

/// An administrator's account is never a client's: the client would get the whole platform [api 1.4].
pub fn refuse_admin(account: &Account) -> Result<()> {
    if account.is_staff() {
        let text = format!(
            "the client's e-mail {} belongs to an administrator of VMmanager (account {})",
            account.email, account.id
        );
        return Err(Error::new(Kind::AdminAccount, &*account.email, text).cure("give the client another e-mail"));
    }
    Ok(())
}
