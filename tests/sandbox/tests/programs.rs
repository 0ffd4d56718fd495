//! The programs as people use them: help, version, wrong usage, one line for an error, and that `vm6sim` does what its
//! command line says.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Output, Stdio};

use anyhow::{Context, Result};
use serde_json::{Value, json};

const VM6SIM: &str = env!("CARGO_BIN_EXE_vm6sim");
const DEMO: &str = env!("CARGO_BIN_EXE_demo");
const MGRCTL: &str = env!("CARGO_BIN_EXE_mgrctl");

fn run(program: &str, words: &[&str]) -> Result<Output> {
    let output = Command::new(program).args(words).stdin(Stdio::null()).env("RUST_BACKTRACE", "1").output();
    output.with_context(|| format!("cannot start {program}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A running `vm6sim`; it ends when its standard input closes.
struct Running {
    child: Child,
    said: Vec<(String, String)>,
}

impl Running {
    fn start(words: &[&str]) -> Result<Self> {
        let mut child = Command::new(VM6SIM).args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no stdout")?).lines();
        let mut said = Vec::new();
        for line in lines {
            let line = line?;
            if line.starts_with("It runs until") {
                break;
            }
            let (name, value) = line.split_once(' ').context("a line without a value")?;
            said.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Self { child, said })
    }

    fn all(&self, name: &str) -> Vec<&str> {
        self.said.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    fn end(mut self) -> Result<bool> {
        drop(self.child.stdin.take());
        Ok(self.child.wait()?.success())
    }
}

/// A call of a platform; status and body.
fn call(url: &str, path: &str, token: Option<&str>, body: Option<&Value>) -> Result<(u16, Value)> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let (uri, token) = (format!("{url}{path}"), token.unwrap_or_default());
    let mut answer = match body {
        Some(body) => agent.post(uri).header("x-xsrf-token", token).send(body.to_string())?,
        None => agent.get(uri).header("x-xsrf-token", token).call()?,
    };
    let text = answer.body_mut().read_to_string()?;
    Ok((answer.status().as_u16(), serde_json::from_str(&text)?))
}

fn log_in(url: &str, email: &str, password: &str) -> Result<String> {
    let login = json!({"email": email, "password": password});
    let (_, body) = call(url, "/auth/v4/public/token", None, Some(&login))?;
    Ok(body["token"].as_str().with_context(|| format!("no token: {body}"))?.to_owned())
}

#[test]
fn every_program_explains_itself() -> Result<()> {
    for program in [VM6SIM, DEMO, MGRCTL] {
        let help = run(program, &["--help"])?;
        assert!(help.status.success());
        let said = text(&help.stdout);
        assert!(said.contains("Usage:") && said.contains("Example"), "{said}");
        let version = run(program, &["--version"])?;
        assert!(version.status.success() && text(&version.stdout).contains(env!("CARGO_PKG_VERSION")));
    }
    Ok(())
}

#[test]
fn wrong_usage_is_2_and_an_error_is_1_with_one_line() -> Result<()> {
    let wrong = [
        (VM6SIM, &["--nonsense"][..]),
        (VM6SIM, &["--fault", "POST /vm/v3/host explode"]),
        (VM6SIM, &["--hostile", "friendly"]),
        (VM6SIM, &["--account", "nobody"]),
        (VM6SIM, &["--platforms", "0"]),
        (DEMO, &["--nonsense"]),
    ];
    for (program, words) in wrong {
        let output = run(program, words)?;
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert!(output.stdout.is_empty() && text(&output.stderr).starts_with("error: "), "{words:?}");
    }
    let failing = [
        (VM6SIM, &["--address", "192.0.2.1"][..]),
        (VM6SIM, &["--vm", "vps1:nobody@client.example"]),
        (VM6SIM, &["--port", "65535", "--platforms", "2"]),
        (DEMO, &["/nowhere/module"]),
        (MGRCTL, &["-m", "billmgr", "paramlist"]),
    ];
    for (program, words) in failing {
        let output = run(program, words)?;
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(text(&output.stderr).lines().count(), 1, "{}", text(&output.stderr));
    }
    Ok(())
}

#[test]
fn platforms_have_ports_of_their_own_and_ids_that_collide() -> Result<()> {
    let words = ["--platforms", "2", "--account", "ivan@client.example", "--vm", "vps1:ivan@client.example"];
    let running = Running::start(&words)?;
    let urls = running.all("url");
    assert_eq!((urls.len(), running.all("platform")), (2, vec!["1", "2"]));
    assert_ne!(urls[0], urls[1]);
    let mut seen = Vec::new();
    for url in urls {
        let token = log_in(url, running.all("e-mail")[0], running.all("password")[0])?;
        let (_, hosts) = call(url, "/vm/v3/host", Some(&token), None)?;
        seen.push((hosts["list"][0]["id"].clone(), hosts["list"][0]["account"].clone()));
        let client = log_in(url, "ivan@client.example", "Client-secret-pass")?;
        assert_eq!(call(url, "/vm/v3/node", Some(&client), None)?.0, 403);
    }
    assert_eq!(seen[0], seen[1]);
    assert!(running.end()?, "it ends when standard input closes");
    Ok(())
}

#[test]
fn faults_and_list_caps_come_from_the_command_line() -> Result<()> {
    let vms = ["--vm", "a", "--vm", "b", "--vm", "c", "--list-cap", "2"];
    let fault = ["--fault", "GET /vm/v3/version status:502 nth=2"];
    let running = Running::start(&[&vms[..], &fault[..]].concat())?;
    let url = running.all("url")[0];
    let token = log_in(url, "admin@example.net", "Adm1n-secret-pass")?;
    let statuses: Vec<u16> =
        (0..3).map(|_| Ok(call(url, "/vm/v3/version", Some(&token), None)?.0)).collect::<Result<_>>()?;
    assert_eq!(statuses, [200, 502, 200]);
    let (_, hosts) = call(url, "/vm/v3/host?limit=100", Some(&token), None)?;
    assert_eq!((hosts["list"].as_array().map(Vec::len), &hosts["size"]), (Some(2), &json!(3)));
    Ok(())
}
