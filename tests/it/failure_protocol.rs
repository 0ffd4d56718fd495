//! failure_protocol
