//! A real Prometheus scrapes what the module prints, and an alert of the pack fires and clears.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use mockito::{Server, ServerGuard};
use serde_json::{Value, json};

use crate::support::markdown::repository;
use crate::support::processes::until;
use crate::support::world::TestWorld;

/// A server that is ended with the test.
struct Prometheus {
    process: Child,
    url: String,
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        _ = self.process.kill();
        _ = self.process.wait();
    }
}

impl Prometheus {
    /// Scrapes `target` each second, with the rules of the pack.
    fn start(directory: &Path, target: &ServerGuard) -> Self {
        let rules = fs::read_to_string(repository("packaging/monitoring/alerts.yml")).unwrap();
        fs::write(directory.join("alerts.yml"), rules).unwrap();
        // JSON is YAML.
        let configuration = json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": ["alerts.yml"],
            "scrape_configs": [{"job_name": "module", "static_configs": [{"targets": [target.host_with_port()]}]}],
        });
        fs::write(directory.join("prometheus.yml"), configuration.to_string()).unwrap();
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let process = Command::new("prometheus")
            .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--log.level=warn"])
            .arg(format!("--web.listen-address={free}"))
            .current_dir(directory)
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("prometheus ({error}): install it, or run \"make promtool\" as root"));
        Prometheus { process, url: format!("http://{free}/api/v1") }
    }

    /// The data of an answer; nothing while it starts.
    fn ask(&self, path: &str) -> Option<Value> {
        let text = ureq::get(format!("{}{path}", self.url)).call().ok()?.body_mut().read_to_string().ok()?;
        serde_json::from_str::<Value>(&text).ok()?.get("data").cloned()
    }

    /// The alerts that fire, each with its labels.
    fn firing(&self) -> Option<Vec<Value>> {
        let data = self.ask("/alerts")?;
        let fires = |alert: &&Value| alert["state"] == "firing";
        Some(data["alerts"].as_array()?.iter().filter(fires).map(|alert| alert["labels"].clone()).collect())
    }
}

/// What the module prints now is what is scraped from now on.
fn publish(server: &mut ServerGuard, world: &TestWorld) {
    let page = world.bill.run(&["metrics", "--probe"]).stdout;
    server.reset();
    server.mock("GET", "/metrics").with_header("content-type", "text/plain; version=0.0.4").with_body(page).create();
}

#[test]
fn drift_fires_an_alert_until_an_audit_finds_none() {
    let world = TestWorld::start();
    let item = world.opened();
    world.alter(world.host_of(item).id, |vm| "shop".clone_into(&mut vm.name));
    assert_eq!(world.bill.run(&["audit"]).status, Some(1));
    let directory = tempfile::tempdir().unwrap();
    let mut server = Server::new();
    publish(&mut server, &world);
    let prometheus = Prometheus::start(directory.path(), &server);
    let fired = until("the alert fires", || prometheus.firing().filter(|alerts| !alerts.is_empty()));
    let [alert] = fired.as_slice() else { panic!("one alert and no other: {fired:?}") };
    assert_eq!((&alert["alertname"], &alert["kind"]), (&json!("Pmvmmanager6Drift"), &json!("name")));
    assert_eq!(alert["handler"], world.handler.to_string());
    let scraped = prometheus.ask("/query?query=pmvmmanager6_operations_total").unwrap();
    let commands = scraped["result"].as_array().unwrap().iter().map(|series| &series["metric"]["command"]);
    assert_eq!(commands.collect::<Vec<_>>(), ["open"]);

    assert_eq!(world.bill.run(&["audit", "--repair", "name", "--item", &item.to_string(), "--yes"]).status, Some(0));
    assert_eq!(world.bill.run(&["audit"]).status, Some(0));
    publish(&mut server, &world);
    until("the alert clears", || prometheus.firing().filter(Vec::is_empty));
}
