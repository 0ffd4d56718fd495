//! What clients asked: the record a test reads.

use std::time::Instant;

use serde_json::Value;

/// One request that reached the platform, in the order of arrival.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `POST`, `DELETE` or what was sent.
    pub method: String,
    /// Decoded path without the query.
    pub path: String,
    /// Raw query as sent, empty if none.
    pub query: String,
    /// Body if there was one and it was JSON.
    pub body: Option<Value>,
    /// Status of the answer; `None` while there is none, and for ever if the connection was cut.
    pub status: Option<u16>,
    /// Session token the request carried.
    pub token: Option<String>,
    /// When it had been read.
    pub at: Instant,
}
