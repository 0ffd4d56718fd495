//! From a handler's settings to a VMmanager we may work with.

use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::id::ClusterId;
use crate::log;
use crate::panel::Handler;
use crate::settings::{HandlerSettings, TlsVerify};
use crate::vmm::{Access, Client, Cluster, Endpoint, Identity, Session, Trust};

/// A client for a handler as it is stored in BILLmanager; it shares its session with other processes.
pub(crate) fn client(config: &Config, handler: &Handler) -> Result<Client> {
    let settings = HandlerSettings::read(&handler.params);
    let access = access(&settings, handler.secrets.get("password"))?;
    for (_, warning) in &settings.warnings {
        log::warn!("handler {} ({}): {warning}", handler.id, handler.name);
    }
    if access.trust == Trust::Off {
        log::warn!("handler {} ({}): the certificate of VMmanager is not checked", handler.id, handler.name);
    }
    let session = Session::open(&config.runtime_dir(), &identity(&access), settings.session_ttl);
    Ok(Client::new(access, session, &config.limits))
}

/// A client for settings that are to be tried out: it always logs in itself. Asks VMmanager nothing yet.
pub(crate) fn connect(config: &Config, settings: &HandlerSettings, password: Option<&SecretString>) -> Result<Client> {
    let access = access(settings, password)?;
    let session = Session::alone(&identity(&access));
    Ok(Client::new(access, session, &config.limits))
}

/// Everything that makes [`connect`] impossible, and a wrong cluster.
pub(crate) fn faults(settings: &HandlerSettings, password: Option<&SecretString>) -> Vec<Error> {
    let found = [
        address(settings).err(),
        settings.username.as_ref().err().cloned(),
        secret(password).err(),
        trust(settings).err(),
        settings.cluster.as_ref().err().cloned(),
    ];
    found.into_iter().flatten().collect()
}

fn access(settings: &HandlerSettings, password: Option<&SecretString>) -> Result<Access> {
    Ok(Access {
        endpoint: address(settings)?,
        username: settings.username.clone()?,
        password: secret(password)?,
        trust: trust(settings)?,
    })
}

fn address(settings: &HandlerSettings) -> Result<Endpoint> {
    Endpoint::parse(settings.url.as_deref().map_err(Clone::clone)?)
}

fn secret(password: Option<&SecretString>) -> Result<SecretString> {
    let filled = password.filter(|p| !p.expose_secret().is_empty()).cloned();
    filled.ok_or_else(|| Error::new(Kind::MissingParam, "password", "the handler has no password for VMmanager"))
}

fn identity(access: &Access) -> Identity {
    Identity {
        url: format!("{}{}", access.endpoint.origin, access.endpoint.path),
        username: access.username.clone(),
        password: access.password.clone(),
        tls: format!("{:?}", access.trust),
    }
}

/// The fingerprint counts only where it is used.
fn trust(settings: &HandlerSettings) -> Result<Trust> {
    Ok(match settings.tls_verify.clone()? {
        TlsVerify::System => Trust::System,
        TlsVerify::Pinned => Trust::Pinned(settings.tls_fingerprint.clone()?),
        TlsVerify::Off => Trust::Off,
    })
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
    vmm.cluster(id)?.ok_or_else(|| {
        Error::new(Kind::ClusterNotFound, "cluster", format!("VMmanager has no cluster with the id {id}"))
            .cure("choose another one in the handler's settings")
    })
}
