//! How a simulated platform is to be started.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::another_site::ClusterNames;

/// Everything that has to be known before the platform starts; what may change later is in [`super::Platform`].
#[derive(Clone, Debug)]
pub struct Setup {
    /// Plain HTTP or HTTPS with a certificate of a given quality.
    pub transport: Transport,
    /// How long tasks take.
    pub timing: Timing,
    /// E-mail of account 1, the administrator.
    pub admin_email: String,
    /// Password of account 1.
    pub admin_password: String,
    /// A session unused for this long is forgotten [api 1.3]; the platform's own default is 60 minutes.
    pub session_idle: Duration,
    /// Address to listen on; `::1` works as well.
    pub address: IpAddr,
    /// Port to listen on, 0 for any free one.
    pub port: u16,
    /// The word of a failed task: `failed` or `fail`, the vendor's sources disagree [api 3.4].
    pub failure_word: &'static str,
    /// Client addresses that may log in; `None` is everybody [api 1.3].
    pub allowed_clients: Option<Vec<IpAddr>>,
    /// How the clusters differ from those of the default platform; all other numbers are the same on every platform.
    pub clusters: ClusterNames,
    /// Platforms with different blocks have no address in common.
    pub address_block: u8,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            transport: Transport::Plain,
            timing: Timing::default(),
            admin_email: "admin@example.net".into(),
            admin_password: "Adm1n-secret-pass".into(),
            session_idle: Duration::from_hours(1),
            address: IpAddr::V4(Ipv4Addr::LOCALHOST),
            port: 0,
            failure_word: "failed",
            allowed_clients: None,
            clusters: ClusterNames::default(),
            address_block: 0,
        }
    }
}

/// What the sockets speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transport {
    /// HTTP.
    Plain,
    /// HTTPS.
    Tls(Certificate),
}

/// The quality of the server's certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Certificate {
    /// Valid for `localhost`, `127.0.0.1` and `::1`, signed through an intermediate by [`super::VmManager::ca_pem`].
    Signed,
    /// Valid for the same names, signed by nobody; no authority exists.
    SelfSigned,
    /// Signed by the authority, but its time is over.
    Expired,
    /// Signed by the authority, but for another host.
    WrongHost,
    /// Signed by the authority; its time is over in less than a week.
    EndsSoon,
    /// Signed by nobody, and shown by a server that does not have its key.
    Stolen,
}

/// How long tasks take; read at the moment a task is accepted.
#[derive(Clone, Debug)]
pub struct Timing {
    /// From the answer until the task is in the task list [api 3.1].
    pub listed_after: Duration,
    /// `host_create`, without recipes.
    pub create: Duration,
    /// Added to `host_create` and `host_reinstall` for each recipe.
    pub recipe: Duration,
    /// Every other task.
    pub other: Duration,
    /// Durations of single task names; they win over the fields above.
    pub by_name: BTreeMap<String, Duration>,
    /// From the end of `host_create` until its addresses are shown [api 6, row 30].
    pub addresses_after: Duration,
    /// From the answer until lists show a new VM.
    pub vm_listed_after: Duration,
    /// From the answer until the paths of a new VM know it.
    pub vm_found_after: Duration,
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            listed_after: Duration::from_millis(20),
            create: Duration::from_millis(150),
            recipe: Duration::from_millis(40),
            other: Duration::from_millis(40),
            by_name: BTreeMap::new(),
            addresses_after: Duration::ZERO,
            vm_listed_after: Duration::ZERO,
            vm_found_after: Duration::ZERO,
        }
    }
}

impl Timing {
    /// Slow enough to watch: a VM takes seconds, the rest about one.
    pub fn slow() -> Self {
        Self {
            listed_after: Duration::from_millis(700),
            create: Duration::from_secs(8),
            recipe: Duration::from_secs(3),
            other: Duration::from_millis(1500),
            by_name: BTreeMap::new(),
            addresses_after: Duration::from_millis(500),
            vm_listed_after: Duration::ZERO,
            vm_found_after: Duration::ZERO,
        }
    }

    /// The same timing with another duration for one task name.
    #[must_use]
    pub fn with(mut self, task: &str, takes: Duration) -> Self {
        self.by_name.insert(task.to_owned(), takes);
        self
    }

    /// How long a task of this name takes.
    pub fn of(&self, task: &str) -> Duration {
        let usual = if task == "host_create" { self.create } else { self.other };
        self.by_name.get(task).copied().unwrap_or(usual)
    }
}
