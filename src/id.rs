//! Ids with types: the id of a service is never taken for the id of a handler, and the compiler sees to it.
//!
//! An id costs what its number costs. It is read from text as a number above zero, and it is a plain number in JSON and
//! in a database (`state/column.rs`). Ids that are never passed beside another id stay numbers.

use std::fmt;
use std::num::{NonZeroU64, ParseIntError};
use std::str::FromStr;

use serde::{Deserialize, Serialize};

macro_rules! ids {
    ($($(#[$doc:meta])+ $name:ident;)+) => {$(
        $(#[$doc])+
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(u64);

        impl $name {
            /// The bare number, for SQL and for paths of requests.
            pub const fn get(self) -> u64 {
                self.0
            }

            /// Whether it names anything: 0, the default, is the id of nothing.
            pub const fn is_known(self) -> bool {
                self.0 != 0
            }
        }

        impl From<u64> for $name {
            fn from(number: u64) -> Self {
                Self(number)
            }
        }

        impl From<$name> for u64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(&self.0, f)
            }
        }

        impl FromStr for $name {
            type Err = ParseIntError;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse::<NonZeroU64>().map(|number| Self(number.get()))
            }
        }
    )+};
}

ids! {
    /// A service: `item.id` of BILLmanager.
    ServiceId;
    /// A handler: `processingmodule.id` of BILLmanager.
    HandlerId;
    /// A client: `account.id` of BILLmanager, whose own word for it is VMmanager's word for something else.
    ClientId;
    /// A tariff: `pricelist.id` of BILLmanager.
    TariffId;
    /// An operation that BILLmanager repeats until it succeeds: `runningoperation.id`.
    OperationId;
    /// A VM: `id` of VMmanager's host.
    VmId;
    /// An account of VMmanager, whose owner is a client of BILLmanager.
    AccountId;
    /// A cluster of VMmanager.
    ClusterId;
    /// A task of VMmanager by its consul id, as the answers name it; the task list has ids of its own.
    TaskId;
    /// A VMmanager that this installation has met: our own number of it, in the journal.
    PlatformId;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_from_a_number_above_zero() {
        assert_eq!("215".parse(), Ok(ServiceId(215)));
        for text in ["", "0", "-1", "2.0", "215 ", "18446744073709551616"] {
            assert!(text.parse::<ServiceId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_id_is_shown_and_sent_as_its_number() {
        assert_eq!(format!("{:>5}", ServiceId(215)), "  215");
        assert_eq!(serde_json::to_string(&ServiceId(215)).unwrap(), "215");
        assert_eq!(serde_json::from_str::<ServiceId>("215").unwrap(), ServiceId(215));
    }
}
