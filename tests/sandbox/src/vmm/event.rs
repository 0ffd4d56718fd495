//! Something that happens on the platform at the moment of a request: a client edits his VM between two steps of the
//! module, an element moves between two pages of a list.

use super::platform::Platform;
use super::target::Target;

/// What happens.
type Happening = Box<dyn FnOnce(&mut Platform) + Send>;

/// One ordered event; it happens once.
pub(super) struct Event {
    target: Target,
    moment: Moment,
    happening: Option<Happening>,
}

/// When it happens: as the request comes in, or once it has been worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Moment {
    Before,
    After,
}

impl Event {
    pub(super) fn new(moment: Moment, target: Target, happening: Happening) -> Self {
        Self { target, moment, happening: Some(happening) }
    }

    /// Counts the request of this moment; true if it has happened on the platform.
    pub(super) fn happen(&mut self, moment: Moment, method: &str, path: &str, platform: &mut Platform) -> bool {
        if self.moment != moment || !self.target.strike(method, path) {
            return false;
        }
        if let Some(happening) = self.happening.take() {
            happening(platform);
        }
        true
    }
}
