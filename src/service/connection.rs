//! From a handler's settings to a VMmanager we may work with.

use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};

use super::interfaces;
use super::order::Place;
use crate::config::Config;
use crate::error::{Error, Kind, Result};
use crate::log;
use crate::panel::Handler;
use crate::queue::settings::Settings;
use crate::vmm::{Access, Address, Client, Cluster, Identity, Session, Trust, Version};

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

/// The oldest release that the module is made for [api 4.13].
const OLDEST: Version = Version { year: 2024, month: 3, number: 1 };

/// Lists that operations read or work on, and what they are to people. What an account cannot even read it cannot use,
/// and that must show here and not at night.
const NEEDED: [(&str, &str); 6] = [
    ("/vm/v3/cluster", "clusters"),
    ("/vm/v3/host", "virtual machines"),
    ("/vm/v3/task", "tasks"),
    ("/vm/v3/os", "OS templates"),
    ("/vm/v3/preset", "VM configurations"),
    ("/vm/v3/ippool", "IP pools"),
];

/// What every later operation relies on, tried out without changing anything: reachability, login, the role of an
/// administrator, the version, the rights, the cluster and its interfaces.
pub fn check(vmm: &Client, settings: &BTreeMap<String, String>) -> Result<()> {
    let is_on = |name: &str| settings.get(name).is_some_and(|value| value == "on");
    check_role(vmm)?;
    check_version(vmm)?;
    let recipes = is_on("use_recipes").then_some(("/vm/v3/recipe", "recipes"));
    for (path, what) in NEEDED.into_iter().chain(recipes) {
        vmm.probe(path).map_err(|error| without_right(vmm, error, what))?;
    }
    // The wizard checks the credentials before it can offer the clusters.
    if settings.get("cluster").is_none_or(|cluster| cluster.trim().is_empty()) {
        return Ok(());
    }
    let cluster = cluster(vmm, Place::read(settings, &BTreeMap::new())?.cluster)?;
    if is_on("additional_interface") {
        interfaces::of_new_vm(vmm, cluster.id, &[])?;
    }
    Ok(())
}

/// A cluster that must exist.
pub fn cluster(vmm: &Client, id: u64) -> Result<Cluster> {
    vmm.cluster(id)?.ok_or_else(|| {
        let text = format!("VMmanager has no cluster with the id {id}; choose another one in the handler's settings");
        Error::new(Kind::ClusterNotFound, "cluster", text)
    })
}

/// Exactly `@admin`: a read-only administrator can log in and see, and every order would fail [api 1.3].
fn check_role(vmm: &Client) -> Result<()> {
    let own = vmm.account_by_email(vmm.username());
    let own = own.map_err(|error| without_right(vmm, error, "accounts"))?;
    if own.is_some_and(|account| account.roles.iter().any(|role| role == "@admin")) {
        return Ok(());
    }
    let text = format!("{} may log in to VMmanager but is not an administrator (role @admin)", vmm.username());
    Err(Error::new(Kind::Vm6Permission, vmm.username(), text))
}

/// Too old is refused; what cannot be understood is only worth a warning, because no source tells the shape.
fn check_version(vmm: &Client) -> Result<()> {
    match vmm.version() {
        Ok(Some(version)) if version < OLDEST => {
            let text = format!("this VMmanager is {version}, the module needs {OLDEST} or later; update VMmanager");
            Err(Error::new(Kind::Vm6Version, "version", text))
        }
        Ok(Some(_)) => Ok(()),
        Ok(None) => {
            log::warn!("VMmanager's version cannot be understood; the module is made for {OLDEST} or later");
            Ok(())
        }
        Err(error) if error.kind.is_connection() && error.kind != Kind::Vm6Permission => Err(error),
        Err(error) => {
            log::warn!("VMmanager does not tell its version ({error}); the module is made for {OLDEST} or later");
            Ok(())
        }
    }
}

/// Names the right that is missing. Without a valid licence most lists are closed too [api 1.5], which no change of
/// rights would cure.
fn without_right(vmm: &Client, error: Error, what: &str) -> Error {
    if error.kind != Kind::Vm6Permission {
        return error;
    }
    let text = if matches!(vmm.licence_valid(), Ok(Some(false))) {
        format!("VMmanager's licence is not valid, so it shows no {what}; renew the licence")
    } else {
        format!("{} may log in to VMmanager but may not see its {what}: {}", vmm.username(), error.value)
    };
    Error::new(Kind::Vm6Permission, what, text)
}
