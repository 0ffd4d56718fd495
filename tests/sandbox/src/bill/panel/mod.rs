//! The panel behind `mgrctl`.

use std::process::ExitCode;

/// Runs `mgrctl`.
pub fn main() -> ExitCode {
    ExitCode::FAILURE
}
