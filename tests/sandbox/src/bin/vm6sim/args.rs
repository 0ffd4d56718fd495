//! The command line, and the platform it describes.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use sandbox::vmm::{Certificate, Fault, Hostile, Lists, Setup, Timing, Transport, VmManager};

use super::fault_text;

const EXAMPLES: &str = "\
Examples:
  vm6sim --port 8443 --tls self-signed
  vm6sim --platforms 2 --account ivan@client.example --vm vps1:ivan@client.example
  vm6sim --account auditor@staff.example:admin.readonly --list-cap 50 --short-pages
  vm6sim --timing slow --takes host_stop=30 --fault 'POST /vm/v3/host lose-answer nth=2'
  vm6sim --hostile endless-list

Faults are METHOD PATH ACTION [nth=N] [times=N|times=all]; METHOD and a part of PATH may be `*`. Actions:
  503, 503:SECONDS, 429, 429:SECONDS   nothing is done; with SECONDS for Retry-After
  status:CODE, status-after-work:CODE  CODE with the platform's error document; nothing is done, or all
  close, late:SECONDS                  the connection is cut; nothing is done, or later
  delay:SECONDS                        the answer is late
  lose-answer, half-answer, garbage, truncated, huge:BYTES, wrong-type
                                       the work is done, the answer is lost or damaged
  hostile:KIND                         the work is done, the answer is of a kind below
  expire-session                       the session of the request is forgotten
  fail-task, cancel-task, vanish-task, endless-task
                                       what becomes of the task that is accepted
  fail-in-state:STATE                  the task does its work and fails; the VM is e.g. stopped or active then
  hide:CALLS, lag:SECONDS              the new VM is missing from so many lists, or not known for that time";

/// Examples, faults and hostile answers.
fn after_help() -> String {
    let lines = Hostile::ALL.iter().map(|kind| format!("  {:<18} {}", kind.name(), kind.meaning()));
    let kinds = lines.collect::<Vec<_>>().join("\n");
    format!("{EXAMPLES}\n\nKinds of --hostile, and of the action `hostile:KIND`:\n{kinds}")
}

/// A simulated VMmanager 6: the documented API on a real socket, with state, tasks and faults.
///
/// It keeps nothing on disk. What the documentation does not allow is refused.
#[derive(Debug, Parser)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of the command line")]
#[command(version, after_help = after_help())]
pub(crate) struct Args {
    /// Address to listen on
    #[arg(long, default_value = "127.0.0.1")]
    address: IpAddr,

    /// Port of the first platform, the next ones follow; 0 for any free ports
    #[arg(long, default_value_t = 0)]
    port: u16,

    /// How many platforms to run; each counts its accounts, VMs and tasks from the same numbers
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=16))]
    pub(crate) platforms: u16,

    /// HTTPS with a certificate of this quality, instead of HTTP
    #[arg(long, value_name = "QUALITY")]
    tls: Option<Quality>,

    /// E-mail of the administrator
    #[arg(long, value_name = "EMAIL", default_value = "admin@example.net")]
    pub(crate) admin_email: String,

    /// Password of the administrator
    #[arg(long, value_name = "PASSWORD", default_value = "Adm1n-secret-pass")]
    pub(crate) admin_password: String,

    /// One more account; the role is `@admin`, `@advanced_user`, `@user` (default) or `admin.readonly`
    #[arg(long = "account", value_name = "EMAIL[:ROLE[:PASSWORD]]", value_parser = NewAccount::parse)]
    accounts: Vec<NewAccount>,

    /// A running VM of an account (of the administrator unless said otherwise) in cluster 1
    #[arg(long = "vm", value_name = "NAME[:EMAIL]")]
    vms: Vec<String>,

    /// How long tasks take: parts of a second, or seconds
    #[arg(long, value_enum, default_value_t = Pace::Fast)]
    timing: Pace,

    /// Duration of one kind of task, e.g. `host_create=12.5`
    #[arg(long = "takes", value_name = "TASK=SECONDS", value_parser = takes)]
    takes: Vec<(String, Duration)>,

    /// A session that is idle for this long ends
    #[arg(long, value_name = "SECONDS", default_value = "3600", value_parser = seconds)]
    session_idle: Duration,

    /// Most elements of one list, whatever `limit` asks for
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    list_cap: Option<u32>,

    /// Lists end early: each page has half of the elements it could have
    #[arg(long)]
    short_pages: bool,

    /// An older platform: there is no /auth/v4/whoami
    #[arg(long)]
    no_whoami: bool,

    /// Accounts come without their roles
    #[arg(long)]
    hide_roles: bool,

    /// A fault; may be given several times, the first that matches a request hits it
    #[arg(long = "fault", value_name = "FAULT", value_parser = fault_text::parse)]
    faults: Vec<Fault>,

    /// Every answer but that of the login is of this kind; the work is done all the same
    #[arg(long, value_name = "KIND", value_parser = str::parse::<Hostile>)]
    hostile: Option<Hostile>,

    /// Run until killed, also when standard input is closed
    #[arg(long)]
    pub(crate) until_killed: bool,
}

/// What a client can find wrong with a certificate.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Quality {
    Signed,
    SelfSigned,
    Expired,
    WrongHost,
    EndsSoon,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Pace {
    Fast,
    Slow,
}

/// `EMAIL[:ROLE[:PASSWORD]]`.
#[derive(Clone, Debug)]
struct NewAccount {
    email: String,
    role: String,
    password: String,
}

impl Args {
    /// Starts the platform with this number, counted from 1.
    pub(crate) fn start(&self, number: u16) -> Result<VmManager> {
        let vmm = VmManager::start(self.setup(number)?)?;
        let cap = self.list_cap.and_then(|cap| usize::try_from(cap).ok());
        vmm.change(|platform| -> Result<()> {
            platform.variant.whoami = !self.no_whoami;
            platform.lists = Lists { cap, short_pages: self.short_pages, ..Lists::default() };
            for account in &self.accounts {
                let taken = platform.account_by_email(&account.email).is_some();
                ensure!(!taken, "--account: {} is given twice", account.email);
                platform.add_account(&account.email, &account.password, &account.role);
            }
            for vm in &self.vms {
                let (name, email) = vm.split_once(':').unwrap_or((vm, &self.admin_email));
                let owner = platform.account_by_email(email);
                let owner = owner.with_context(|| format!("--vm {vm}: there is no account {email}"))?.id;
                platform.add_host(name, owner, 1);
            }
            if self.hide_roles {
                platform.hide_roles();
            }
            Ok(())
        })?;
        self.faults.iter().cloned().chain(self.hostile.map(Fault::hostile)).for_each(|fault| vmm.fault(fault));
        Ok(vmm)
    }

    fn setup(&self, number: u16) -> Result<Setup> {
        let port = if self.port == 0 { Some(0) } else { self.port.checked_add(number - 1) };
        let mut timing = match self.timing {
            Pace::Fast => Timing::default(),
            Pace::Slow => Timing::slow(),
        };
        timing.by_name.extend(self.takes.iter().cloned());
        Ok(Setup {
            transport: self.tls.map_or(Transport::Plain, |quality| Transport::Tls(quality.into())),
            timing,
            admin_email: self.admin_email.clone(),
            admin_password: self.admin_password.clone(),
            session_idle: self.session_idle,
            address: self.address,
            port: port.with_context(|| format!("there is no port for platform {number} above {}", self.port))?,
            address_block: u8::try_from(number - 1)?,
            ..Setup::default()
        })
    }
}

impl From<Quality> for Certificate {
    fn from(quality: Quality) -> Self {
        match quality {
            Quality::Signed => Self::Signed,
            Quality::SelfSigned => Self::SelfSigned,
            Quality::Expired => Self::Expired,
            Quality::WrongHost => Self::WrongHost,
            Quality::EndsSoon => Self::EndsSoon,
        }
    }
}

impl NewAccount {
    fn parse(text: &str) -> Result<Self> {
        let mut parts = text.splitn(3, ':');
        let email = parts.next().unwrap_or_default();
        let role = parts.next().unwrap_or("@user");
        ensure!(email.contains('@'), "'{email}' is not an e-mail address");
        if !["@admin", "@advanced_user", "@user", "admin.readonly"].contains(&role) {
            bail!("there is no role '{role}'; roles are @admin, @advanced_user, @user and admin.readonly");
        }
        let password = parts.next().unwrap_or("Client-secret-pass");
        Ok(Self { email: email.into(), role: role.into(), password: password.into() })
    }
}

fn takes(text: &str) -> Result<(String, Duration)> {
    let (task, time) = text.split_once('=').context("TASK=SECONDS expected")?;
    Ok((task.into(), seconds(time)?))
}

/// Reads a number of seconds, also with a fraction.
pub(crate) fn seconds(text: &str) -> Result<Duration> {
    let number = text.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    number.with_context(|| format!("'{text}' is not a number of seconds"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn platforms_follow_each_other() -> Result<()> {
        let args = Args::try_parse_from(["vm6sim", "--port", "65535", "--platforms", "2"])?;
        assert_eq!(args.setup(1)?.port, 65535);
        assert!(args.setup(2).is_err());
        Ok(())
    }
}
