//! An address at which a platform can be reached. A platform may have several, and close one while it runs.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use super::server::Shared;

/// A listening socket with its thread.
pub(super) struct Door {
    address: SocketAddr,
    closed: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Door {
    /// Starts to accept connections.
    pub(super) fn open(shared: &Arc<Shared>, at: SocketAddr) -> Result<Self> {
        let listener = bind(at).with_context(|| format!("cannot listen on {at}"))?;
        let address = listener.local_addr()?;
        let closed = Arc::new(AtomicBool::new(false));
        let (shared, flag) = (Arc::clone(shared), Arc::clone(&closed));
        let thread = thread::Builder::new().name("vm6-accept".into()).spawn(move || shared.accept(&listener, &flag))?;
        Ok(Self { address, closed, thread })
    }

    /// The address it listens on.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and cuts the connections that came in here; the address is free afterwards.
    pub(super) fn close(self, shared: &Shared) {
        self.closed.store(true, Ordering::SeqCst);
        shared.cut(self.address);
        // Wakes the thread that waits for a connection.
        TcpStream::connect_timeout(&self.address, Duration::from_secs(1)).ok();
        self.thread.join().ok();
    }
}

/// A port that was just given up may be the source port of somebody's connection for a moment.
fn bind(at: SocketAddr) -> io::Result<TcpListener> {
    let until = Instant::now() + Duration::from_secs(5);
    loop {
        match TcpListener::bind(at) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && Instant::now() < until => {
                thread::sleep(Duration::from_millis(10));
            }
            bound => return bound,
        }
    }
}
