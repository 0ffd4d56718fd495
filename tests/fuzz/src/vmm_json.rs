//! Answers of VMmanager: status and body.

use std::cell::OnceCell;

use pmvmmanager6::error::Kind;
use pmvmmanager6::service::job::mark::FoundMark;
use pmvmmanager6::service::order::Sizes;
use pmvmmanager6::service::vm::addresses;
use pmvmmanager6::service::vm::sizes;
use pmvmmanager6::vmm::{
    Account, Cluster, CreateHost, Failure, Host, Ipv4, Node, Os, Outcome, Past, Pool, Preset, Recipe, Resources,
};

use crate::server::{PASSWORD, Server, TOKEN};

/// Statuses worth trying; the first byte chooses one, the rest is the body.
const STATUSES: [u16; 16] = [200, 200, 200, 200, 201, 302, 400, 401, 403, 404, 409, 429, 500, 502, 503, 504];

thread_local! {
    static SERVER: OnceCell<Server> = const { OnceCell::new() };
}

/// Every answer ends as done, refused or unknown. Refused means that nothing happened: an answer of success, and an error
/// of the server itself, are never read as that. No answer brings our password into an error.
pub fn check(bytes: &[u8]) {
    let Some((choice, body)) = bytes.split_first() else { return };
    understand(body);
    let status = STATUSES[usize::from(*choice) % STATUSES.len()];
    SERVER.with(|server| ask(server.get_or_init(Server::start), status, body));
}

fn ask(server: &Server, status: u16, body: &[u8]) {
    server.answer(status, body);
    let request = CreateHost { name: "vps1".to_owned(), ..CreateHost::default() };
    judge(status, body, server.client.create_host(&request));
    judge(status, body, server.client.delete_host(7.into()));
    judge(status, body, server.client.change_resources(7.into(), &Resources::default(), true));
    judge(status, body, server.client.set_comment(7.into(), "billmgr:0123456789ab:1"));
}

fn judge<T>(status: u16, body: &[u8], outcome: Outcome<T>) {
    let (error, refused) = match outcome {
        Ok(_) => return assert!((200..300).contains(&status), "status {status} was taken for success"),
        Err(Failure::Refused(error)) => (error, true),
        Err(Failure::Unknown(error)) => (error, false),
    };
    let text = error.to_string();
    assert!(!text.contains(PASSWORD) && !text.contains(TOKEN), "a secret in: {text}");
    let api_error = serde_json::from_slice::<serde_json::Value>(body).is_ok_and(|body| body.get("error").is_some());
    if (500..=502).contains(&status) || status == 504 {
        let session = error.kind == Kind::Vm6Auth;
        assert!(!refused || (session && api_error), "status {status} was taken for a refusal: {text}");
    }
    if (200..300).contains(&status) && !api_error {
        assert!(!refused, "status {status} without an error was taken for a refusal: {text}");
    }
}

/// What is made of the pieces of lists.
fn understand(body: &[u8]) {
    let wanted = Sizes {
        cpu_number: Some(2),
        ram_mib: Some(2048),
        hdd_mib: Some(20480),
        net_in_mbitps: Some(100),
        net_out_mbitps: Some(100),
        tuning: pmvmmanager6::vmm::TUNING.into_iter().map(|field| (field, 7.into())).collect(),
    };
    if let Ok(host) = serde_json::from_slice::<Host>(body) {
        _ = addresses::main_address(None, &host);
        for mark in FoundMark::all(&host.comment) {
            assert!(host.comment.contains(&format!("billmgr:{}:", mark.installation)));
        }
        shrinks_never(&wanted, &host);
    }
    _ = serde_json::from_slice::<Account>(body);
    _ = serde_json::from_slice::<Cluster>(body);
    _ = serde_json::from_slice::<Node>(body);
    _ = serde_json::from_slice::<Os>(body);
    _ = serde_json::from_slice::<Past>(body).map(|past| past.is_under_way());
    _ = serde_json::from_slice::<Pool>(body).map(|pool| pool.free_ipv4());
    _ = serde_json::from_slice::<Preset>(body).map(|preset| preset.main_disk_mib());
    _ = serde_json::from_slice::<Recipe>(body);
    _ = serde_json::from_slice::<Ipv4>(body);
}

/// Whatever VMmanager says about a VM: no disk is ever asked to become smaller.
fn shrinks_never(wanted: &Sizes, host: &Host) {
    let has = host.disk.as_ref().and_then(|disk| disk.size_mib);
    match sizes::compare(wanted, host) {
        Err(error) => assert!([Kind::DiskShrink, Kind::VmHasSnapshots].contains(&error.kind), "{error}"),
        Ok(change) => {
            let smaller = change.disk_mib.zip(has).is_some_and(|(asked, has)| asked < has);
            assert!(!smaller, "{change:?} would shrink a disk of {has:?} MiB");
        }
    }
}
