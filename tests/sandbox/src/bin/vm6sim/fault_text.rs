//! Faults as words: `METHOD PATH ACTION [nth=N] [times=N|times=all]`.

use std::str::FromStr;

use anyhow::{Context as _, Result, bail, ensure};
use sandbox::vmm::{Action, Fault};

use super::args::seconds;

/// Reads a fault.
pub(crate) fn parse(text: &str) -> Result<Fault> {
    let mut words = text.split_whitespace();
    let (Some(method), Some(path), Some(what)) = (words.next(), words.next(), words.next()) else {
        bail!("METHOD PATH ACTION expected");
    };
    let plain = |c: char| c.is_ascii_uppercase() || c == '*';
    ensure!(method.chars().all(plain), "'{method}' is not a method, e.g. POST or *");
    ensure!(path.starts_with('/'), "the path '{path}' does not begin with a slash");
    let mut fault = Fault::on(method, path).act(action(what)?);
    for word in words {
        fault = match word.split_once('=') {
            Some(("nth", n)) => fault.nth(number(n)?),
            Some(("times", "all")) => fault.always(),
            Some(("times", n)) => fault.times(number(n)?),
            _ => bail!("'{word}' is neither nth=N nor times=N nor times=all"),
        };
    }
    Ok(fault)
}

fn action(text: &str) -> Result<Action> {
    let (name, value) = text.split_once(':').map_or((text, None), |(name, value)| (name, Some(value)));
    let needed = || value.with_context(|| format!("{name} needs a value, {name}:VALUE"));
    Ok(match name {
        "503" => Action::Refuse503 { retry_after: value.map(number).transpose()? },
        "429" => Action::TooMany429 { retry_after: value.map(number).transpose()? },
        "status" => {
            let (status, code, msg) = error(needed()?)?;
            Action::Error { status, code, msg }
        }
        "status-after-work" => {
            let (status, code, msg) = error(needed()?)?;
            Action::ErrorAfterWork { status, code, msg }
        }
        "close" => Action::CloseBefore,
        "late" => Action::LateWork(seconds(needed()?)?),
        "delay" => Action::Delay(seconds(needed()?)?),
        "lose-answer" => Action::LoseAnswer,
        "half-answer" => Action::HalfAnswer,
        "garbage" => Action::Garbage,
        "truncated" => Action::TruncatedJson,
        "huge" => Action::Huge(number(needed()?)?),
        "wrong-type" => Action::WrongType,
        "hostile" => Action::Hostile(needed()?.parse()?),
        "expire-session" => Action::ExpireSession,
        "fail-task" => Action::FailTask { word: "failed", text: "the task failed, as ordered with --fault".into() },
        "fail-in-state" => {
            let text = "the task failed, as ordered with --fault".into();
            Action::FailInState { word: "failed", text, state: needed()?.into() }
        }
        "cancel-task" => Action::CancelTask,
        "vanish-task" => Action::VanishTask,
        "endless-task" => Action::NeverEndTask,
        "lag" => {
            let time = seconds(needed()?)?;
            Action::Lag { listed_after: time, found_after: time }
        }
        "hide" => Action::HideFromLists { calls: number(needed()?)? },
        _ => bail!("there is no action '{name}'; `vm6sim --help` lists them"),
    })
}

/// Status, code and text of an error document.
fn error(text: &str) -> Result<(u16, u64, String)> {
    let status: u16 = number(text)?;
    ensure!((100..600).contains(&status), "there is no HTTP status {status}");
    Ok((status, status.into(), "ordered with --fault".into()))
}

fn number<T: FromStr>(text: &str) -> Result<T> {
    text.parse().ok().with_context(|| format!("'{text}' is not a number that fits here"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_action_of_the_help_is_read() {
        for action in
            "503 503:3 429 429:1 status:502 status-after-work:500 close late:1.5 delay:0.2 lose-answer half-answer garbage truncated \
            huge:1000 wrong-type hostile:deep expire-session fail-task cancel-task vanish-task endless-task fail-in-state:stopped lag:3 hide:2"
                .split_whitespace()
        {
            let text = format!("POST /vm/v3/host/*/resource {action} nth=2 times=all");
            assert!(parse(&text).is_ok(), "{text}");
        }
    }

    #[test]
    fn what_is_not_a_fault_is_refused() {
        for text in [
            "",
            "POST /x",
            "post /x close",
            "GET x close",
            "GET /x explode",
            "GET /x late",
            "GET /x 503 twice",
            "GET /x status:7",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
