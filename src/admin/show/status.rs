//! The states of a service in words.

/// Name of an `item.status` [protocol 5.4].
pub fn status_name(status: i64) -> &'static str {
    match status {
        1 => "ordered",
        2 => "active",
        3 => "suspended",
        4 => "deleted",
        5 => "being opened",
        _ => "unknown",
    }
}
