//! The end of a child process, waited for with a limit, whatever the child does.
//!
//! A child that hangs is killed. One that leaves another process behind, with its pipes open, has ended all the same:
//! what was written by then is its output. Nothing here waits for a pipe or for a process without a limit.

use std::io::{ErrorKind, Read};
use std::process::Child;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// More than the parser of answers takes is of no use; the writer is stopped by the end of its pipe.
const MOST_BYTES: usize = 2 << 20;
/// How often the child is looked at while a pipe is open.
const LOOK: Duration = Duration::from_millis(100);
/// What a child has written arrives here within this time after its end, and it ends this soon after its pipes.
const GRACE: Duration = Duration::from_millis(500);

/// What a child has written.
pub(super) struct Output {
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
}

/// Collects what `child` writes until it has ended; nothing when it had to be killed after `limit`.
pub(super) fn collect(mut child: Child, limit: Duration) -> Option<Output> {
    let started = Instant::now();
    let (sender, finished) = mpsc::channel();
    let stdout = gather(child.stdout.take(), sender.clone());
    let stderr = gather(child.stderr.take(), sender);
    let (mut open, mut ended) = (2, None);
    while open > 0 && ended.is_none_or(|at: Instant| at.elapsed() < GRACE) {
        if started.elapsed() >= limit {
            end(&mut child);
            return None;
        }
        if finished.recv_timeout(LOOK.min(limit)).is_ok() {
            open -= 1;
        } else if ended.is_none() && has_ended(&mut child) {
            ended = Some(Instant::now());
        }
    }
    end(&mut child);
    Some(Output { stdout: taken(&stdout), stderr: taken(&stderr) })
}

/// Reads a pipe to its end, beside everything else.
fn gather(pipe: Option<impl Read + Send + 'static>, finished: Sender<()>) -> Arc<Mutex<Vec<u8>>> {
    let bytes = Arc::new(Mutex::new(Vec::new()));
    let into = Arc::clone(&bytes);
    std::thread::spawn(move || {
        if let Some(pipe) = pipe {
            read(pipe, &into);
        }
        _ = finished.send(());
    });
    bytes
}

fn read(mut pipe: impl Read, into: &Mutex<Vec<u8>>) {
    let mut part = [0; 8192];
    loop {
        match pipe.read(&mut part) {
            Ok(count @ 1..) => {
                let mut bytes = into.lock().unwrap_or_else(PoisonError::into_inner);
                bytes.extend_from_slice(&part[..count]);
                if bytes.len() > MOST_BYTES {
                    return;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            _ => return,
        }
    }
}

fn taken(bytes: &Mutex<Vec<u8>>) -> Vec<u8> {
    std::mem::take(&mut bytes.lock().unwrap_or_else(PoisonError::into_inner))
}

/// A child whose state cannot be seen is not waited for.
fn has_ended(child: &mut Child) -> bool {
    !matches!(child.try_wait(), Ok(None))
}

/// Waits a moment for the end of the child, which is due, then kills it.
fn end(child: &mut Child) {
    let (due, mut pause) = (Instant::now(), Duration::from_micros(100));
    while !has_ended(child) {
        if due.elapsed() >= GRACE {
            _ = child.kill();
            return;
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(LOOK);
    }
}
