//! Threads, sockets and the lock around the platform.
//!
//! One accept thread for each door, one thread per connection (bounded), one clock thread that ends tasks when they are due.
//! All state is under one mutex; its condvar is notified after every change, so nobody polls. A request is worked
//! on under the lock and answered after it. Threads of connections are not joined: at the end their sockets are
//! shut, and each leaves by itself.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{IpAddr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::api::{self, Asked};
use super::event::{Event, Moment};
use super::fault::{Action, Fault};
use super::http::{Connection, Reply};
use super::misfortune::{self, Outcome};
use super::platform::Platform;
use super::request::Request;

/// Connections served at once; the next one waits in the listen queue.
const MAX_CONNECTIONS: usize = 1024;
/// A connection silent for this long is closed.
const SILENCE: Duration = Duration::from_mins(2);

/// Everything under the lock.
pub(super) struct State {
    pub platform: Platform,
    pub faults: Vec<Fault>,
    pub events: Vec<Event>,
    pub requests: Vec<Request>,
    pub logins: usize,
    /// Requests whose work is done later.
    late: Vec<(Instant, Asked)>,
    /// Connections so far.
    connections: u64,
    sockets: HashMap<u64, TcpStream>,
    stopping: bool,
}

impl State {
    /// Lets the events of this moment happen.
    fn happen(&mut self, moment: Moment, method: &str, path: &str) {
        let Self { events, platform, .. } = self;
        events.retain_mut(|event| !event.happen(moment, method, path, platform));
    }
}

/// The state and the news of it.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    tls: Option<Arc<ServerConfig>>,
}

impl Shared {
    pub(super) fn new(platform: Platform, tls: Option<Arc<ServerConfig>>) -> Arc<Self> {
        let state = State {
            platform,
            faults: Vec::new(),
            events: Vec::new(),
            requests: Vec::new(),
            logins: 0,
            late: Vec::new(),
            connections: 0,
            sockets: HashMap::new(),
            stopping: false,
        };
        Arc::new(Self { state: Mutex::new(state), changed: Condvar::new(), tls })
    }

    /// The state, as of now. A test that failed while it looked does not take the platform with it.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.catch_up(&mut state);
        state
    }

    /// Brings the state to now, tells everybody if that changed it, and says when to do it again.
    fn catch_up(&self, state: &mut State) -> Option<Instant> {
        let (changed, next) = state.platform.advance(Instant::now());
        if changed {
            self.notify();
        }
        next
    }

    /// Tells everybody who waits that the state is another one.
    pub(super) fn notify(&self) {
        self.changed.notify_all();
    }

    /// Waits for news until `until`, or for as long as it takes.
    pub(super) fn wait<'a>(&self, state: MutexGuard<'a, State>, until: Option<Instant>) -> MutexGuard<'a, State> {
        match until {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                let (state, _) = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner);
                state
            }
        }
    }

    /// Asks all threads to leave.
    pub(super) fn stop(&self) {
        let mut state = self.lock();
        state.stopping = true;
        for socket in state.sockets.values() {
            socket.shutdown(Shutdown::Both).ok();
        }
        drop(state);
        self.notify();
    }

    /// Cuts the connections that came in at an address.
    pub(super) fn cut(&self, address: SocketAddr) {
        let state = self.lock();
        for socket in state.sockets.values().filter(|socket| socket.local_addr().is_ok_and(|at| at == address)) {
            socket.shutdown(Shutdown::Both).ok();
        }
    }

    /// Ends tasks when they are due, until the server stops.
    pub(super) fn keep_time(&self) {
        let mut state = self.lock();
        while !state.stopping {
            let now = Instant::now();
            while let Some(due) = state.late.iter().position(|(at, _)| *at <= now) {
                let (_, asked) = state.late.swap_remove(due);
                api::respond(&mut state.platform, &asked, now);
                self.notify();
            }
            let next = self.catch_up(&mut state);
            let late = state.late.iter().map(|(at, _)| *at).min();
            state = self.wait(state, next.into_iter().chain(late).min());
        }
    }

    /// Accepts connections until the door is closed or the server stops.
    pub(super) fn accept(self: &Arc<Self>, listener: &TcpListener, closed: &AtomicBool) {
        for stream in listener.incoming() {
            let mut state = self.lock();
            while state.sockets.len() >= MAX_CONNECTIONS && !state.stopping {
                state = self.wait(state, None);
            }
            if state.stopping || closed.load(Ordering::SeqCst) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let Ok(twin) = stream.try_clone() else { continue };
            state.connections += 1;
            let number = state.connections;
            state.sockets.insert(number, twin);
            drop(state);
            let shared = Arc::clone(self);
            let started = thread::Builder::new().name(format!("vm6-{number}")).spawn(move || {
                shared.serve(stream).ok();
                shared.lock().sockets.remove(&number);
                shared.notify();
            });
            if started.is_err() {
                self.lock().sockets.remove(&number);
            }
        }
    }

    fn serve(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(SILENCE))?;
        let client = stream.peer_addr()?.ip();
        let socket = stream.try_clone()?;
        match &self.tls {
            None => self.converse(Connection::new(stream), &socket, client),
            Some(config) => {
                let session = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
                self.converse(Connection::new(StreamOwned::new(session, stream)), &socket, client)
            }
        }
    }

    fn converse<S: Read + Write>(
        &self,
        mut connection: Connection<S>,
        socket: &TcpStream,
        client: IpAddr,
    ) -> io::Result<()> {
        while let Some(request) = connection.read()? {
            let keep_alive = request.keep_alive;
            match self.handle(Asked::new(request, client)) {
                Outcome::Answer(reply) => connection.write(&reply, keep_alive)?,
                Outcome::Late(reply, wait) => {
                    self.pause(wait);
                    connection.write(&reply, keep_alive)?;
                }
                Outcome::Half(reply) => {
                    connection.write_half(&reply)?;
                    return reset(socket);
                }
                Outcome::Hostile(attack) => {
                    attack.send(connection.stream())?;
                    break;
                }
                Outcome::Reset => return reset(socket),
            }
            if !keep_alive {
                break;
            }
        }
        drop(connection.into_inner());
        socket.shutdown(Shutdown::Both)
    }

    /// Works on a request: records it, lets a fault have its way, answers.
    fn handle(&self, asked: Asked) -> Outcome {
        let mut guard = self.lock();
        let state = &mut *guard;
        let number = state.requests.len();
        state.requests.push(asked.record());
        state.logins += usize::from(asked.is_login());
        state.happen(Moment::Before, &asked.method, &asked.path);
        let (method, path) = (asked.method.clone(), asked.path.clone());
        let action = state.faults.iter_mut().find_map(|fault| fault.strike(&asked.method, &asked.path));
        let now = Instant::now();
        let mut outcome = if let Some(Action::LateWork(after)) = action {
            state.late.push((now + after, asked));
            Outcome::Reset
        } else {
            misfortune::respond(&mut state.platform, &asked, action, now)
        };
        state.happen(Moment::After, &method, &path);
        let status = outcome.reply().map(|reply: &mut Reply| {
            reply.date(state.platform.clock_ahead);
            reply.status
        });
        if let Some(record) = state.requests.get_mut(number) {
            record.status = status;
        }
        self.catch_up(state);
        drop(guard);
        self.notify();
        outcome
    }

    fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut state = self.lock();
        while !state.stopping && Instant::now() < until {
            state = self.wait(state, Some(until));
        }
    }
}

/// Cuts the connection so that the client sees a reset, not an end.
fn reset(socket: &TcpStream) -> io::Result<()> {
    rustix::net::sockopt::set_socket_linger(socket, Some(Duration::ZERO))?;
    Ok(())
}
