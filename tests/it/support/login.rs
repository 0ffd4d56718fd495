//! The client's button "go to panel", and where its link leads.

use pmvmmanager6::wire;
use sandbox::bill::Run;
use serde_json::{Value, json};

use super::world::TestWorld;

/// Between the address of a VMmanager and the key.
const PATH: &str = "/auth/key-v4/";

/// The account that a key logs in, if it is good for anything.
pub(crate) fn spend(base: &str, key: &str) -> Option<String> {
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let mut answer = agent
        .post(format!("{base}/auth/v4/public/key"))
        .send_json(json!({ "key": key }))
        .expect("the simulator answers");
    let token = answer.body_mut().read_json::<Value>().ok()?["token"].as_str()?.to_owned();
    let mut who = agent.get(format!("{base}/auth/v4/whoami")).header("x-xsrf-token", &token).call().ok()?;
    Some(who.body_mut().read_json::<Value>().ok()?["email"].as_str()?.to_owned())
}

impl TestWorld {
    /// A run of the client's button.
    pub(crate) fn ask_link(&self, item: u64, more: &[&str]) -> Run {
        let id = item.to_string();
        let mut args = vec!["--command", "transition_controlpanel", "--item", &id];
        args.extend(more);
        self.run(&args)
    }

    /// Where the button leads: the address of a VMmanager and the account there.
    #[track_caller]
    pub(crate) fn enters(&self, item: u64) -> (String, String) {
        let run = self.ask_link(item, &[]);
        assert_eq!(run.status, Some(0), "{run:#?}\n{}", self.bill.log());
        let answer = wire::parse(run.stdout.as_bytes()).unwrap();
        let (base, key) = answer.value("url").split_once(PATH).expect("a link with a key");
        (base.to_owned(), spend(base, key).expect("the key logs somebody in"))
    }
}
