//! The one error of the program.
//!
//! An error is read by three: the panel looks up its text by the constant `kind` (`msg_error_<kind>` in the plugin
//! XML), a person reads `text` (what happened) and `cure` (what to do), and the program asks for `kind` and `origin`.
//! Nothing in the program reads the texts. Variable text never goes into the type [protocol 6.4].

use std::fmt;

use crate::mask::masked;
use crate::text::{LONGEST, clean};

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
    AccountTaken = "account_taken", "The account with the client's e-mail is somebody else's.";
    Vm6Platform = "vm6_platform", "The handler's address shows another VMmanager than the one the service lives on.";
    AddonUnsupported = "addon_unsupported", "A paid add-on is not one that the module delivers there.";
    VmHasSnapshots = "vm_has_snapshots", "The VM has snapshots: VMmanager changes neither its sizes nor its addresses.";
}

impl Kind {
    /// Connection and login failures are reported as a problem of the handler [protocol 3.30].
    pub fn is_connection(self) -> bool {
        matches!(self, Kind::Vm6Url | Kind::Vm6Connect | Kind::Vm6Tls | Kind::Vm6Auth | Kind::Vm6Permission)
    }

    /// The order itself cannot be carried out as things are, or VMmanager has tried and failed.
    fn is_verdict(self) -> bool {
        let order = [Kind::MissingParam, Kind::BadParam, Kind::DiskShrink, Kind::VmHasSnapshots, Kind::PresetNotFound];
        order.contains(&self) || matches!(self, Kind::AddonUnsupported | Kind::Vm6Task)
    }
}

/// Where an error came from, as far as that changes what the program does next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The module's own checks and waits, this server, or an answer.
    #[default]
    Module,
    /// BILLmanager could not be asked at all, which says nothing about what it would have answered.
    UnreachablePanel,
    /// The service has got another handler because of it: the operation can go on there.
    Moved,
    /// A single request to VMmanager that has no usable answer.
    Unanswered,
    /// VMmanager's no to a request that would have changed something.
    Refused,
    /// The client's VM was restarted, and what the restart was for has failed.
    RestartedInVain,
}

/// What went wrong, to which thing, and what to do about it. Never holds a secret.
///
/// Only [`Error::new`] makes one: `origin` is private, so that there is no other way. Object, text and cure are masked
/// and cleaned there and in what adds to them, so they can be shown, logged and passed on as they are.
#[derive(Debug, Clone, thiserror::Error)]
pub struct Error {
    /// The type for the panel.
    pub kind: Kind,
    /// The thing concerned: a parameter's name, a request (`POST /vm/v3/host`), a file.
    pub object: String,
    /// What happened, for people, in English.
    pub text: String,
    /// What to do about it, where the place of the error knows.
    pub cure: Option<String>,
    origin: Origin,
}

impl Error {
    /// An error of `kind` about `object`; `text` is a full sentence for a person.
    pub fn new(kind: Kind, object: impl Into<String>, text: impl Into<String>) -> Self {
        Error { kind, object: cleaned(object), text: cleaned(text), cure: None, origin: Origin::Module }
    }

    /// The same error with what to do about it.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cleaned(cure));
        self
    }

    /// The same error from somewhere else.
    #[must_use]
    pub fn origin(mut self, origin: Origin) -> Self {
        self.origin = origin;
        self
    }

    /// The same error; its text also says what the program did about it or will do.
    #[must_use]
    pub fn and(mut self, more: impl fmt::Display) -> Self {
        let more = cleaned(format!("; {more}"));
        self.text = clean(&self.text, LONGEST - more.chars().count()) + &more;
        self
    }

    /// The same error in other words.
    #[must_use]
    pub fn reworded(self, reword: impl Fn(&str) -> String) -> Self {
        let error = Error::new(self.kind, reword(&self.object), reword(&self.text)).origin(self.origin);
        match &self.cure {
            Some(cure) => error.cure(reword(cure)),
            None => error,
        }
    }

    /// Text and cure, as people read them together.
    pub fn message(&self) -> String {
        match &self.cure {
            Some(cure) => format!("{}; {cure}", self.text),
            None => self.text.clone(),
        }
    }

    /// Whether BILLmanager could not be asked at all.
    pub fn is_unreachable_panel(&self) -> bool {
        self.origin == Origin::UnreachablePanel
    }

    /// Whether the operation can go on with another handler.
    pub fn is_moved(&self) -> bool {
        self.origin == Origin::Moved
    }

    /// Whether VMmanager could not be asked for now: the same request may have an answer in a moment.
    pub fn may_pass(&self) -> bool {
        self.kind == Kind::Vm6Connect || self.origin == Origin::Unanswered
    }

    /// Whether there must be no repetition before a person has looked at the VM.
    pub fn needs_staff(&self) -> bool {
        self.kind == Kind::Vm6Foreign || self.origin == Origin::RestartedInVain
    }

    /// Whether what was asked for was definitely refused; nothing is said about other parts of the operation.
    pub fn is_refusal(&self) -> bool {
        self.origin == Origin::Refused || self.kind.is_verdict()
    }

    /// Whether an operation was waited for longer than allowed. A request without an answer is no such wait.
    pub fn is_long_wait(&self) -> bool {
        self.kind == Kind::Vm6Timeout && self.origin != Origin::Unanswered
    }
}

fn cleaned(text: impl Into<String>) -> String {
    clean(&masked(&text.into()), LONGEST)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.name())?;
        if !self.object.is_empty() {
            write!(f, " ({})", self.object)?;
        }
        write!(f, ": {}", self.message())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn no_text_of_an_error_is_dirty_or_long(
            parts in proptest::array::uniform4(any::<String>()), times in 1..3000_usize
        ) {
            let [object, text, cure, more] = parts.map(|part| part.repeat(times));
            let error = Error::new(Kind::Vm6Api, object, text).cure(cure).and(more);
            let error = error.reworded(|text| format!("{text}\u{1b}"));
            for text in [&error.object, &error.text, error.cure.as_ref().unwrap()] {
                prop_assert_eq!(&clean(text, LONGEST), text);
            }
        }
    }

    #[test]
    fn what_the_program_did_is_not_cut_off() {
        let error = Error::new(Kind::Vm6Task, "task 1", "x".repeat(3000)).and("the VM was removed");
        assert!(error.text.ends_with("x…; the VM was removed"), "{error}");
        assert_eq!(error.text.chars().count(), LONGEST);
    }
}
