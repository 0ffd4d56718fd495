//! What goes wrong in the lives of [`super::hostile_life`].

use pmvmmanager6::error::Kind;

/// What disturbs an operation, and what staff have to mend after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The run is killed at a fault point.
    Kill,
    /// A request goes wrong.
    Misfortune,
    /// BILLmanager cannot be reached.
    PanelAway,
    /// The client writes into his VM during the run.
    ClientEdits,
    /// Our administrator is a plain user.
    Demoted,
    /// VMmanager does not say which roles accounts have.
    Roleless,
    /// The platform is at another address.
    Moved,
    /// The other platform is at its address.
    TakenOver,
    /// The service has the other platform's handler.
    WrongHandler,
    /// The client has an e-mail that may be somebody else's.
    Email,
}

impl Trouble {
    /// Every trouble.
    pub(crate) const ALL: [Self; 11] = [
        Self::None,
        Self::Kill,
        Self::Misfortune,
        Self::PanelAway,
        Self::ClientEdits,
        Self::Demoted,
        Self::Roleless,
        Self::Moved,
        Self::TakenOver,
        Self::WrongHandler,
        Self::Email,
    ];

    /// The types with which an operation may be refused; nothing where any is as good as another.
    pub(crate) fn kinds(self) -> Option<&'static [Kind]> {
        match self {
            Self::Kill | Self::Misfortune | Self::PanelAway => None,
            Self::None | Self::ClientEdits => Some(&[Kind::Vm6Foreign]),
            Self::Demoted => Some(&[Kind::Vm6Permission]),
            Self::Roleless => Some(&[Kind::AdminAccount, Kind::Vm6Foreign]),
            Self::Moved => Some(&[Kind::Vm6Connect]),
            Self::TakenOver | Self::WrongHandler => Some(&[Kind::Vm6Platform, Kind::Vm6Foreign]),
            Self::Email => Some(&[Kind::AccountTaken, Kind::AdminAccount]),
        }
    }

    /// Whether no operation can succeed.
    pub(crate) fn forbids(self) -> bool {
        matches!(self, Self::Demoted | Self::Moved | Self::TakenOver | Self::WrongHandler)
    }
}
