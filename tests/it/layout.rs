//! The direction of imports. A new arrow fails here, with its file and line; whoever wants it adds
//! it to the tables below and says why in the change.

use std::fs;
use std::path::{Path, PathBuf};

/// Who may use which of our modules. The longest fitting name counts; a module may always use itself and [`GROUND`].
///
/// `main → run → cli → admin → command → service → vmm, panel, journal, queue, settings`: downwards only. The five at
/// the bottom do not know each other; `metrics` is beside them, filled by `run` and read by `admin`.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &[]),
    ("lib", &["run"]),
    ("run", &["admin", "cli", "command", "core_dump", "metrics", "panel", "wire"]),
    ("cli", &["admin", "command"]),
    ("command", &["dry_run", "panel", "service", "settings", "wire"]),
    ("admin", &["command", "panel", "queue", "dry_run", "service", "settings", "vmm"]),
    // Its answers are kept with the state, what they prove with the platform.
    ("admin::verify", &["journal", "panel", "service", "settings", "state", "vmm"]),
    ("admin::features", &["command", "settings"]),
    // A bundle is a whole file or none.
    ("admin::show", &["command", "queue", "service", "state", "vmm"]),
    // The text for the collector replaces a file.
    ("admin::metrics", &["metrics", "queue", "service", "settings", "state"]),
    // What an audit found is kept for them.
    ("admin::last_audit", &["state"]),
    // It looks at everything there is.
    ("admin::doctor", &["command", "journal", "panel", "service", "settings", "state", "vmm", "wire"]),
    // They show what we recorded, and change it for staff.
    ("admin::account", &["journal", "panel", "service", "vmm"]),
    ("admin::handler_site", &["journal", "panel", "service", "vmm"]),
    ("admin::platform", &["journal", "panel", "service"]),
    ("service", &["journal", "panel", "queue", "dry_run", "settings", "vmm"]),
    // Looking for an account and making it is one step, under a lock of its own.
    ("service::vm::account", &["journal", "lock", "state", "vmm"]),
    // So is changing the list of a schedule.
    ("service::vm::backup_schedule", &["journal", "lock", "state", "vmm"]),
    // A command works alone on its handler.
    ("service::handler::job", &["journal", "lock", "panel", "settings", "state", "vmm"]),
    // One script for both, so that a plan has one order.
    ("panel", &["dry_run", "wire"]),
    // Decrypted settings are kept for the next run.
    ("panel::secret_cache", &["state"]),
    ("vmm", &["dry_run"]),
    ("vmm::session", &["lock", "state"]),
    ("queue", &["lock", "state"]),
    ("journal", &["state"]),
    ("settings", &[]),
    ("metrics", &["state"]),
    ("state", &["lock"]),
    ("wire", &[]),
    ("lock", &[]),
    ("backoff", &[]),
    ("progress", &[]),
    ("dry_run", &[]),
    ("certificate", &[]),
    ("digest", &[]),
    ("seal", &[]),
    ("log", &[]),
    ("mask", &[]),
    ("ownership", &[]),
    ("core_dump", &[]),
    ("text", &[]),
    ("recorder", &[]),
    ("fault", &[]),
    ("config", &[]),
    ("error", &[]),
    ("id", &[]),
    ("direction", &[]),
];

/// What everybody may use, except those who stand below it.
const GROUND: &[&str] = &[
    "backoff",
    "certificate",
    "config",
    "digest",
    "direction",
    "error",
    "fault",
    "id",
    "log",
    "mask",
    "ownership",
    "progress",
    "recorder",
    "seal",
    "text",
];
/// Parts of the ground and what they may use of it.
const BELOW: &[(&str, &[&str])] = &[
    ("text", &[]),
    ("mask", &[]),
    ("error", &["mask", "text"]),
    ("id", &[]),
    ("direction", &[]),
    ("certificate", &["digest"]),
    ("config", &[]),
    ("digest", &[]),
    ("seal", &[]),
    ("ownership", &[]),
    ("progress", &["text"]),
    ("backoff", &["progress"]),
    ("fault", &["config"]),
    ("log", &["config", "id", "mask", "ownership", "text"]),
    ("recorder", &["error"]),
    ("lock", &[]),
    ("wire", &["error", "text"]),
];

/// Who alone may name a crate.
const OWNERS: &[(&str, &[&str])] = &[
    ("clap", &["admin", "cli"]),
    ("fs2", &["lock"]),
    ("mysql", &["panel::database"]),
    ("quick_xml", &["wire"]),
    ("rsa", &["panel::crypt"]),
    ("rusqlite", &["journal", "panel::database", "queue", "state", "vmm::session"]),
    ("rustls", &["panel::database_tls", "vmm::tls"]),
    ("tempfile", &["state"]),
    ("std::env", &["config", "main"]),
    ("tracing", &["log"]),
    ("ureq", &["vmm"]),
    ("x509_cert", &["certificate"]),
];

/// A source file without comments and tests.
struct Source {
    path: PathBuf,
    /// `panel::database`; `panel` for its `mod.rs`.
    module: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    assert!(found.len() > 30, "the sources are not found");
    found
}

fn collect(root: &Path, directory: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let name = path.strip_prefix(root).unwrap().with_extension("");
        let parts = name.iter().map(|part| part.to_str().unwrap()).filter(|part| *part != "mod");
        let module = parts.collect::<Vec<_>>().join("::");
        let text = fs::read_to_string(&path).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default();
        let bare = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
        let text = code.lines().map(bare).collect::<Vec<_>>().join("\n");
        found.push(Source { path, module, text });
    }
}

impl Source {
    /// `src/panel/mod.rs:17`.
    fn place(&self, at: usize) -> String {
        format!("{}:{}", self.path.display(), self.text[..at].matches('\n').count() + 1)
    }

    /// Our modules that the file names, with the places.
    fn uses(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (at, word) in self.text.match_indices("crate::") {
            if self.text[..at].ends_with(is_word) {
                continue;
            }
            let rest = &self.text[at + word.len()..];
            match rest.strip_prefix('{') {
                Some(group) => found.extend(heads(group).into_iter().map(|name| (at, name))),
                None => found.push((at, head(rest))),
            }
        }
        found
    }

    /// Places where the file names a crate.
    fn names(&self, name: &str) -> Vec<usize> {
        let found = self.text.match_indices(name).map(|(at, _)| at);
        let stands_alone = |at: &usize| {
            let (before, after) = (&self.text[..*at], &self.text[at + name.len()..]);
            !before.ends_with(is_word) && !before.ends_with("::") && after.starts_with("::")
        };
        found.filter(stands_alone).collect()
    }

    fn top(&self) -> &str {
        self.module.split("::").next().unwrap_or_default()
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn head(path: &str) -> String {
    path.chars().take_while(|c| is_word(*c)).collect()
}

/// First names inside `{a, b::{c, d}, e}`, the opening brace taken off.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && is_word(c) => {
                names.push(head(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

/// The entry of the longest name that `module` is or lies in.
fn rule<'a>(table: &[(&str, &'a [&'a str])], module: &str) -> Option<&'a [&'a str]> {
    let fits = |name: &str| module == name || module.strip_prefix(name).is_some_and(|rest| rest.starts_with("::"));
    table.iter().filter(|(name, _)| fits(name)).max_by_key(|(name, _)| name.len()).map(|(_, allowed)| *allowed)
}

#[test]
fn imports_run_one_way() {
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module.as_str();
        let allowed =
            rule(ARROWS, module).unwrap_or_else(|| panic!("the new module {module} has no place in the order"));
        let ground = rule(BELOW, module).unwrap_or(GROUND);
        for (at, used) in source.uses() {
            let used = used.as_str();
            if used != source.top() && !allowed.contains(&used) && !ground.contains(&used) {
                wrong.push(format!("{}: {module} → {used}", source.place(at)));
            }
        }
    }
    assert!(wrong.is_empty(), "new arrows:\n{}", wrong.join("\n"));
}

#[test]
fn every_crate_has_its_place() {
    let sources = sources();
    for (name, owners) in OWNERS {
        let inside = |source: &&Source| {
            rule(&owners.iter().map(|owner| (*owner, &[][..])).collect::<Vec<_>>(), &source.module).is_some()
        };
        let outside = sources.iter().filter(|source| !inside(source));
        let wrong: Vec<String> =
            outside.flat_map(|source| source.names(name).into_iter().map(|at| source.place(at))).collect();
        assert!(wrong.is_empty(), "only {owners:?} may name {name}:\n{}", wrong.join("\n"));
        assert!(sources.iter().any(|source| inside(&source) && !source.names(name).is_empty()), "{name} is not used");
    }
}

#[test]
fn every_rule_is_needed() {
    let sources = sources();
    for (module, allowed) in ARROWS {
        let own: Vec<&Source> =
            sources.iter().filter(|source| rule(ARROWS, &source.module) == rule(ARROWS, module)).collect();
        assert!(!own.is_empty(), "there is no module {module}");
        for name in *allowed {
            let used = own.iter().any(|source| source.uses().iter().any(|(_, used)| used == name));
            assert!(used || *module == "lib", "{module} does not use {name}");
        }
    }
}

/// Waiting is done with `backoff`; in `service` only `settle` does, and it alone waits for tasks.
#[test]
fn waiting_has_one_place() {
    const OWNERS: [(&str, &[&str]); 3] = [
        ("thread::sleep(", &["admin::hold", "admin::visit", "backoff", "panel::child", "queue::lent", "vmm::client"]),
        ("Backoff::", &["backoff", "panel::connection", "panel::mgrctl", "service::job::settle", "vmm::task"]),
        ("vmm.wait(", &["service::job::settle"]),
    ];
    for source in sources() {
        for (call, owners) in OWNERS {
            let at = source.text.find(call).filter(|_| !owners.contains(&source.module.as_str()));
            assert!(at.is_none(), "{}: {call} is for {owners:?}", source.place(at.unwrap_or_default()));
        }
    }
}
