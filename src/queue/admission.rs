//! Who may start: the one rule of the queue, without any input or output.

/// A ticket before the one in question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ahead {
    /// Its number in the order of arrival.
    pub id: i64,
    /// Whether it has started.
    pub running: bool,
}

/// A lock that its owner gives up when something happens to ticket `.0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum LockSignal {
    /// It starts, or dies.
    Turn(i64),
    /// It leaves, or dies.
    Life(i64),
}

impl LockSignal {
    pub(super) fn id(self) -> i64 {
        match self {
            LockSignal::Turn(id) | LockSignal::Life(id) => id,
        }
    }
}

/// What a ticket does next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Next {
    Start,
    /// It sleeps until one of these is given up, and asks again.
    Watch(Vec<LockSignal>),
}

/// A ticket may start iff fewer than `limit` tickets of its key are before it (`ahead`, oldest first). Tickets
/// before it only ever disappear, so the answer `Start` stays true: first come first served and "at most `limit`" are
/// one inequality.
///
/// With one queue a ticket waits for the end of the one before it. With more, it first waits until the one before it
/// has started: only the first in line watches those that run, so a leaving process wakes one waiter and not all.
pub(super) fn next(ahead: &[Ahead], limit: u32) -> Next {
    if u32::try_from(ahead.len()).is_ok_and(|before| before < limit) {
        return Next::Start;
    }
    match ahead.last() {
        Some(last) if limit <= 1 => Next::Watch(vec![LockSignal::Life(last.id)]),
        Some(last) if !last.running => Next::Watch(vec![LockSignal::Turn(last.id)]),
        _ => Next::Watch(ahead.iter().filter(|t| t.running).map(|t| LockSignal::Life(t.id)).collect()),
    }
}

/// The lowest queue number from 1 that is not in `taken`.
pub(super) fn lowest_free(taken: &[u32]) -> u32 {
    (1..=u32::MAX).find(|number| !taken.contains(number)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(line: &[(i64, bool)]) -> Vec<Ahead> {
        line.iter().map(|&(id, running)| Ahead { id, running }).collect()
    }

    #[test]
    fn the_inequality_and_whom_to_watch() {
        let cases = [
            (ahead(&[]), 1, Next::Start),
            (ahead(&[(1, true)]), 1, Next::Watch(vec![LockSignal::Life(1)])),
            (ahead(&[(1, true), (2, false)]), 1, Next::Watch(vec![LockSignal::Life(2)])),
            (ahead(&[(1, true)]), 2, Next::Start),
            (ahead(&[(1, true), (2, true)]), 2, Next::Watch(vec![LockSignal::Life(1), LockSignal::Life(2)])),
            (ahead(&[(1, true), (2, true), (3, false)]), 2, Next::Watch(vec![LockSignal::Turn(3)])),
        ];
        for (line, limit, expected) in cases {
            assert_eq!(next(&line, limit), expected, "{line:?} {limit}");
        }
        assert_eq!(lowest_free(&[1, 3]), 2);
        assert_eq!(lowest_free(&[]), 1);
    }
}
