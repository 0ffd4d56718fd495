//! The lines of the log that are about one service.
//!
//! A line is about a service when it names it (`service 17`), or when its process was started for it: a run says so in
//! its first line (`--command … item=17 …`), and its process id is in all others.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};

use crate::config::Config;
use crate::id::ServiceId;

/// The words of a run's first line.
pub(super) const COMMAND: &str = "--command ";
pub(super) const ITEM: &str = " item=";

/// Only the end of a large log is read.
const MOST_BYTES: u64 = 16 << 20;

/// The last `most` lines about a service, oldest first; the system's error when there is no readable log.
pub fn excerpt(config: &Config, item: ServiceId, most: usize) -> std::io::Result<Vec<String>> {
    let mut file = File::open(config.log())?;
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(MOST_BYTES)))?;
    let mut runs: HashMap<String, bool> = HashMap::new();
    let mut found = Vec::new();
    for line in BufReader::new(file.take(MOST_BYTES)).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        if is_about(&line, item, &mut runs) {
            found.push(line);
        }
    }
    Ok(found.split_off(found.len().saturating_sub(most)))
}

/// `runs` remembers of each process whether it works on the service.
fn is_about(line: &str, item: ServiceId, runs: &mut HashMap<String, bool>) -> bool {
    let Some((process, text)) = line.split_once('[').and_then(|(_, rest)| rest.split_once(']')) else { return false };
    if let Some((_, item_of_run)) = text.split_once(COMMAND).and_then(|(_, run)| run.split_once(ITEM)) {
        runs.insert(process.to_owned(), item_of_run.split(' ').next() == Some(item.to_string().as_str()));
    }
    runs.get(process).copied().unwrap_or(false) || names(text, item)
}

fn names(text: &str, item: ServiceId) -> bool {
    let name = format!("service {item}");
    text.match_indices(&name).any(|(at, _)| !text[at + name.len()..].starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_its_runs_and_lines_that_name_it() {
        let lines = [
            ("2025 [7] INFO --command open item=17 arguments: command item", true),
            ("2025 [7] INFO logged in", true),
            ("2025 [8] INFO --command open item=170 arguments: command item", false),
            ("2025 [8] WARNING service 17: seen by another run", true),
            ("2025 [8] WARNING service 170: not this one", false),
            ("2025 [9] INFO suspend of service 17: waiting", true),
            ("2025 [7] INFO --command stat item=- arguments: command module", false),
            ("2025 [7] INFO the process id was given again", false),
            ("no line of ours about service 17", false),
        ];
        let mut runs = HashMap::new();
        for (line, expected) in lines {
            assert_eq!(is_about(line, 17.into(), &mut runs), expected, "{line}");
        }
    }
}
