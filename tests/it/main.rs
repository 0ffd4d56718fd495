//! The integration tests: one binary, a module a topic. They run the real program in a world of its own.

#[cfg(feature = "faults")]
mod queue_crash;
#[cfg(feature = "faults")]
mod queue_order;
#[cfg(feature = "faults")]
mod queue_pause;
#[cfg(feature = "faults")]
mod queue_state;
#[cfg(feature = "faults")]
mod session;
mod support {
    #[cfg(feature = "faults")]
    pub mod chaos;
    #[cfg(feature = "faults")]
    pub mod processes;
}
