//! `--bundle FILE`: the story and what surrounds it as a `tar.gz` for whoever helps from outside.
//!
//! Everything passes the veil. The file is written under a temporary name beside its own, for its owner only, and gets
//! its name when it is whole; an existing file is never touched.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::veil::Veil;
use super::{json, text};
use crate::admin::queue;
use crate::command::{self, Work};
use crate::config::{Config, MODULE, built};
use crate::error::{Error, Kind, Result};
use crate::service::report::{Platform, Story};
use crate::vmm::Client;

/// A file of the archive.
type Entry = (&'static str, String);

/// An archive that is there may be the only one of its state.
pub fn refuse_existing(file: &Path) -> Result<()> {
    if std::fs::symlink_metadata(file).is_ok() {
        let text = format!("{} exists already; name another file", file.display());
        return Err(Error::new(Kind::BadArgument, "bundle", text));
    }
    Ok(())
}

/// Writes the archive.
pub fn pack(config: &Config, story: &Story, file: &Path) -> Result<()> {
    let entries = entries(config, story);
    let folder = format!("{MODULE}-service-{}", story.item);
    let temporary = PathBuf::from(format!("{}.{}.part", file.display(), std::process::id()));
    let written = write(&temporary, &folder, &entries).and_then(|()| {
        // A hard link fails where somebody was faster, a rename would replace his file.
        std::fs::hard_link(&temporary, file)
    });
    _ = std::fs::remove_file(&temporary);
    written.map_err(|error| {
        let path = file.display().to_string();
        Error::new(Kind::State, path.as_str(), format!("the archive {path} cannot be written: {error}"))
    })
}

fn write(path: &Path, folder: &str, entries: &[Entry]) -> io::Result<()> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, content) in entries {
        let mut header = tar::Header::new_gnu();
        header.set_mode(0o600);
        header.set_size(content.len() as u64);
        header.set_mtime(u64::try_from(jiff::Timestamp::now().as_second()).unwrap_or_default());
        archive.append_data(&mut header, format!("{folder}/{name}"), content.as_bytes())?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    file.sync_all()
}

fn entries(config: &Config, story: &Story) -> Vec<Entry> {
    let veil = Veil::of(story);
    let queue = queue::Document::read(&config.runtime_dir()).map_or_else(|error| failed(&error), |queue| json!(queue));
    let handler = match &story.bill {
        Ok(bill) => json!({
            "id": bill.handler.id,
            "name": bill.handler.name,
            "settings": json::settings(&bill.handler.params, &bill.handler.secrets),
        }),
        Err(error) => failed(error),
    };
    let log = story.log.as_ref().map_or_else(ToString::to_string, |lines| lines.join("\n"));
    vec![
        ("story.txt", veil.text(&text::page(story))),
        ("story.json", veiled(&veil, json::document(story))),
        ("versions.json", veiled(&veil, versions(story.platform.as_ref().ok()))),
        ("log.txt", veil.text(&log) + "\n"),
        ("features.xml", features()),
        ("queue.json", veiled(&veil, queue)),
        ("handler.json", veiled(&veil, handler)),
        ("vm.json", veiled(&veil, raw(story, Client::raw_host))),
        ("history.json", veiled(&veil, raw(story, Client::raw_history))),
    ]
}

/// What VMmanager itself says of the VM; null when there is none.
fn raw(story: &Story, ask: impl FnOnce(&Client, u64) -> Result<Value>) -> Value {
    let answer = match &story.platform {
        Ok(Platform { client, vm: Some((host, _)), .. }) => ask(client, host.id),
        Ok(_) => Ok(Value::Null),
        Err(error) => Err(error.clone()),
    };
    answer.unwrap_or_else(|error| failed(&error))
}

fn veiled(veil: &Veil, mut document: Value) -> String {
    veil.document(&mut document);
    format!("{document:#}\n")
}

fn failed(error: &Error) -> Value {
    json!({ "error": error.to_string() })
}

fn versions(platform: Option<&Platform>) -> Value {
    let vmmanager = platform.and_then(|platform| platform.client.version().ok().flatten());
    json!({ "module": built::VERSION, "vmmanager": vmmanager.map(|version| version.to_string()) })
}

/// What this version declares to BILLmanager.
fn features() -> String {
    match command::find("features").map(|command| &command.work) {
        Ok(Work::Constant(answer)) => answer().document(),
        _ => String::new(),
    }
}
