//! check_connection
