//! What is done for a whole handler: checks, lists, import, traffic.

mod booking;
pub(crate) mod check_connection;
pub(crate) mod form_lists;
pub(crate) mod import;
mod included;
mod job;
pub(crate) mod lists;
pub(crate) mod overage;
pub(crate) mod schedules;
pub(crate) mod suitability;
pub(crate) mod tariff_fits;
pub(crate) mod traffic;

pub(crate) use job::HandlerJob;
