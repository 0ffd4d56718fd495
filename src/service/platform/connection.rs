//! From a handler's settings to a VMmanager we may work with.

use super::destination::{self, Destination};
use super::password::{self, Password, StoredGate};
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::log;
use crate::panel::Handler;
use crate::settings::HandlerSettings;
use crate::vmm::{Access, Client, Cluster, Identity, Session, Trust};

/// A client for a handler as it is stored in BILLmanager; it shares its session with other processes.
pub(crate) fn client(config: &Config, handler: &Handler) -> Result<Client> {
    shared(config, handler, true)
}

/// The same for somebody who only looks: nothing is remembered of it.
pub(crate) fn observer(config: &Config, handler: &Handler) -> Result<Client> {
    shared(config, handler, false)
}

fn shared(config: &Config, handler: &Handler, records: bool) -> Result<Client> {
    let settings = HandlerSettings::read(&handler.params);
    let destination = Destination::read(&settings)?;
    let gate = StoredGate::new(config, handler, &destination, records);
    let access = access(destination, &Password::Stored(handler))?;
    for (_, warning) in &settings.warnings {
        log::warn!("handler {} ({}): {warning}", handler.id, handler.name);
    }
    if access.trust == Trust::Off {
        log::warn!("handler {} ({}): the certificate of VMmanager is not checked", handler.id, handler.name);
    }
    let key = &handler.sealing_key;
    let session = Session::open(&config.runtime_dir(), &identity(&access), key, settings.session_ttl);
    Ok(Client::new(access, session, &config.limits).guarded(Box::new(gate)))
}

/// A client for settings that are to be tried out: it always logs in itself. Asks VMmanager nothing yet.
pub(crate) fn connect(config: &Config, settings: &HandlerSettings, password: &Password) -> Result<Client> {
    let destination = Destination::read(settings)?;
    let gate = match password {
        Password::Typed(_) => None,
        Password::Stored(handler) => Some(StoredGate::new(config, handler, &destination, false)),
    };
    let access = access(destination, password)?;
    let session = Session::alone(&identity(&access));
    let client = Client::new(access, session, &config.limits);
    Ok(match gate {
        Some(gate) => client.guarded(Box::new(gate)),
        None => client,
    })
}

/// Everything that makes [`connect`] with a handler's own settings impossible, and a wrong cluster.
pub(crate) fn faults(settings: &HandlerSettings, handler: &Handler) -> Vec<Error> {
    let found = [
        destination::address(settings).err(),
        settings.username.as_ref().err().cloned(),
        password::of(handler).is_none().then(password::missing),
        destination::trust(settings).err(),
        settings.cluster.as_ref().err().cloned(),
    ];
    found.into_iter().flatten().collect()
}

fn access(to: Destination, password: &Password) -> Result<Access> {
    let password = password.secret()?;
    Ok(Access { endpoint: to.endpoint, username: to.username, password, trust: to.trust })
}

fn identity(access: &Access) -> Identity {
    Identity {
        url: format!("{}{}", access.endpoint.origin, access.endpoint.path),
        username: access.username.clone(),
        password: access.password.clone(),
        tls: format!("{:?}", access.trust),
    }
}

/// VMmanager 6 handlers are in data centers of BILLmanager itself; `datacenter_external` otherwise [protocol 3.2].
pub(crate) fn refuse_external(handler: &Handler) -> Result<()> {
    let Some(id) = handler.external_datacenter.as_deref().filter(|id| *id != "0") else { return Ok(()) };
    let text = format!("the handler's data center has the external id \"{id}\"");
    let error = Error::new(Kind::DatacenterExternal, "datacenter", text);
    Err(error.cure("VMmanager 6 handlers need a data center without one"))
}

/// A cluster that must exist.
pub(crate) fn cluster(vmm: &Client, id: ClusterId) -> Result<Cluster> {
    vmm.cluster(id)?.ok_or_else(|| no_cluster(id))
}

/// The error for a cluster that does not exist.
pub(super) fn no_cluster(id: ClusterId) -> Error {
    Error::new(Kind::ClusterNotFound, "cluster", format!("VMmanager has no cluster with the id {id}"))
        .cure("choose another one in the handler's settings")
}
