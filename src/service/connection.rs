//! From a handler's settings to a VMmanager we may work with.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::order::Place;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::Handler;
use crate::queue::settings::Settings;
use crate::vmm::{Access, Address, Client, Identity, Session, Trust};

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
                let text = format!(
                    "\"{fingerprint}\" is no SHA-256 fingerprint (64 hex digits, colons allowed); openssl x509 -noout \
                     -fingerprint -sha256 prints it"
                );
                return Err(Error::new(Kind::BadParam, "tls_fingerprint", text));
            }
            Ok(Trust::Pinned(hex.to_lowercase()))
        }
        other => {
            let text = format!("\"{other}\" is not a way to check the certificate; use system, pinned or off");
            Err(Error::new(Kind::BadParam, "tls_verify", text))
        }
    }
}

/// Reachability, login, the role of an administrator, the cluster: what every later operation relies on.
pub fn check(vmm: &Client, settings: &BTreeMap<String, String>) -> Result<()> {
    let own = vmm.account_by_email(vmm.username())?;
    // Exactly `@admin`: a read-only administrator can log in and see, and every order would fail [api 1.3].
    if !own.is_some_and(|account| account.roles.iter().any(|role| role == "@admin")) {
        let text = format!("{} may log in to VMmanager but is not an administrator (role @admin)", vmm.username());
        return Err(Error::new(Kind::Vm6Permission, vmm.username(), text));
    }
    // The wizard checks the credentials before it can offer the clusters.
    if settings.get("cluster").is_none_or(|cluster| cluster.trim().is_empty()) {
        return Ok(());
    }
    let cluster = Place::read(settings, &BTreeMap::new())?.cluster;
    if vmm.cluster(cluster)?.is_some() {
        return Ok(());
    }
    let text = format!("VMmanager has no cluster with the id {cluster}; choose another one in the handler's settings");
    Err(Error::new(Kind::ClusterNotFound, "cluster", text))
}
