//! `--command transition_controlpanel --item N` [protocol 3.14]: the client's "go to panel" button.

use super::invocation::Invocation;
use secrecy::ExposeSecret;

use crate::error::Result;
use crate::service::job::Job;
use crate::service::vm::access;
use crate::wire::Element;

/// The link is a secret: it goes to standard output and nowhere else.
pub(super) fn answer(job: &Job, _: &Invocation) -> Result<Element> {
    let link = access::login_link(job)?;
    Ok(Element::new("doc")
        .child(Element::with_text("url", link.expose_secret()))
        .child(Element::with_text("panelcount", "1"))
        .child(Element::with_text("panelname", "VMmanager 6").attribute("keyname", "vm6")))
}
