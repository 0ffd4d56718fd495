//! How builds of the platform differ, or may differ as nobody knows. The default is what is known best.

#![allow(clippy::struct_excessive_bools, reason = "each is a difference of its own")]

use super::error::ApiError;

/// The differences; `platform.variant` may be changed at any moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// `GET /auth/v4/whoami` exists [api B5]; without it the path is unknown.
    pub whoami: bool,
    /// Accounts have `roles` in the answers; see [`super::Platform::hide_roles`].
    pub shows_roles: bool,
    /// What lists of administrators answer to everybody else.
    pub user_lists: UserLists,
    /// Shape of a VM's history [api B4].
    pub history: History,
    /// What is done with the comments of VMs.
    pub comments: Comments,
    /// Where the description of the API is [api B16].
    pub description: Description,
    /// `interfaces` is a property of the request that makes a VM; without it only `custom_interfaces` is [api B10].
    pub interfaces: bool,
    /// Which requests put SSH keys into a VM [api B11].
    pub ssh_keys: SshKeys,
    /// Whether there are backup schedules, and what changes one.
    pub schedules: Schedules,
    /// A changed backup schedule is seen when a task has ended.
    pub schedule_tasks: bool,
    /// Limits and modes that the request that makes a VM knows and describes [api B14].
    pub tuning_at_creation: Known,
    /// The same of the request that changes one.
    pub tuning_at_change: Known,
    /// A VM is shown with its limits and modes.
    pub shows_tuning: bool,
    /// A hot change that is not possible fails in its task, not at the request [api B2].
    pub hot_limits_in_task: bool,
    /// A VM's main address is the last in its lists: no source says that it is the first.
    pub main_address_last: bool,
    /// What nodes and pools tell of how full they are.
    pub figures: Figures,
}

impl Default for Variant {
    fn default() -> Self {
        Self {
            whoami: true,
            shows_roles: true,
            user_lists: UserLists::default(),
            history: History::default(),
            comments: Comments::default(),
            description: Description::default(),
            interfaces: true,
            tuning_at_creation: Known::default(),
            tuning_at_change: Known::default(),
            shows_tuning: true,
            ssh_keys: SshKeys::default(),
            schedules: Schedules::default(),
            schedule_tasks: false,
            hot_limits_in_task: false,
            main_address_last: false,
            figures: Figures::default(),
        }
    }
}

/// What an account without the rights for a request is answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum UserLists {
    /// 403.
    #[default]
    Refused,
    /// Lists are empty under status 200, single objects are unknown under 404, the rest is 403.
    Empty,
}

/// Where the description of the API is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Description {
    /// `GET /vm/v3/api`.
    #[default]
    Api,
    /// Behind the page `/swagger/`, whose script names it.
    Script,
    /// Behind the page `/swagger/`, whose configuration names it.
    Configuration,
    /// Nowhere; the page shows other services.
    Missing,
}

/// Which requests have `ssh_keys`, and what that is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SshKeys {
    /// None.
    #[default]
    Nowhere,
    /// Creation: ids of keys of the VM's owner.
    Creation,
    /// The same at creation and reinstallation.
    Everywhere,
    /// Texts, of which nobody knows what they mean.
    Texts,
}

/// What changes a backup schedule: no source shows more than that its VMs are `hosts` [api B15].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Schedules {
    /// What is sent; the rest stays.
    #[default]
    Parts,
    /// The same by its description, but what is not sent is unset.
    Resetting,
    /// The schedule as a whole.
    Whole,
    /// Nothing: this build has no schedules.
    Missing,
}

/// What nodes and pools tell of how full they are [api 4.2, 4.6].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Figures {
    /// Everything, and how often a node may sell its cores and memory.
    #[default]
    Full,
    /// The same without the overselling.
    WithoutOverselling,
    /// As builds of 2022: other fields, texts for numbers.
    Old,
    /// Nothing.
    Missing,
}

/// Which limits and modes a request knows; the speeds of the network are always known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Known {
    /// All.
    #[default]
    All,
    /// All but this one.
    Without(&'static str),
    /// None.
    None,
}

impl Known {
    /// Whether a request knows the field.
    pub(super) fn has(self, field: &str) -> bool {
        match self {
            Self::All => true,
            Self::Without(missing) => field != missing,
            Self::None => field.starts_with("net_") || field == "firewall_rules",
        }
    }
}

/// Shape of a line of a VM's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum History {
    /// `id`, `name`, `state`, `task`, `date_create`, `params`, `user`.
    #[default]
    Full,
    /// `id`, `name`, `state`, `task`, `date_create`.
    Short,
    /// Full, but without `id` and `task`.
    WithoutIds,
}

/// What is done with the comments of VMs. The limits count characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Comments {
    /// Kept as they are, whatever their length.
    #[default]
    Free,
    /// A longer one is refused, at creation as well.
    AtMost(usize),
    /// A longer one is cut, at creation as well.
    Cut(usize),
    /// An existing VM gets no other comment.
    Refused,
}

impl Comments {
    /// The comment to keep for a new VM.
    pub(super) fn at_creation(self, text: &str) -> Result<String, ApiError> {
        match self {
            Self::AtMost(limit) if text.chars().count() > limit => {
                Err(ApiError::invalid("comment", format!("value too long, at most {limit} characters")))
            }
            Self::Cut(limit) => Ok(text.chars().take(limit).collect()),
            _ => Ok(text.to_owned()),
        }
    }

    /// The comment to keep for a VM that exists.
    pub(super) fn at_edit(self, text: &str) -> Result<String, ApiError> {
        match self {
            Self::Refused => Err(ApiError::refused("Comments cannot be changed")),
            _ => self.at_creation(text),
        }
    }
}
