//! A turn that is given back after a while, however long its operation takes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::enter::Turn;

/// A turn for at most some time; dropped, it is given back at once.
#[derive(Debug)]
pub struct Lent {
    turn: Arc<Mutex<Option<Turn>>>,
}

impl Lent {
    /// Begins now.
    pub fn new(turn: Turn, limit: Duration) -> Self {
        let turn = Arc::new(Mutex::new(Some(turn)));
        let lent = Arc::downgrade(&turn);
        std::thread::spawn(move || {
            std::thread::sleep(limit);
            if let Some(turn) = lent.upgrade() {
                give_back(&turn);
            }
        });
        Lent { turn }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        give_back(&self.turn);
    }
}

/// Whoever comes second waits until it is done.
fn give_back(turn: &Mutex<Option<Turn>>) {
    drop(turn.lock().unwrap_or_else(PoisonError::into_inner).take());
}
