//! A database on another host: what its administrator decides about TLS, and somebody on the way to it.

use std::fmt::Display;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use anyhow::{Context as _, Result};

use super::mariadb::Server;
use super::root::Root;
use super::{Bill, must};
use crate::vmm::Certificate;

/// Who must come with TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Nobody.
    Nobody,
    /// The installation's user (`REQUIRE SSL`).
    User,
    /// Everybody who comes over TCP (`require_secure_transport`).
    Everybody,
}

impl Bill {
    /// Host and port of the database's server.
    pub fn database_address(&self) -> SocketAddr {
        must(self.remote().address())
    }

    /// The file with the authority of the server's certificate.
    pub fn database_authority(&self) -> PathBuf {
        self.remote().authority()
    }

    /// New connections to the database get another certificate, of a new authority; false when the server refuses to show
    /// it.
    pub fn database_shows(&self, quality: Certificate) -> bool {
        must(self.remote().show(quality))
    }

    /// The database's administrator demands TLS.
    pub fn database_demands_tls(&self, demand: Demand) {
        let option = |name| self.root.options().map(|all| all.into_iter().find(|(known, _)| known == name));
        let (_, user) = must(option("DBUser").and_then(|found| found.context("there is no DBUser")));
        let (of_user, of_all) = (demand == Demand::User, demand == Demand::Everybody);
        let of_user = if of_user { "SSL" } else { "NONE" };
        must(self.remote().as_root(&format!("ALTER USER {user}@'127.0.0.1' REQUIRE {of_user}")));
        must(self.remote().as_root(&format!("SET GLOBAL require_secure_transport = {}", u8::from(of_all))));
    }

    /// Where the module finds its database, and what it is told about TLS.
    pub fn database_is_at(&self, host: impl Display, tls: Option<&str>) {
        must(lead_to(&self.root, host, tls));
    }

    fn remote(&self) -> &Server {
        self.server.as_deref().expect("this installation has no database server")
    }
}

/// Writes where the database is.
pub(super) fn lead_to(root: &Root, host: impl Display, tls: Option<&str>) -> Result<()> {
    let line = tls.map_or_else(String::new, |tls| format!("Pmvmmanager6DBTLS {tls}\n"));
    root.write("etc/billmgr.conf.d/remote.conf", &format!("DBHost {host}\n{line}"))
}

/// Somebody on the way to a server who notes what is said to it.
#[derive(Debug)]
pub struct Listener {
    address: SocketAddr,
    heard: Arc<Mutex<Vec<u8>>>,
}

impl Listener {
    /// Listens on the way to `server`; may take the offer of TLS out of the server's greeting.
    ///
    /// # Errors
    /// When there is no port for it.
    pub fn on_the_way_to(server: SocketAddr, strips_tls: bool) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let (address, heard) = (listener.local_addr()?, Arc::new(Mutex::new(Vec::new())));
        let notes = Arc::clone(&heard);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let notes = Arc::clone(&notes);
                // A connection that breaks is its client's to notice.
                thread::spawn(move || pass(client, server, strips_tls, &notes));
            }
        });
        Ok(Self { address, heard })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What clients said so far.
    pub fn heard(&self) -> Vec<u8> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn pass(mut client: TcpStream, server: SocketAddr, strips_tls: bool, notes: &Mutex<Vec<u8>>) -> io::Result<()> {
    let mut server = TcpStream::connect(server)?;
    let (mut answers, mut back) = (server.try_clone()?, client.try_clone()?);
    let mut greeting = greeting(&mut answers)?;
    if strips_tls {
        take_offer_out(&mut greeting);
    }
    back.write_all(&greeting)?;
    thread::spawn(move || io::copy(&mut answers, &mut back).and_then(|_| back.shutdown(Shutdown::Both)));
    let mut part = [0; 4096];
    loop {
        let length = client.read(&mut part)?;
        if length == 0 {
            return server.shutdown(Shutdown::Both);
        }
        notes.lock().unwrap_or_else(PoisonError::into_inner).extend(&part[..length]);
        server.write_all(&part[..length])?;
    }
}

/// The first packet of a server, with its head.
fn greeting(server: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut packet = vec![0; 4];
    server.read_exact(&mut packet)?;
    let length = u32::from_le_bytes([packet[0], packet[1], packet[2], 0]) as usize;
    packet.resize(4 + length, 0);
    server.read_exact(&mut packet[4..])?;
    Ok(packet)
}

/// The capabilities follow a byte, the version up to its zero, the connection's number and the first part of the nonce.
fn take_offer_out(greeting: &mut [u8]) {
    const CLIENT_SSL: u8 = 0x08;
    let version = greeting[5..].iter().position(|byte| *byte == 0).unwrap_or_default();
    let capabilities = 5 + version + 1 + 4 + 8 + 1;
    if let Some(byte) = greeting.get_mut(capabilities + 1) {
        *byte &= !CLIENT_SSL;
    }
}
