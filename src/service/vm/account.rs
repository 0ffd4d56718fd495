//! The client's account in VMmanager: the one that we recorded on this platform, else one with the client's e-mail that is
//! nobody else's, else a new one.
//!
//! An e-mail address proves nothing: its owner in BILLmanager can change it to one that somebody else has in VMmanager. Two
//! orders of one client may run at the same time: looking and making happen under the client's own lock. The password is
//! saved with the service before the request, so that a crash cannot leave an account nobody can enter. A service that a
//! reseller sold on has an account of its own, so that its client never enters the reseller's.

use secrecy::ExposeSecret;

use crate::digest::sha256;
use crate::error::{Error, Kind, Result};
use crate::id::{AccountId, ClientId, PlatformId};
use crate::journal::Tie;
use crate::lock::Lock;
use crate::service::job::Job;
use crate::service::order::host_name::host_name;
use crate::service::platform::recognise::is_recorded;
use crate::service::vm::password;
use crate::state::named_lock;
use crate::vmm::{Account, Failure, Glimpse, Host};
use crate::{fault, log};

/// The id of the client's account.
pub(crate) fn ensure(job: &Job) -> Result<AccountId> {
    let (platform, email) = (job.platform()?, email(job)?);
    let _lock = lock(job, &email)?;
    settle_old_rows(job, platform)?;
    let own = Own { job, platform, email: &email };
    if let Some(account) = own.recorded()? {
        return checked(&account).map(|()| account.id);
    }
    let id = match job.vmm.account_by_email(&email)? {
        Some(account) => own.take(&account)?,
        None => own.create()?,
    };
    own.tie(id)?;
    Ok(id)
}

/// The client's recorded account, while it exists; none is looked for otherwise, none is made.
pub(super) fn known(job: &Job) -> Result<Option<AccountId>> {
    let (platform, email) = (job.platform()?, email(job)?);
    let Some(account) = (Own { job, platform, email: &email }).recorded()? else { return Ok(None) };
    checked(&account).map(|()| Some(account.id))
}

/// Nobody else makes or changes the client's account until it is dropped.
pub(super) fn locked(job: &Job) -> Result<Lock> {
    lock(job, &email(job)?)
}

/// The address of the account: the client's, or one made for a service that was sold on.
fn email(job: &Job) -> Result<String> {
    let service = &job.service;
    if let Some(domain) = resold_domain(job) {
        return Ok(format!("vm{}@{domain}", service.id));
    }
    match service.client.email.trim() {
        "" => {
            let text = format!("client {} has no e-mail in BILLmanager", service.client.id);
            Err(Error::new(Kind::MissingParam, "email", text).cure("VMmanager needs one for the account"))
        }
        email => Ok(email.to_owned()),
    }
}

/// The domain for the accounts of services that were sold on; nothing for other services.
fn resold_domain(job: &Job) -> Option<String> {
    let is_resold = job.service.remote_id.is_some() && job.settings.resold_accounts;
    is_resold.then(|| {
        let template = job.service.tariff.get("freedomain").map(String::as_str).unwrap_or_default();
        domain_of(template).unwrap_or_else(|| "example.com".to_owned())
    })
}

/// What all host names of a template have in common: the parts behind its last macro.
fn domain_of(template: &str) -> Option<String> {
    let fixed = match template.rsplit_once('@') {
        Some((_, rest)) => rest.split_once('.')?.1,
        None => template,
    };
    host_name(fixed)
}

/// The command line with which staff say that an account is this client's; `from` is the client it is recorded for.
pub(crate) fn confirmation(job: &Job, account: AccountId, from: Option<ClientId>) -> String {
    let (module, client) = (job.handler.id, job.service.client.id);
    let item = resold_domain(job).map(|_| format!(" --item {}", job.service.id)).unwrap_or_default();
    let from = from.map(|other| format!(" --from {other}")).unwrap_or_default();
    format!("pmvmmanager6 account confirm --module {module} --client {client} --account {account}{item}{from} --yes")
}

/// Rows of the first release do not say where their ids mean something: the client's VMs are looked for here.
fn settle_old_rows(job: &Job, platform: PlatformId) -> Result<()> {
    for row in job.journal.unsettled_vms(job.service.client.id)? {
        if job.vmm.host(row.vm)?.is_some_and(|host| is_recorded(&Glimpse::from(&host), &row)) {
            job.journal.settle_platform(row.item, platform)?;
        }
    }
    Ok(())
}

/// The account of one client on one platform.
struct Own<'a> {
    job: &'a Job<'a>,
    platform: PlatformId,
    email: &'a str,
}

impl Own<'_> {
    /// The tie that is to be: to the client, and to the service alone if it was sold on.
    fn wanted(&self, account: AccountId) -> Tie {
        let service = &self.job.service;
        let item = resold_domain(self.job).map(|_| service.id);
        Tie { platform: self.platform, account, client: service.client.id, item }
    }

    /// The account that we recorded, while it exists.
    fn recorded(&self) -> Result<Option<Account>> {
        let wanted = self.wanted(AccountId::default());
        match self.job.journal.account_of(self.platform, wanted.client, wanted.item)? {
            Some(id) => self.job.vmm.account(id),
            None => Ok(None),
        }
    }

    /// An account that was found by its e-mail, if it is nobody else's.
    fn take(&self, account: &Account) -> Result<AccountId> {
        checked(account)?;
        let client = self.job.service.client.id;
        match self.job.journal.tie_of(self.platform, account.id)? {
            Some(tie) if tie == self.wanted(account.id) => return Ok(account.id),
            Some(tie) => return Err(self.owned(&tie)),
            None => {}
        }
        let named = self.job.panel.clients_with_username(&account.email)?;
        if let Some(other) = named.iter().find(|other| **other != client) {
            return Err(self.taken(account.id, None, &format!("services of client {other} use it")));
        }
        let has_vms = |host: &Host| host.account.as_ref().is_some_and(|owner| owner.id == account.id);
        if named.is_empty() && self.job.vmm.hosts()?.iter().any(has_vms) {
            return Err(self.taken(account.id, None, "it has VMs, and nothing says that they are this client's"));
        }
        Ok(account.id)
    }

    /// The account is the client's neither by the journal nor by what else is known; `from` is the one it is recorded for.
    fn taken(&self, account: AccountId, from: Option<ClientId>, why: &str) -> Error {
        let (client, email) = (self.job.service.client.id, self.email);
        let text = format!(
            "VMmanager has an account with the e-mail {email} (account {account}), and {why}; client {client} does not get it"
        );
        let line = confirmation(self.job, account, from.filter(|other| *other != client));
        let cure = format!("give the client another e-mail, or, if the account is the client's, run: {line}");
        Error::new(Kind::AccountTaken, email, text).cure(cure)
    }

    fn tie(&self, account: AccountId) -> Result<()> {
        let Some(other) = self.job.journal.tie(&self.wanted(account))? else { return Ok(()) };
        Err(self.owned(&other))
    }

    fn owned(&self, tie: &Tie) -> Error {
        let why = match tie.item {
            Some(item) => format!("it is the account of client {} for service {item} alone", tie.client),
            None => format!("it is the account of client {}", tie.client),
        };
        self.taken(tie.account, Some(tie.client), &why)
    }

    fn create(&self) -> Result<AccountId> {
        let (job, email) = (self.job, self.email);
        let item = job.service.id;
        let secret = match job.panel.secret(item, "userpassword")? {
            Some(saved) if !saved.expose_secret().is_empty() => saved,
            _ => password::generate()?,
        };
        job.panel.save(item, "username", email)?;
        job.save_secret("userpassword", &secret)?;
        fault::point("account.before_request");
        let outcome = job.vmm.create_account(email, &secret, &job.service.client.real_name);
        fault::point("account.after_request");
        match outcome {
            Ok(id) => {
                log::info!("service {item}: account {id} made for {email}");
                Ok(id)
            }
            // The answer was lost: look.
            Err(Failure::Unknown(error)) => self.find(error),
            // Somebody made it meanwhile, or it exists in another spelling: it has another password than ours.
            Err(Failure::Refused(error)) => {
                let found = self.find(error)?;
                job.panel.drop_secret(item, "userpassword")?;
                Ok(found)
            }
        }
    }

    /// An account that the filter for e-mails does not show.
    fn find(&self, failed: Error) -> Result<AccountId> {
        match self.job.vmm.account_in_full_list(self.email)? {
            Some(account) => self.take(&account),
            None => Err(failed),
        }
    }
}

/// Not a ticket of the queue: a pause of the queue must not hold up an operation that runs already.
fn lock(job: &Job, email: &str) -> Result<Lock> {
    let mut waits = || log::info!("service {}: waiting for another order of {email}", job.service.id);
    named_lock(&job.directory, "account", &sha256(email.to_lowercase().as_bytes()), &mut waits)
}

/// Only somebody with a client's rights is a client: who is not known to be one could get the whole platform [api 1.4].
pub(crate) fn checked(account: &Account) -> Result<()> {
    let Account { id, email, roles, .. } = account;
    if account.is_staff() {
        let text = format!("the e-mail {email} belongs to an administrator of VMmanager (account {id})");
        return Err(Error::new(Kind::AdminAccount, &**email, text).cure("give the client another e-mail"));
    }
    if roles.is_empty() {
        let text =
            format!("VMmanager does not say which role account {id} ({email}) has: it may be an administrator's");
        return Err(
            Error::new(Kind::AdminAccount, &**email, text).cure("give the account the role User (@user) in VMmanager")
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::domain_of;

    #[test]
    fn what_all_host_names_of_a_template_have_in_common() {
        let templates = [
            ("@ID@.vps.example.net", Some("vps.example.net")),
            ("vps@ID@.Example.net", Some("example.net")),
            ("@USERNAME@.@TYPE@-x.example.net", Some("example.net")),
            ("vps.example.net", Some("vps.example.net")),
            ("@ID@.local", None),
            ("@ID@", None),
            ("", None),
        ];
        for (template, domain) in templates {
            assert_eq!(domain_of(template).as_deref(), domain, "{template}");
        }
    }
}
