//! The one error of the program.
//!
//! An error is read by three: the panel looks up its text by the constant `kind` (`msg_error_<kind>` in the plugin
//! XML), a person reads `value` (what happened, to what, what to do), and the program asks [`Kind::is_connection`]
//! whether a problem with the handler must be reported. Variable text never goes into the type [protocol 6.4].

use std::fmt;

/// Shorthand for results of this crate.
pub type Result<T> = std::result::Result<T, Error>;

macro_rules! kinds {
    ($($variant:ident = $name:literal, $doc:literal;)*) => {
        /// The error types. Their names are in the plugin XML and the README, so they never change.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Kind { $(#[doc = $doc] $variant,)* }

        impl Kind {
            /// Every type, in the order of the contract.
            pub const ALL: &'static [Kind] = &[$(Kind::$variant,)*];

            /// The constant word that BILLmanager sees in `error/@type`.
            pub fn name(self) -> &'static str {
                match self { $(Kind::$variant => $name,)* }
            }
        }
    };
}

kinds! {
    BadInputXml = "bad_input_xml", "Standard input is not the XML document the command needs.";
    BadArgument = "bad_argument", "A command-line argument is missing or has no usable value.";
    MissingParam = "missing_param", "A required setting or order parameter is empty.";
    BadParam = "bad_param", "A setting or order parameter has an impossible value.";
    NotSupported = "not_supported", "The command is not one of ours.";
    Db = "db", "BILLmanager's database cannot be read, or lacks a row that must exist.";
    Mgrctl = "mgrctl", "BILLmanager refused a call, or `mgrctl` cannot be run.";
    State = "state", "Our own state on this machine (directories, journal, queue) cannot be used.";
    Vm6Url = "vm6_url", "The address of VMmanager is no usable URL.";
    Vm6Connect = "vm6_connect", "VMmanager cannot be reached, or what answers is not VMmanager.";
    Vm6Tls = "vm6_tls", "The certificate of VMmanager cannot be accepted.";
    Vm6Auth = "vm6_auth", "VMmanager refused the user name or password.";
    Vm6Permission = "vm6_permission", "The account may log in but lacks the rights of an administrator.";
    Vm6Version = "vm6_version", "VMmanager is older than the module needs.";
    Vm6Api = "vm6_api", "VMmanager refused a request.";
    Vm6Task = "vm6_task", "A task failed inside VMmanager.";
    Vm6Timeout = "vm6_timeout", "VMmanager did not finish in the time allowed; the outcome is looked up at the next try.";
    Vm6NotFound = "vm6_not_found", "VMmanager has no such object.";
    Vm6Foreign = "vm6_foreign", "The VM cannot be proved to be this service's.";
    Vm6Busy = "vm6_busy", "VMmanager works on this VM already.";
    ClusterNotFound = "cluster_not_found", "The handler's cluster does not exist in VMmanager.";
    OsNotFound = "os_not_found", "VMmanager has no OS template of this name.";
    OsNotOnCluster = "os_not_on_cluster", "The OS template exists but cannot be used on this cluster.";
    RecipeNotFound = "recipe_not_found", "VMmanager has no recipe of this name.";
    PresetNotFound = "preset_not_found", "VMmanager has no VM configuration of this name.";
    NoSecondInterface = "no_second_interface", "The cluster has no additional network interface.";
    DatacenterExternal = "datacenter_external", "The handler's data center has an external id.";
    AdminAccount = "admin_account", "The client's e-mail belongs to an administrator of VMmanager.";
    DiskShrink = "disk_shrink", "The order asks for a smaller disk than the VM has.";
    UnsupportedModule = "unsupported_module", "The service belongs to another processing module.";
}

impl Kind {
    /// Connection and login failures are reported as a problem of the handler [protocol 3.30].
    pub fn is_connection(self) -> bool {
        matches!(self, Kind::Vm6Url | Kind::Vm6Connect | Kind::Vm6Tls | Kind::Vm6Auth | Kind::Vm6Permission)
    }

    /// No repetition can help: a person has to look at the VM.
    pub fn needs_staff(self) -> bool {
        self == Kind::Vm6Foreign
    }
}

/// What went wrong, to which thing, and what to do about it. Never holds a secret.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    /// The type for the panel.
    pub kind: Kind,
    /// The thing concerned: a parameter's name, a request (`POST /vm/v3/host`), a file.
    pub object: String,
    /// Text for people, in English.
    pub value: String,
}

impl Error {
    /// An error of `kind` about `object`; `value` is a full sentence for a person.
    pub fn new(kind: Kind, object: impl Into<String>, value: impl Into<String>) -> Self {
        Error { kind, object: object.into(), value: value.into() }
    }

    /// BILLmanager could not be asked at all, which says nothing about what it would have answered.
    pub fn unreachable_panel(function: &str, text: &str) -> Self {
        Error::new(Kind::Mgrctl, "mgrctl", format!("{function}: {text}"))
    }

    /// Whether this is [`Error::unreachable_panel`].
    pub fn is_unreachable_panel(&self) -> bool {
        self.kind == Kind::Mgrctl && self.object == "mgrctl"
    }

    /// The same error with a sentence added that says what the program did or what to do next.
    #[must_use]
    pub fn and(mut self, more: impl fmt::Display) -> Self {
        self.value = format!("{}; {more}", self.value);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.object.is_empty() {
            write!(f, "{}: {}", self.kind.name(), self.value)
        } else {
            write!(f, "{} ({}): {}", self.kind.name(), self.object, self.value)
        }
    }
}
