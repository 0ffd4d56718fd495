//! From a handler's settings to a VMmanager we may work with.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::Handler;
use crate::queue::settings::Settings;
use crate::vmm::{Access, Address, Client, Cluster, Identity, Session, Trust};

/// A client for a handler as it is stored in BILLmanager; it shares its session with other processes.
pub fn client(config: &Config, handler: &Handler) -> Result<Client> {
    let access = access(&handler.params, handler.secrets.get("password"))?;
    let (settings, warnings) = Settings::read(&handler.params);
    for warning in warnings {
        log::warn!("handler {} ({}): {warning}", handler.id, handler.name);
    }
    if access.trust == Trust::Off {
        log::warn!("handler {} ({}): the certificate of VMmanager is not checked", handler.id, handler.name);
    }
    let session = Session::open(&config.runtime_dir(), &identity(&access), settings.session_ttl);
    Ok(Client::new(access, session, &config.limits))
}

/// A client for settings that are to be tried out: it always logs in itself. Asks VMmanager nothing yet.
pub fn connect(
    config: &Config,
    settings: &BTreeMap<String, String>,
    password: Option<&SecretString>,
) -> Result<Client> {
    let access = access(settings, password)?;
    let session = Session::alone(&identity(&access));
    Ok(Client::new(access, session, &config.limits))
}

fn access(settings: &BTreeMap<String, String>, password: Option<&SecretString>) -> Result<Access> {
    let setting = |name: &str| settings.get(name).map(|value| value.trim()).unwrap_or_default();
    let needed = |name: &str, value: &str| match value {
        "" => Err(Error::new(Kind::MissingParam, name, format!("the handler's setting \"{name}\" is empty"))),
        value => Ok(value.to_owned()),
    };
    Ok(Access {
        address: Address::parse(setting("url"))?,
        username: needed("username", setting("username"))?,
        password: password
            .filter(|p| !p.expose_secret().is_empty())
            .cloned()
            .ok_or_else(|| Error::new(Kind::MissingParam, "password", "the handler has no password for VMmanager"))?,
        trust: trust(setting("tls_verify"), setting("tls_fingerprint"))?,
    })
}

fn identity(access: &Access) -> Identity {
    Identity {
        url: format!("{}{}", access.address.origin, access.address.path),
        username: access.username.clone(),
        password: access.password.clone(),
        tls: format!("{:?}", access.trust),
    }
}

fn trust(mode: &str, fingerprint: &str) -> Result<Trust> {
    match mode {
        "" | "system" => Ok(Trust::System),
        "off" => Ok(Trust::Off),
        "pinned" => {
            let hex: String = fingerprint.chars().filter(|c| !c.is_whitespace() && *c != ':').collect();
            if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
                let text = format!("\"{fingerprint}\" is no SHA-256 fingerprint (64 hex digits, colons allowed)");
                let error = Error::new(Kind::BadParam, "tls_fingerprint", text);
                return Err(error.cure("openssl x509 -noout -fingerprint -sha256 prints it"));
            }
            Ok(Trust::Pinned(hex.to_lowercase()))
        }
        other => {
            let text = format!("\"{other}\" is not a way to check the certificate");
            Err(Error::new(Kind::BadParam, "tls_verify", text).cure("use system, pinned or off"))
        }
    }
}

/// VMmanager 6 handlers stand in data centers of BILLmanager itself; `datacenter_external` otherwise [protocol 3.2].
pub fn refuse_external(handler: &Handler) -> Result<()> {
    let Some(id) = handler.external_datacenter.as_deref().filter(|id| *id != "0") else { return Ok(()) };
    let text = format!("the handler's data center has the external id \"{id}\"");
    let error = Error::new(Kind::DatacenterExternal, "datacenter", text);
    Err(error.cure("VMmanager 6 handlers need a data center without one"))
}

/// A cluster that must exist.
pub fn cluster(vmm: &Client, id: u64) -> Result<Cluster> {
    vmm.cluster(id)?.ok_or_else(|| {
        Error::new(Kind::ClusterNotFound, "cluster", format!("VMmanager has no cluster with the id {id}"))
            .cure("choose another one in the handler's settings")
    })
}
