//! `--command changepassword --item N --password CRYPTED [--runningoperation N]` [protocol 3.12, 7.12].

use super::invocation::Invocation;
use secrecy::ExposeSecret;

use crate::error::{Error, Kind, Result};
use crate::service::job::Job;
use crate::service::vm::access;

/// Sets the root password of the VM.
pub(super) fn run(job: &Job, call: &Invocation) -> Result<()> {
    let crypted = call.text("password").ok_or_else(|| {
        Error::new(
            Kind::BadArgument,
            "password",
            "--command changepassword needs --password with the encrypted new password",
        )
    })?;
    let secret = job.panel.decrypt("password", crypted)?;
    if secret.expose_secret().is_empty() {
        return Err(Error::new(Kind::BadArgument, "password", "the new password is empty"));
    }
    access::change_password(job, &secret)
}
