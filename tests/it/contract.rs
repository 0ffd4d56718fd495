//! Each change that the module asks VMmanager for, request by request: method, path, headers and the whole body.
//!
//! A [`Contract`] is between the real binary and the sandbox's VMmanager. It passes reads on, and of the changes only the
//! promised ones; any other is answered with 501 and fails the operation.

use mockito::{Matcher, Mock, Request, Server, ServerGuard};
use pmvmmanager6::error::Kind;
use sandbox::bill::Order;
use serde_json::{Value, json};

use crate::support::cases::each;
use crate::support::world::TestWorld;

const LOGIN: &str = "/auth/v4/public/token";
/// Stands for any text in a body.
const ANY: &str = "<any>";

/// Id of the first account that is made in the VMmanager of the sandbox.
const ALICE: u64 = 41;

/// A promised request: method, path and body; null for none.
type Promise = (&'static str, String, Value);

struct Contract {
    server: ServerGuard,
    beyond: String,
    promised: Vec<Mock>,
}

impl Contract {
    /// Between the handler of a world and its VMmanager; one login is promised.
    fn of(world: &TestWorld) -> Self {
        let mut contract = Contract { server: Server::new(), beyond: world.vmm.url(), promised: Vec::new() };
        let reads = contract.with_session("GET", Matcher::Any);
        let reads = contract.passing_on(reads);
        reads.expect_at_least(1).create();
        let login = json!({ "email": "admin@example.net", "password": "Adm1n-secret-pass" });
        let mock = contract.server.mock("POST", LOGIN).match_header("x-xsrf-token", Matcher::Missing);
        let mock = contract.passing_on(with_body(mock, login)).expect(1).create();
        contract.promised.push(mock);
        world.bill.set_handler(world.handler, "url", &contract.server.url());
        contract
    }

    fn promise(&mut self, (method, path, body): Promise) {
        let mock = self.with_session(method, path.as_str());
        let mock = self.passing_on(with_body(mock, body)).expect(1).create();
        self.promised.push(mock);
    }

    /// A request with both headers that VMmanager's own clients send.
    fn with_session(&mut self, method: &str, path: impl Into<Matcher>) -> Mock {
        let mock = self.server.mock(method, path);
        mock.match_header("x-xsrf-token", Matcher::Regex(".".into()))
            .match_header("cookie", Matcher::Regex("^ses6=.".into()))
    }

    fn passing_on(&self, mock: Mock) -> Mock {
        let beyond = self.beyond.clone();
        mock.with_header("content-type", "application/json")
            .with_body_from_request(move |request| pass_on(&beyond, request).expect("VMmanager answers"))
    }

    /// Every promised request has come once, and no other change.
    fn assert_kept(&self) {
        self.promised.iter().for_each(Mock::assert);
    }
}

fn with_body(mock: Mock, body: Value) -> Mock {
    if body.is_null() {
        return mock.match_request(|request| request.body().is_ok_and(Vec::is_empty));
    }
    let mock = mock.match_header("content-type", Matcher::Regex("^application/json(; *charset=utf-8)?$".into()));
    mock.match_request(move |request| {
        let sent = request.body().ok().and_then(|bytes| serde_json::from_slice(bytes).ok());
        sent.is_some_and(|sent: Value| is_as(&sent, &body))
    })
}

fn is_as(sent: &Value, promised: &Value) -> bool {
    match (sent, promised) {
        (Value::Object(sent), Value::Object(promised)) => {
            let agrees = |(name, value)| promised.get(name).is_some_and(|promised| is_as(value, promised));
            sent.len() == promised.len() && sent.iter().all(agrees)
        }
        (Value::String(text), Value::String(any)) if any == ANY => !text.is_empty(),
        _ => sent == promised,
    }
}

/// The same request to the VMmanager beyond; its answer.
fn pass_on(beyond: &str, request: &Request) -> Result<Vec<u8>, ureq::Error> {
    let mut onward =
        ureq::http::Request::builder().method(request.method()).uri(format!("{beyond}{}", request.path_and_query()));
    for (name, value) in request.headers() {
        if ["x-xsrf-token", "cookie", "content-type"].contains(&name.as_str()) {
            onward = onward.header(name, value);
        }
    }
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let body = request.body().cloned().unwrap_or_default();
    let answer = if body.is_empty() { agent.run(onward.body(())?) } else { agent.run(onward.body(body)?) };
    answer?.body_mut().read_to_vec()
}

/// What an open service is made to be, the operation on it, and what this asks for.
type Case = (&'static str, (fn(&TestWorld, u64), fn(&TestWorld, u64), fn(&TestWorld, u64) -> Vec<Promise>));

fn kept(cases: &[Case]) {
    each(cases, |(prepare, operate, asks)| {
        let world = TestWorld::start();
        let item = world.opened();
        prepare(&world, item);
        let mut contract = Contract::of(&world);
        for promise in asks(&world, item) {
            contract.promise(promise);
        }
        operate(&world, item);
        contract.assert_kept();
    });
}

/// A path of the service's VM.
fn host(world: &TestWorld, item: u64, rest: &str) -> String {
    format!("/vm/v3/host/{}{rest}", world.host_of(item).id)
}

fn nothing(_: &TestWorld, _: u64) {}

fn stopped(world: &TestWorld, item: u64) {
    world.succeed(item, "stop");
}

fn grown(world: &TestWorld, item: u64) {
    world.bill.set_addon(item, "ncpu", 4);
    world.bill.set_addon(item, "mem", 4096);
}

fn with_slot(world: &TestWorld, item: u64, command: &str) {
    let slot = world.bill.slots(item).last().unwrap().0;
    world.succeed_with(item, command, &["--ip", &slot.to_string()]);
}

#[test]
fn an_opening_asks_for_an_account_and_a_vm() {
    let world = TestWorld::start();
    let mut contract = Contract::of(&world);
    let item = world.bill.order(&world.usual_order().secret("password", "Ordered-pass-1"));
    let account = json!({ "email": "alice@example.com", "password": ANY, "role": "@user", "full_name": "Alice" });
    let vm = json!({
        "name": format!("vps{item}"), "comment": world.mark(item), "cluster": 1, "account": ALICE, "os": 11,
        "password": "Ordered-pass-1", "cpu_number": 2, "ram_mib": 2048, "hdd_mib": 20_480, "ipv4_number": 1,
        "ipv6_enabled": false,
    });
    contract.promise(("POST", "/vm/v3/account".to_owned(), account));
    contract.promise(("POST", "/vm/v3/host".to_owned(), vm));
    world.succeed(item, "open");
    contract.assert_kept();
}

#[test]
fn the_power_buttons() {
    kept(&[
        (
            "suspend",
            (
                nothing,
                |w, item| drop(w.succeed(item, "suspend")),
                |w, item| vec![("POST", host(w, item, "/stop"), json!({}))],
            ),
        ),
        (
            "start",
            (
                stopped,
                |w, item| drop(w.succeed(item, "start")),
                |w, item| vec![("POST", host(w, item, "/start"), json!({}))],
            ),
        ),
        (
            "reboot",
            (
                nothing,
                |w, item| drop(w.succeed(item, "reboot")),
                |w, item| vec![("POST", host(w, item, "/restart"), json!({}))],
            ),
        ),
        (
            "hardreboot",
            (
                nothing,
                |w, item| drop(w.succeed(item, "hardreboot")),
                |w, item| vec![("POST", host(w, item, "/restart"), json!({ "force": true }))],
            ),
        ),
    ]);
}

#[test]
fn sizes_of_a_vm() {
    kept(&[
        (
            "stopped",
            (
                |w, item| {
                    stopped(w, item);
                    grown(w, item);
                },
                |w, item| drop(w.succeed(item, "setparam")),
                |w, item| vec![("POST", host(w, item, "/resource"), json!({ "cpu_number": 4, "ram_mib": 4096 }))],
            ),
        ),
        (
            "running",
            (
                grown,
                |w, item| drop(w.succeed(item, "setparam")),
                |w, item| {
                    let sizes = json!({ "cpu_number": 4, "ram_mib": 4096, "defer": { "action": "host_stop" } });
                    vec![("POST", host(w, item, "/resource"), sizes), ("POST", host(w, item, "/restart"), json!({}))]
                },
            ),
        ),
        (
            "disk",
            (
                |w, item| {
                    stopped(w, item);
                    w.bill.set_addon(item, "disk disc", 30_720);
                },
                |w, item| drop(w.succeed(item, "setparam")),
                |w, item| {
                    let disk = w.disk(w.host_of(item).id);
                    vec![("POST", format!("/vm/v3/disk/{disk}"), json!({ "size_mib": 30_720 }))]
                },
            ),
        ),
    ]);
}

#[test]
fn addresses_of_a_vm() {
    kept(&[
        (
            "one more",
            (
                |w, item| w.bill.set_addon(item, "ip", 2),
                |w, item| with_slot(w, item, "addip"),
                |w, item| vec![("POST", host(w, item, "/ip"), json!({ "ipv4_number": 1 }))],
            ),
        ),
        (
            "one less",
            (
                |w, item| {
                    w.bill.set_addon(item, "ip", 2);
                    with_slot(w, item, "addip");
                    w.bill.set_addon(item, "ip", 1);
                },
                |w, item| with_slot(w, item, "delip"),
                |w, item| {
                    let (ip, _) = w.addresses(w.host_of(item).id, 4).pop().unwrap();
                    vec![("DELETE", format!("/vm/v3/ip/{ip}"), Value::Null)]
                },
            ),
        ),
        (
            "reverse name",
            (
                |w, item| w.bill.set_param(item, "domain", "new.example.com"),
                |w, item| drop(w.succeed(item, "setparam")),
                |w, item| {
                    let (ip, _) = w.addresses(w.host_of(item).id, 4).remove(0);
                    vec![("POST", format!("/vm/v3/ip/{ip}/ptr"), json!({ "domain": "new.example.com" }))]
                },
            ),
        ),
    ]);
}

#[test]
fn ipv6_is_switched_on_and_off() {
    let world = TestWorld::start();
    let order = Order::new(world.alice, world.tariffs.dual_stack, world.handler).addon("ipv6", "0");
    let item = world.opened_as(&order);
    world.bill.set_addon(item, "ipv6", 1);
    let mut contract = Contract::of(&world);
    for enabled in [true, false] {
        contract.promise(("POST", host(&world, item, "/ip"), json!({ "ipv6_enabled": enabled })));
    }
    with_slot(&world, item, "addip");
    with_slot(&world, item, "delip");
    contract.assert_kept();
}

#[test]
fn passwords_and_ways_in() {
    kept(&[
        (
            "password",
            (
                nothing,
                |w, item| drop(w.succeed(item, "changepassword")),
                |w, item| vec![("POST", host(w, item, "/password"), json!({ "password": "N3w-pass-from-panel" }))],
            ),
        ),
        (
            "login link",
            (
                nothing,
                |w, item| assert!(w.aside(item, "transition_controlpanel").done),
                |w, item| vec![("POST", format!("/auth/v4/user/{}/key", w.host_of(item).account), json!({}))],
            ),
        ),
    ]);
}

#[test]
fn what_else_happens_to_a_vm() {
    kept(&[
        (
            "the mark is written again",
            (
                |w, item| w.alter(w.host_of(item).id, |vm| "my shop".clone_into(&mut vm.comment)),
                |w, item| assert!(w.aside(item, "sync_item").done),
                |w, item| {
                    let host = w.vmm.look(|platform| *platform.hosts.keys().next().unwrap());
                    let comment = format!("my shop {}", w.mark(item));
                    vec![("POST", format!("/vm/v3/host/{host}"), json!({ "comment": comment }))]
                },
            ),
        ),
        (
            "reinstall",
            (
                nothing,
                |w, item| {
                    let run = w.run(&["reinstall", "--item", &item.to_string(), "--yes"]);
                    assert_eq!(run.status, Some(0), "{run:#?}");
                },
                |w, item| vec![("POST", host(w, item, "/reinstall"), json!({ "os": 11, "password": ANY }))],
            ),
        ),
        (
            "close",
            (
                nothing,
                |w, item| drop(w.succeed(item, "close")),
                |w, item| vec![("DELETE", host(w, item, ""), Value::Null)],
            ),
        ),
    ]);
}

/// The promise itself: what differs in one field is no promised request.
#[test]
fn another_request_than_the_promised_one_fails() {
    let world = TestWorld::start();
    let item = world.opened();
    let mut contract = Contract::of(&world);
    contract.promise(("POST", host(&world, item, "/restart"), json!({})));
    assert_eq!(world.fail(item, "hardreboot").kind, Kind::Vm6Api);
    assert!(!contract.promised[1].matched());
}
