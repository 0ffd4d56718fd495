//! What every later operation relies on, tried out step by step without changing anything [protocol 3.2].

use crate::error::{Error, Kind, Result};
use crate::log;
use crate::service::platform::{connection, interfaces};
use crate::settings::HandlerSettings;
use crate::vmm::{Client, Cluster, Trust, Version};

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

/// A step of the trial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// VMmanager is reached, its certificate accepted, the administrator let in.
    Login,
    /// He is an administrator.
    Role,
    /// VMmanager is not too old.
    Version,
    /// He may read what operations need.
    Rights,
    /// The handler's cluster exists.
    Cluster,
    /// The additional interface that the settings ask for exists.
    Interfaces,
}

/// How a step ended that found nothing wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passed {
    /// It is right; what was seen.
    Fine(String),
    /// VMmanager does not report it; why.
    Unclear(String),
    /// The settings do not ask for it; which.
    NotAsked(String),
}

impl Step {
    /// All, in their order.
    pub(crate) const ALL: [Step; 6] =
        [Step::Login, Step::Role, Step::Version, Step::Rights, Step::Cluster, Step::Interfaces];

    /// Its name for people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Step::Login => "login",
            Step::Role => "role",
            Step::Version => "version",
            Step::Rights => "rights",
            Step::Cluster => "cluster",
            Step::Interfaces => "interfaces",
        }
    }

    /// The step that must have passed before this one says anything.
    pub(crate) fn needs(self) -> Option<Step> {
        match self {
            Step::Login => None,
            Step::Role | Step::Version | Step::Rights => Some(Step::Login),
            Step::Cluster => Some(Step::Rights),
            Step::Interfaces => Some(Step::Cluster),
        }
    }

    /// Takes the step.
    pub(crate) fn take(self, vmm: &Client, settings: &HandlerSettings) -> Result<Passed> {
        match self {
            Step::Login => vmm.log_in().map(|()| Passed::Fine(format!("logged in as {}", vmm.username()))),
            Step::Role => check_role(vmm),
            Step::Version => check_version(vmm),
            Step::Rights => check_rights(vmm, settings),
            Step::Cluster => check_cluster(vmm, settings),
            Step::Interfaces => check_interfaces(vmm, settings),
        }
    }
}

/// All steps; the first that fails ends the trial.
pub(crate) fn check(vmm: &Client, settings: &HandlerSettings) -> Result<()> {
    if *vmm.trust() == Trust::Off {
        log::warn!(
            "the certificate of VMmanager at {} is not checked: anybody on the way can read the password",
            vmm.base()
        );
    }
    for step in Step::ALL {
        if let Passed::Unclear(text) = step.take(vmm, settings)? {
            log::warn!("{text}");
        }
    }
    Ok(())
}

/// Exactly `@admin`: a read-only administrator can log in and see, and every order would fail [api 1.3].
fn check_role(vmm: &Client) -> Result<Passed> {
    let own = vmm.account_by_email(vmm.username());
    let own = own.map_err(|error| without_right(vmm, error, "accounts"))?;
    if own.is_some_and(|account| account.roles.iter().any(|role| role == "@admin")) {
        return Ok(Passed::Fine("@admin".to_owned()));
    }
    let text = format!("{} may log in to VMmanager but is not an administrator (role @admin)", vmm.username());
    Err(Error::new(Kind::Vm6Permission, vmm.username(), text))
}

/// Too old is refused; what cannot be understood is only worth a warning, because no source says the shape.
fn check_version(vmm: &Client) -> Result<Passed> {
    match vmm.version() {
        Ok(Some(version)) if version < OLDEST => {
            let text = format!("this VMmanager is {version}, the module needs {OLDEST} or later");
            Err(Error::new(Kind::Vm6Version, "version", text).cure("update VMmanager"))
        }
        Ok(Some(version)) => Ok(Passed::Fine(format!("VMmanager {version}"))),
        Ok(None) => Ok(Passed::Unclear(format!(
            "VMmanager's version cannot be understood; the module is made for {OLDEST} or later"
        ))),
        Err(error) if error.kind.is_connection() && error.kind != Kind::Vm6Permission => Err(error),
        Err(error) => Ok(Passed::Unclear(format!(
            "VMmanager does not report its version ({error}); the module is made for {OLDEST} or later"
        ))),
    }
}

fn check_rights(vmm: &Client, settings: &HandlerSettings) -> Result<Passed> {
    let recipes = settings.use_recipes.then_some(("/vm/v3/recipe", "recipes"));
    let mut seen = Vec::new();
    for (path, what) in NEEDED.into_iter().chain(recipes) {
        vmm.probe(path).map_err(|error| without_right(vmm, error, what))?;
        seen.push(what);
    }
    Ok(Passed::Fine(format!("{} can be read", seen.join(", "))))
}

/// The wizard checks the credentials before it can offer the clusters.
fn check_cluster(vmm: &Client, settings: &HandlerSettings) -> Result<Passed> {
    match chosen(vmm, settings)? {
        Some(cluster) => Ok(Passed::Fine(format!("{} {}", cluster.id, cluster.name).trim_end().to_owned())),
        None => Ok(Passed::NotAsked("no cluster is chosen yet".to_owned())),
    }
}

fn check_interfaces(vmm: &Client, settings: &HandlerSettings) -> Result<Passed> {
    if !settings.additional_interface {
        return Ok(Passed::NotAsked("the main interface only".to_owned()));
    }
    let Some(cluster) = settings.cluster.clone()? else {
        return Ok(Passed::NotAsked("no cluster is chosen yet".to_owned()));
    };
    let interfaces = interfaces::of_new_vm(vmm, cluster, &[])?;
    let numbers: Vec<String> = interfaces.iter().map(|at| at.interface.to_string()).collect();
    Ok(Passed::Fine(format!("IP pools serve the interfaces {}", numbers.join(" and "))))
}

/// The handler's cluster; nothing when none is chosen yet.
pub(crate) fn chosen(vmm: &Client, settings: &HandlerSettings) -> Result<Option<Cluster>> {
    settings.cluster.clone()?.map(|cluster| connection::cluster(vmm, cluster)).transpose()
}

/// Names the right that is missing. Without a valid licence most lists are closed too [api 1.5], which no change of
/// rights would cure.
fn without_right(vmm: &Client, error: Error, what: &str) -> Error {
    if error.kind != Kind::Vm6Permission {
        return error;
    }
    if matches!(vmm.licence_valid(), Ok(Some(false))) {
        let text = format!("VMmanager's licence is not valid, so it shows no {what}");
        return Error::new(Kind::Vm6Permission, what, text).cure("renew the licence");
    }
    let text = format!("{} may log in to VMmanager but may not see its {what}: {}", vmm.username(), error.message());
    Error::new(Kind::Vm6Permission, what, text)
}
