//! The stand-in for BILLmanager's command line client; everything is in [`sandbox::bill::panel`].

use std::process::ExitCode;

fn main() -> ExitCode {
    sandbox::bill::panel::main()
}
