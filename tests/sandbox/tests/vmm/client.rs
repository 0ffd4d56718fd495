//! A small HTTP client for the tests, signed in as the administrator unless said otherwise.

use std::time::Duration;

use sandbox::vmm::{Setup, VmManager};
use serde_json::{Value, json};
use ureq::Agent;
use ureq::http::Method;

pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A platform with a client of it.
pub(crate) struct Site {
    pub vmm: VmManager,
    pub agent: Agent,
    pub token: String,
}

/// Status and body of an answer.
#[derive(Debug)]
pub(crate) struct Said {
    pub status: u16,
    pub body: Value,
}

impl Said {
    /// The body, if the answer was good.
    #[track_caller]
    pub(crate) fn good(self) -> Value {
        assert!(self.status < 300, "{} {}", self.status, self.body);
        self.body
    }

    /// The error code and text, if the answer had this status.
    #[track_caller]
    pub(crate) fn bad(self, status: u16) -> (u64, String) {
        assert_eq!(self.status, status, "{}", self.body);
        let error = &self.body["error"];
        (error["code"].as_u64().unwrap(), error["msg"].as_str().unwrap().to_owned())
    }
}

pub(crate) fn agent() -> Agent {
    Agent::config_builder().http_status_as_error(false).timeout_global(Some(SOON)).build().into()
}

/// A platform with default settings.
pub(crate) fn site() -> Site {
    site_with(Setup::default())
}

pub(crate) fn site_with(setup: Setup) -> Site {
    let (email, password) = (setup.admin_email.clone(), setup.admin_password.clone());
    let mut site = Site { vmm: VmManager::start(setup).unwrap(), agent: agent(), token: String::new() };
    site.token = site.sign_in(&email, &password);
    site
}

impl Site {
    pub(crate) fn sign_in(&self, email: &str, password: &str) -> String {
        let said =
            self.call(Method::POST, "/auth/v4/public/token", Some(&json!({"email": email, "password": password})));
        assert_eq!(said.status, 201, "{}", said.body);
        said.body["token"].as_str().unwrap().to_owned()
    }

    pub(crate) fn get(&self, path: &str) -> Said {
        self.call(Method::GET, path, None)
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Said {
        self.call(Method::POST, path, Some(body))
    }

    pub(crate) fn delete(&self, path: &str) -> Said {
        self.call(Method::DELETE, path, None)
    }

    pub(crate) fn call(&self, method: Method, path: &str, body: Option<&Value>) -> Said {
        self.try_call(method, path, body).unwrap()
    }

    /// Like `call`, for answers that may not come.
    pub(crate) fn try_call(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Said, ureq::Error> {
        let request = ureq::http::Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.vmm.url()))
            .header("x-xsrf-token", &self.token)
            .body(body.map(Value::to_string).unwrap_or_default())
            .unwrap();
        let mut answer = self.agent.run(request)?;
        let text = answer.body_mut().with_config().limit(64 << 20).read_to_string()?;
        let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
        Ok(Said { status: answer.status().as_u16(), body })
    }

    /// Creates a VM with these changes to the usual body and waits until it runs.
    #[track_caller]
    pub(crate) fn host(&self, changes: &Value) -> u64 {
        let id = self.post("/vm/v3/host", &body(changes)).good()["id"].as_u64().unwrap();
        assert!(self.vmm.wait_until(SOON, |p| p.hosts[&id].state == "active"));
        id
    }

    /// Waits until every task is over.
    #[track_caller]
    pub(crate) fn settle(&self) {
        assert!(self.vmm.wait_until(SOON, |p| p.tasks.values().all(sandbox::vmm::Task::is_final)));
    }

    /// The element of a VM in the list.
    pub(crate) fn read(&self, host: u64) -> Value {
        self.get(&format!("/vm/v3/host?where=(id+EQ+'{host}')")).good()["list"][0].clone()
    }

    /// Status word and text of the last task with this name.
    #[track_caller]
    pub(crate) fn outcome(&self, name: &str) -> (String, String) {
        self.vmm.look(|p| {
            let task = p.tasks.values().rfind(|task| task.name == name).unwrap();
            (task.status.clone(), task.output.clone())
        })
    }
}

/// The body of a usual creation, with changes; a null takes a property away.
pub(crate) fn body(changes: &Value) -> Value {
    let mut body = json!({
        "name": "vps7", "password": "Vq8-pass", "cluster": 1, "account": 1, "os": 12, "cpu_number": 2,
        "ram_mib": 2048, "hdd_mib": 20480, "ipv4_number": 1, "ipv6_enabled": false, "comment": "billmgr:7",
    });
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(body.as_object_mut().unwrap().remove(name)),
            value => body[name] = value.clone(),
        }
    }
    body
}
