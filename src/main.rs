//! Hands the process over to the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = std::env::args_os().skip(1);
    ExitCode::from(pmvmmanager6::run(arguments, &mut std::io::stdin(), &mut std::io::stdout()))
}
