//! A simulated `VMmanager` 6 to work against by hand or from a script; `vm6sim --help` says how.
//!
//! It prints how to reach each platform and runs until its standard input closes or it is killed.

mod args;
mod fault_text;

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread;

use anyhow::{Context as _, Result};
use clap::Parser as _;
use sandbox::vmm::VmManager;

use args::Args;

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("vm6sim: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    let platforms: Vec<VmManager> = (1..=args.platforms).map(|number| args.start(number)).collect::<Result<_>>()?;
    let mut out = io::stdout().lock();
    for (number, vmm) in (1..).zip(&platforms) {
        if args.platforms > 1 {
            writeln!(out, "platform  {number}")?;
        }
        describe(&mut out, vmm, args)?;
    }
    let until = if args.until_killed { "" } else { "standard input is closed (Ctrl-D) or " };
    writeln!(out, "It runs until {until}the process is killed.")?;
    out.flush()?;
    if args.until_killed {
        loop {
            thread::park();
        }
    }
    io::stdin().read_to_end(&mut Vec::new()).context("cannot read standard input")?;
    Ok(())
}

fn describe(out: &mut impl io::Write, vmm: &VmManager, args: &Args) -> Result<()> {
    writeln!(out, "url       {}", vmm.url())?;
    writeln!(out, "e-mail    {}", args.admin_email)?;
    writeln!(out, "password  {}", args.admin_password)?;
    if let Some(fingerprint) = vmm.fingerprint() {
        writeln!(out, "sha-256   {fingerprint}")?;
    }
    if let Some(pem) = vmm.ca_pem() {
        writeln!(out, "ca        {}", save(&pem, vmm.port())?.display())?;
    }
    Ok(())
}

fn save(pem: &str, port: u16) -> Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("vm6sim-{port}-ca.pem"));
    fs::write(&path, pem).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}
