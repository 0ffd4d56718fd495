//! `--bundle FILE`: the report and what surrounds it as a `tar.gz` for people who help from outside.
//!
//! Everything passes the redaction. The file is for its owner only and gets its name when it is whole; an existing file is
//! never touched.

use std::fs::File;
use std::io;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::redact::Redaction;
use super::{json, text};
use crate::admin::queue;
use crate::command::{self, TABLE, Work};
use crate::config::{Config, MODULE, built};
use crate::error::{Error, Kind, Result};
use crate::id::VmId;
use crate::service::report::{PlatformPart, Report};
use crate::state::{create, refuse_shared};
use crate::text::{escaped_json, page};
use crate::vmm::Client;

/// A file of the archive.
type Entry = (&'static str, String);

/// An archive that is there may be the only one of its state.
pub(super) fn refuse_place(file: &Path) -> Result<()> {
    if std::fs::symlink_metadata(file).is_ok() {
        let text = format!("{} exists already", file.display());
        return Err(Error::new(Kind::BadArgument, "bundle", text).cure("name another file"));
    }
    refuse_shared(file)
}

/// Writes the archive.
pub(super) fn pack(config: &Config, report: &Report, file: &Path) -> Result<()> {
    let entries = entries(config, report);
    let folder = format!("{MODULE}-service-{}", report.item);
    create(file, |file| write(file, &folder, &entries)).map_err(|error| {
        let path = file.display().to_string();
        Error::new(Kind::State, path.as_str(), format!("the archive {path} cannot be written: {error}"))
    })
}

fn write(file: &mut File, folder: &str, entries: &[Entry]) -> io::Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(content.len() as u64);
        header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default());
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_bytes())?;
    }
    archive.into_inner()?.finish().map(drop)
}

fn entries(config: &Config, report: &Report) -> Vec<Entry> {
    let redaction = Redaction::of(report);
    let queue = queue::Document::read(&config.runtime_dir()).map_or_else(|error| failed(&error), |queue| json!(queue));
    let handler = match &report.bill {
        Ok(bill) => json!({
            "id": bill.handler.id,
            "name": bill.handler.name,
            "settings": json::settings(&bill.handler.params, &bill.handler.secrets),
        }),
        Err(error) => failed(error),
    };
    let log = report.log.as_ref().map_or_else(ToString::to_string, |lines| page(&lines.join("\n")).into_owned());
    vec![
        ("report.txt", redaction.text(&text::page(report))),
        ("report.json", redacted(&redaction, json::document(report))),
        ("versions.json", redacted(&redaction, versions(report.platform.as_ref().ok()))),
        ("log.txt", redaction.text(&log) + "\n"),
        ("features.xml", features()),
        ("queue.json", redacted(&redaction, queue)),
        ("handler.json", redacted(&redaction, handler)),
        ("vm.json", redacted(&redaction, raw(report, Client::raw_host))),
        ("history.json", redacted(&redaction, raw(report, Client::raw_history))),
    ]
}

/// What VMmanager itself says of the VM; null when there is none.
fn raw(report: &Report, ask: impl FnOnce(&Client, VmId) -> Result<Value>) -> Value {
    let answer = match &report.platform {
        Ok(PlatformPart { client, vm: Some((host, _)), .. }) => ask(client, host.id),
        Ok(_) => Ok(Value::Null),
        Err(error) => Err(error.clone()),
    };
    answer.unwrap_or_else(|error| failed(&error))
}

fn redacted(redaction: &Redaction, mut document: Value) -> String {
    redaction.document(&mut document);
    escaped_json(&format!("{document:#}\n")).into_owned()
}

fn failed(error: &Error) -> Value {
    json!({ "error": error.to_string() })
}

fn versions(platform: Option<&PlatformPart>) -> Value {
    let vmmanager = platform.and_then(|platform| platform.client.version().ok().flatten());
    json!({ "module": built::VERSION, "vmmanager": vmmanager.map(|version| version.to_string()) })
}

/// What this version declares to BILLmanager.
fn features() -> String {
    match command::find("features").map(|command| &command.work) {
        Ok(Work::Constant(answer)) => answer(TABLE).document(),
        _ => String::new(),
    }
}
