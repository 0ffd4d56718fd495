//! Values of `item.status` [protocol 5.4].

/// Where a service is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServiceStatus {
    /// Not open yet, and not being opened.
    Ordered,
    /// Open: its VM runs unless the client stopped it.
    Active,
    /// Its VM stays stopped.
    Suspended,
    /// Closed for good; only the row is left.
    Deleted,
    /// BILLmanager runs the operation `open`, or is to repeat it.
    Opening,
    /// A number that this module does not know.
    Other(i64),
}

impl ServiceStatus {
    /// The number in the database.
    pub fn number(self) -> i64 {
        match self {
            ServiceStatus::Ordered => 1,
            ServiceStatus::Active => 2,
            ServiceStatus::Suspended => 3,
            ServiceStatus::Deleted => 4,
            ServiceStatus::Opening => 5,
            ServiceStatus::Other(number) => number,
        }
    }

    /// The word for people.
    pub fn name(self) -> &'static str {
        match self {
            ServiceStatus::Ordered => "ordered",
            ServiceStatus::Active => "active",
            ServiceStatus::Suspended => "suspended",
            ServiceStatus::Deleted => "deleted",
            ServiceStatus::Opening => "being opened",
            ServiceStatus::Other(_) => "unknown",
        }
    }

    /// It was never open.
    pub fn is_unopened(self) -> bool {
        matches!(self, ServiceStatus::Ordered | ServiceStatus::Opening)
    }
}

impl From<i64> for ServiceStatus {
    fn from(number: i64) -> Self {
        match number {
            1 => ServiceStatus::Ordered,
            2 => ServiceStatus::Active,
            3 => ServiceStatus::Suspended,
            4 => ServiceStatus::Deleted,
            5 => ServiceStatus::Opening,
            number => ServiceStatus::Other(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_survives() {
        for number in -1..8 {
            assert_eq!(ServiceStatus::from(number).number(), number);
        }
    }
}
