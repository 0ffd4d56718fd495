//! A running platform as a test holds it.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::certificate::{self, Identity};
use super::client::ClientEdit;
use super::door::Door;
use super::event::{Event, Moment};
use super::server::Shared;
use super::target::Target;
use super::{Fault, Platform, Request, Setup, Transport};

/// A running platform; it stops when dropped.
pub struct VmManager {
    shared: Arc<Shared>,
    /// The first is the platform's own address.
    doors: Mutex<Vec<Door>>,
    identity: Option<Identity>,
    clock: Option<JoinHandle<()>>,
}

impl VmManager {
    /// Starts a platform with the default world.
    pub fn start(setup: Setup) -> anyhow::Result<Self> {
        let identity = match setup.transport {
            Transport::Plain => None,
            Transport::Tls(quality) => Some(certificate::identity(quality)?),
        };
        let at = SocketAddr::new(setup.address, setup.port);
        let tls = identity.as_ref().map(|identity| Arc::clone(&identity.config));
        let shared = Shared::new(Platform::new(setup), tls);
        let door = Door::open(&shared, at)?;
        let keeper = Arc::clone(&shared);
        let clock = thread::Builder::new().name("vm6-clock".into()).spawn(move || keeper.keep_time())?;
        Ok(Self { shared, doors: Mutex::new(vec![door]), identity, clock: Some(clock) })
    }

    /// Leaves every address and listens at another port of the same host, 0 for any free one. The state stays.
    pub fn move_to(&self, port: u16) -> anyhow::Result<()> {
        let door = Door::open(&self.shared, SocketAddr::new(self.address(), port))?;
        let left = std::mem::replace(&mut *self.doors(), vec![door]);
        for door in left {
            door.close(&self.shared);
        }
        Ok(())
    }

    /// Listens at the address of another platform as well; the other one moves to a free port.
    pub fn take_over(&self, other: &Self) -> anyhow::Result<()> {
        let address = other.socket();
        other.move_to(0)?;
        let door = Door::open(&self.shared, address)?;
        self.doors().push(door);
        Ok(())
    }

    /// The platform's own address: `http://127.0.0.1:<port>`, `https://127.0.0.1:<port>` or with `[::1]`.
    pub fn url(&self) -> String {
        let scheme = if self.identity.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.socket())
    }

    /// The port it listens on.
    pub fn port(&self) -> u16 {
        self.socket().port()
    }

    /// The address it listens on.
    pub fn address(&self) -> IpAddr {
        self.socket().ip()
    }

    fn socket(&self) -> SocketAddr {
        self.doors().first().map_or(SocketAddr::from(([0, 0, 0, 0], 0)), Door::address)
    }

    fn doors(&self) -> MutexGuard<'_, Vec<Door>> {
        self.doors.lock().unwrap_or_else(PoisonError::into_inner)
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

    /// Forgets all misfortunes and events that have not happened yet.
    pub fn clear_faults(&self) {
        let mut state = self.shared.lock();
        state.faults.clear();
        state.events.clear();
    }

    /// Something happens as the n-th request of this method and path from now on comes in, before it is worked on.
    pub fn before(&self, method: &str, path: &str, n: usize, f: impl FnOnce(&mut Platform) + Send + 'static) {
        self.expect(Moment::Before, method, path, n, Box::new(f));
    }

    /// Something happens once the n-th request of this method and path from now on is worked on; its answer does not
    /// show it any more.
    pub fn after(&self, method: &str, path: &str, n: usize, f: impl FnOnce(&mut Platform) + Send + 'static) {
        self.expect(Moment::After, method, path, n, Box::new(f));
    }

    fn expect(&self, moment: Moment, method: &str, path: &str, n: usize, f: Box<dyn FnOnce(&mut Platform) + Send>) {
        let mut target = Target::new(method, path);
        target.skip = n.saturating_sub(1);
        self.shared.lock().events.push(Event::new(moment, target, f));
    }

    /// A client writes into his VM; false if there is no such VM.
    pub fn client_edits(&self, host: u64, edit: &ClientEdit) -> bool {
        self.change(|platform| platform.client_edits(host, edit))
    }

    /// An account loses its rights and sees only its own objects from now on.
    pub fn demote(&self, email: &str) -> bool {
        self.change(|platform| platform.demote(email))
    }

    /// What has been asked so far.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.lock().requests.clone()
    }

    /// Starts the record of requests again.
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
        self.shared.stop();
        let doors = std::mem::take(&mut *self.doors());
        for door in doors {
            door.close(&self.shared);
        }
        if let Some(clock) = self.clock.take() {
            clock.join().ok();
        }
    }
}
