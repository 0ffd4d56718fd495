//! A simulated `VMmanager` 6 to work against by hand: `vm6sim [--port N] [--tls signed|self-signed] [--slow]`.
//!
//! Prints how to reach it and runs until its standard input closes or it is killed.

use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;

use anyhow::{Context as _, bail};
use sandbox::vmm::{Certificate, Setup, Timing, Transport, VmManager};

fn main() -> anyhow::Result<()> {
    let setup = setup(std::env::args().skip(1))?;
    let (email, password) = (setup.admin_email.clone(), setup.admin_password.clone());
    let vmm = VmManager::start(setup)?;
    let mut out = io::stdout().lock();
    writeln!(out, "url       {}", vmm.url())?;
    writeln!(out, "e-mail    {email}")?;
    writeln!(out, "password  {password}")?;
    if let Some(fingerprint) = vmm.fingerprint() {
        writeln!(out, "sha-256   {fingerprint}")?;
    }
    if let Some(pem) = vmm.ca_pem() {
        writeln!(out, "ca        {}", save(&pem, vmm.port())?.display())?;
    }
    writeln!(out, "It runs until standard input is closed (Ctrl-D) or the process is killed.")?;
    out.flush()?;
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn setup(mut args: impl Iterator<Item = String>) -> anyhow::Result<Setup> {
    let mut setup = Setup::default();
    while let Some(arg) = args.next() {
        let mut value = || args.next().with_context(|| format!("{arg} needs a value"));
        match arg.as_str() {
            "--port" => setup.port = value()?.parse().context("--port needs a number up to 65535")?,
            "--tls" => {
                let quality = match value()?.as_str() {
                    "signed" => Certificate::Signed,
                    "self-signed" => Certificate::SelfSigned,
                    other => bail!("--tls is signed or self-signed, not '{other}'"),
                };
                setup.transport = Transport::Tls(quality);
            }
            "--slow" => setup.timing = Timing::slow(),
            other => bail!("unknown argument '{other}'; usage: vm6sim [--port N] [--tls signed|self-signed] [--slow]"),
        }
    }
    Ok(setup)
}

fn save(pem: &str, port: u16) -> anyhow::Result<PathBuf> {
    let path = std::env::temp_dir().join(format!("vm6sim-{port}-ca.pem"));
    File::create(&path).and_then(|mut file| file.write_all(pem.as_bytes())).context("cannot write the CA")?;
    Ok(path)
}
