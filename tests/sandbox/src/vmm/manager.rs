//! A running platform as a test holds it.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::certificate::{self, Identity};
use super::server::Shared;
use super::{Fault, Platform, Request, Setup, Transport};

/// A running platform; it stops when dropped.
pub struct VmManager {
    shared: Arc<Shared>,
    address: SocketAddr,
    identity: Option<Identity>,
    threads: Vec<JoinHandle<()>>,
}

impl VmManager {
    /// Starts a platform with the default world.
    pub fn start(setup: Setup) -> anyhow::Result<Self> {
        let identity = match setup.transport {
            Transport::Plain => None,
            Transport::Tls(quality) => Some(certificate::identity(quality)?),
        };
        let listener = TcpListener::bind((setup.address, setup.port))
            .with_context(|| format!("cannot listen on {}, port {}", setup.address, setup.port))?;
        let address = listener.local_addr()?;
        let tls = identity.as_ref().map(|identity| Arc::clone(&identity.config));
        let shared = Shared::new(Platform::new(setup), tls);
        let (clock, door) = (Arc::clone(&shared), Arc::clone(&shared));
        let threads = vec![
            thread::Builder::new().name("vm6-clock".into()).spawn(move || clock.keep_time())?,
            thread::Builder::new().name("vm6-accept".into()).spawn(move || door.accept(&listener))?,
        ];
        Ok(Self { shared, address, identity, threads })
    }

    /// `http://127.0.0.1:<port>`, `https://127.0.0.1:<port>` or with `[::1]`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.address)
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// The address it listens on.
    pub fn address(&self) -> IpAddr {
        self.address.ip()
    }

    /// PEM of the authority behind the server's certificate, if there is one.
    pub fn ca_pem(&self) -> Option<String> {
        self.identity.as_ref().and_then(|identity| identity.ca_pem.clone())
    }

    /// Lower-case hexadecimal SHA-256 of the server's certificate.
    pub fn fingerprint(&self) -> Option<String> {
        self.identity.as_ref().map(|identity| identity.fingerprint.clone())
    }

    /// Reads the state as of now.
    pub fn look<R>(&self, f: impl FnOnce(&Platform) -> R) -> R {
        f(&self.shared.lock().platform)
    }

    /// Changes the state, as somebody at the panel would.
    pub fn change<R>(&self, f: impl FnOnce(&mut Platform) -> R) -> R {
        let mut state = self.shared.lock();
        let result = f(&mut state.platform);
        state.platform.touch();
        drop(state);
        self.shared.notify();
        result
    }

    /// Waits until the state is as wanted; false if it is not within the limit.
    pub fn wait_until(&self, limit: Duration, f: impl Fn(&Platform) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        while !f(&state.platform) {
            if Instant::now() >= deadline {
                return false;
            }
            state = self.shared.wait(state, Some(deadline));
        }
        true
    }

    /// Waits until a request that has come in is as wanted; false if there is none within the limit.
    pub fn wait_for_request(&self, limit: Duration, f: impl Fn(&Request) -> bool) -> bool {
        let deadline = Instant::now() + limit;
        let mut state = self.shared.lock();
        while !state.requests.iter().any(&f) {
            if Instant::now() >= deadline {
                return false;
            }
            state = self.shared.wait(state, Some(deadline));
        }
        true
    }

    /// Orders a misfortune; of several that match a request, the first ordered hits it.
    pub fn fault(&self, fault: Fault) {
        self.shared.lock().faults.push(fault);
    }

    /// Forgets all misfortunes that have not happened yet.
    pub fn clear_faults(&self) {
        self.shared.lock().faults.clear();
    }

    /// What has been asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Starts the record of requests anew.
    pub fn forget_requests(&self) {
        self.shared.lock().requests.clear();
    }

    /// Attempts to log in so far, successful or not.
    pub fn logins(&self) -> usize {
        self.shared.lock().logins
    }

    /// Ends every session.
    pub fn expire_sessions(&self) {
        self.change(Platform::expire_sessions);
    }
}

impl Drop for VmManager {
    fn drop(&mut self) {
        self.shared.stop(self.address);
        for thread in self.threads.drain(..) {
            thread.join().ok();
        }
    }
}
