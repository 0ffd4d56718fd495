//! Sockets, HTTP framing, certificates.

use std::io::{Read as _, Write as _};
use std::net::{Ipv6Addr, TcpStream};

use sandbox::vmm::{Action, Certificate, Fault, Setup, Transport, VmManager};
use serde_json::json;
use ureq::tls::{Certificate as Authority, RootCerts, TlsConfig};

use crate::client::{SOON, site, site_with};

fn tls(quality: Certificate) -> VmManager {
    VmManager::start(Setup { transport: Transport::Tls(quality), ..Setup::default() }).unwrap()
}

fn trusting(pem: &str) -> ureq::Agent {
    let roots = RootCerts::new_with_certs(&[Authority::from_pem(pem.as_bytes()).unwrap().to_owned()]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    ureq::Agent::config_builder().tls_config(tls).http_status_as_error(false).timeout_global(Some(SOON)).build().into()
}

#[test]
fn a_signed_certificate_is_valid_for_every_name_of_loopback() {
    let vmm = tls(Certificate::Signed);
    let agent = trusting(&vmm.ca_pem().unwrap());
    for host in ["localhost", "127.0.0.1"] {
        let answer = agent.get(format!("https://{host}:{}/vm/v3/version", vmm.port())).call().unwrap();
        assert_eq!(answer.status(), 401, "{host}");
    }
    let fingerprint = vmm.fingerprint().unwrap();
    assert!(fingerprint.len() == 64 && fingerprint.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)));
    let on6 = Setup {
        transport: Transport::Tls(Certificate::Signed),
        address: Ipv6Addr::LOCALHOST.into(),
        ..Setup::default()
    };
    let vmm = VmManager::start(on6).unwrap();
    assert!(vmm.url().starts_with("https://[::1]:"));
    assert_eq!(trusting(&vmm.ca_pem().unwrap()).get(format!("{}/x", vmm.url())).call().unwrap().status(), 401);
}

#[test]
fn bad_certificates_are_bad() {
    for quality in [Certificate::Expired, Certificate::WrongHost] {
        let vmm = tls(quality);
        let agent = trusting(&vmm.ca_pem().unwrap());
        assert!(agent.get(format!("{}/vm/v3/version", vmm.url())).call().is_err(), "{quality:?}");
    }
    let vmm = tls(Certificate::SelfSigned);
    assert!(vmm.ca_pem().is_none());
    assert!(trusting(&tls(Certificate::Signed).ca_pem().unwrap()).get(format!("{}/x", vmm.url())).call().is_err());
}

#[test]
fn a_lost_answer_is_lost_over_tls_too() {
    let vmm = tls(Certificate::Signed);
    let agent = trusting(&vmm.ca_pem().unwrap());
    vmm.fault(Fault::on("POST", "/auth/v4/public/token").act(Action::LoseAnswer));
    let login = json!({"email": "admin@example.net", "password": "Adm1n-secret-pass"}).to_string();
    let url = format!("{}/auth/v4/public/token", vmm.url());
    assert!(agent.post(&url).send(&login).is_err());
    assert_eq!(agent.post(&url).send(&login).unwrap().status(), 201);
    assert_eq!(vmm.logins(), 2);
}

#[test]
fn bodies_may_be_chunked_and_requests_pipelined() {
    let site = site();
    let mut socket = TcpStream::connect(("127.0.0.1", site.vmm.port())).unwrap();
    let body = json!({"email": "admin@example.net", "password": "Adm1n-secret-pass"}).to_string();
    let (a, b) = body.split_at(7);
    let chunks = format!("{:x}\r\n{a}\r\n{:x};ext=1\r\n{b}\r\n0\r\n\r\n", a.len(), b.len());
    let head = "POST /auth/v4/public/token HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    let next = "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    socket.write_all(format!("{head}{chunks}{next}").as_bytes()).unwrap();
    let mut answers = String::new();
    socket.read_to_string(&mut answers).unwrap();
    assert!(answers.starts_with("HTTP/1.1 201 ") && answers.contains("HTTP/1.1 401 "), "{answers}");
    assert!(site.vmm.requests().iter().any(|r| r.path == "/nothing" && r.status == Some(401)));
}

#[test]
fn a_client_that_waits_for_100_continue_is_answered() {
    let site = site();
    let mut socket = TcpStream::connect(("127.0.0.1", site.vmm.port())).unwrap();
    let head = "POST /auth/v4/public/key HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n";
    socket.write_all(format!("{head}Connection: close\r\n\r\n").as_bytes()).unwrap();
    let mut first = [0; 25];
    socket.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"HTTP/1.1 100 Continue\r\n\r\n");
    socket.write_all(b"{}").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 "));
}

#[test]
fn a_body_that_is_no_json_is_refused() {
    let site = site();
    let url = format!("{}/vm/v3/host", site.vmm.url());
    for body in ["{", "[]", "\"x\""] {
        let answer = site.agent.post(&url).header("x-xsrf-token", &site.token).send(body).unwrap();
        assert_eq!(answer.status(), 400, "{body}");
    }
}

#[test]
fn many_clients_are_served_at_once_and_dropping_ends_it_all() {
    let site = site_with(Setup::default());
    let made: Vec<u64> = std::thread::scope(|scope| {
        let clients = (0..100).map(|_| scope.spawn(|| site.host(&json!({})))).collect::<Vec<_>>();
        clients.into_iter().map(|client| client.join().unwrap()).collect()
    });
    let addresses =
        site.vmm.look(|p| p.ips.values().map(|ip| ip.ip_addr.clone()).collect::<std::collections::BTreeSet<_>>());
    assert_eq!((made.len(), addresses.len()), (100, 100));
    let port = site.vmm.port();
    drop(site.vmm);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
