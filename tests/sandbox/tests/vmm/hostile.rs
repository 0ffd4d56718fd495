//! Hostile answers: what a client gets, that the work is done, and that the platform survives it.

use std::io::{Read, Write};
use std::net::TcpStream;

use sandbox::vmm::{Action, Fault, Hostile, ODD};
use serde_json::{Value, json};

use crate::client::{Site, site};

const HOSTS: &str = "/vm/v3/host";

/// The first bytes of the answer to a GET, whatever they are.
fn beginning(site: &Site, path: &str, most: usize) -> Vec<u8> {
    let mut stream = TcpStream::connect(site.vmm.url().trim_start_matches("http://")).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nx-xsrf-token: {}\r\n\r\n", site.token).unwrap();
    let mut bytes = vec![0; most];
    let mut length = 0;
    while length < most {
        match stream.read(&mut bytes[length..]) {
            Ok(count) if count > 0 => length += count,
            _ => break,
        }
    }
    bytes.truncate(length);
    bytes
}

/// Everything that is sent as an answer of this kind.
fn sent(site: &Site, kind: Hostile, path: &str) -> String {
    site.vmm.clear_faults();
    site.vmm.fault(Fault::hostile(kind));
    String::from_utf8_lossy(&beginning(site, path, 64 << 20)).into_owned()
}

/// Its body.
fn document(site: &Site, kind: Hostile, path: &str) -> Value {
    serde_json::from_str(sent(site, kind, path).split_once("\r\n\r\n").unwrap().1).unwrap()
}

fn log_in(site: &Site) -> Value {
    let login = json!({ "email": "admin@example.net", "password": "Adm1n-secret-pass" });
    site.post("/auth/v4/public/token", &login).good()
}

#[test]
fn every_kind_answers_and_the_platform_lives_on() {
    let site = site();
    for kind in Hostile::ALL {
        assert_eq!(kind.name().parse::<Hostile>().unwrap(), *kind);
        site.vmm.clear_faults();
        site.vmm.fault(Fault::hostile(*kind));
        if *kind != Hostile::Silent {
            assert!(!beginning(&site, HOSTS, 30).is_empty(), "{kind}");
        }
    }
    site.vmm.clear_faults();
    site.get(HOSTS).good();
}

#[test]
fn the_login_is_spared_unless_it_is_meant() {
    let site = site();
    site.vmm.fault(Fault::hostile(Hostile::Nothing));
    assert!(log_in(&site)["token"].is_string());
    site.vmm.clear_faults();
    site.vmm.fault(Fault::on("POST", "/auth/v4/public/token").act(Action::Hostile(Hostile::Nothing)));
    assert_eq!(log_in(&site), json!({}));
}

#[test]
fn the_work_is_done() {
    let site = site();
    site.vmm.fault(Fault::hostile(Hostile::Nothing));
    assert_eq!(site.post(HOSTS, &crate::client::body(&json!({}))).good(), json!({}));
    assert_eq!(site.vmm.look(|platform| platform.hosts.len()), 1);
}

#[test]
fn streams_without_end_do_not_end() {
    let site = site();
    for kind in [Hostile::EndlessHead, Hostile::EndlessContinue, Hostile::EndlessBody, Hostile::EndlessChunks] {
        site.vmm.clear_faults();
        site.vmm.fault(Fault::hostile(kind));
        assert_eq!(beginning(&site, HOSTS, 1 << 20).len(), 1 << 20, "{kind}");
    }
}

#[test]
fn lists_without_end_and_lists_that_repeat() {
    let site = site();
    let ids = |kind, page: &str| {
        let list = document(&site, kind, &format!("/vm/v3/os?limit={page}"));
        let list = list["list"].as_array().unwrap();
        (list.len(), list[0]["id"].as_u64().unwrap())
    };
    assert_eq!(ids(Hostile::EndlessList, "1000,500"), (500, 1001));
    assert_eq!(ids(Hostile::RepeatedIds, "1000,500"), (500, 1));
}

#[test]
fn fields_keep_their_names_and_lose_their_sense() {
    let site = site();
    let first = |kind| document(&site, kind, "/vm/v3/os")["list"][0].clone();
    assert!(first(Hostile::OddTexts)["name"].as_str().unwrap().starts_with(ODD));
    assert_eq!(first(Hostile::Nulls)["name"], Value::Null);
    assert_eq!(first(Hostile::NegativeNumbers)["id"], json!(-1.5));
    assert_eq!(sent(&site, Hostile::Twice, "/vm/v3/os").matches(r#""size":"#).count(), 2);
    assert!(sent(&site, Hostile::HugeNumbers, "/vm/v3/os").contains(r#""id":123456789012345678901234567890e300"#));
    assert!(sent(&site, Hostile::EmptyObjects, "/vm/v3/os").len() > 31 << 20);
}
