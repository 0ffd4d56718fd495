//! An operation that finds nothing to do: it takes its tickets, reads the service from MariaDB, asks VMmanager one
//! question in the cached session over TLS, and leaves. That is what every operation costs at least.

use std::path::Path;

use sandbox::World;
use sandbox::vmm::{Certificate, Setup, Transport};

use crate::measure::{PEAKS, Subject, note};
use crate::scene;
use crate::sheet::Sheet;

/// Where Linux keeps the roots that a `system` check reads.
const ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

pub(crate) fn run(sheet: &mut Sheet) {
    let (pinned, pinned_item) = prepared();
    let (system, system_item) = prepared();
    let roots = system.bill.root().join("roots.pem");
    let own = system.vmm.ca_pem().expect("the sandbox has an authority");
    let known = ROOTS.iter().find_map(|file| std::fs::read_to_string(file).ok()).unwrap_or_default();
    std::fs::write(&roots, known + &own).expect("the roots are written");
    system.bill.set_handler(system.handler, "tls_verify", "system");
    let trusting = |file: &Path| {
        let mut command = sync(&system, system_item);
        command.env("SSL_CERT_FILE", file);
        command
    };
    let subjects = [
        Subject::new("queued operation with one call in a cached session", || sync(&pinned, pinned_item))
            .within(8.0, 10.0),
        Subject::new("the same with a certificate of the company's own authority", || trusting(&roots)),
    ];
    for subject in &subjects {
        assert!((subject.command)().status().expect("it starts").success());
    }
    let (before, rounds) = (pinned.vmm.requests().len(), 300);
    note(sheet, rounds, &subjects);
    let asked = pinned.vmm.requests().len() - before;
    assert_eq!(asked, rounds + PEAKS, "one request each");
    assert_eq!(pinned.vmm.logins(), 1, "one login for all");
}

/// A world with MariaDB, a queue, TLS and an open service.
fn prepared() -> (World, u64) {
    let world = scene::lifelike(Setup { transport: Transport::Tls(Certificate::Signed), ..Setup::default() });
    world.bill.set_handler(world.handler, "queue_enabled", "on");
    let item = scene::opened(&world);
    (world, item)
}

fn sync(world: &World, item: u64) -> std::process::Command {
    world.bill.command(&["--command", "sync_item", "--item", &item.to_string()])
}
