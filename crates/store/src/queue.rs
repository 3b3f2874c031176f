//! Jobs that wait for a thread.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// A bounded queue between many callers and a few threads. Each item has a weight, 1 for most: the sum is
/// what is bounded, and memory with it.
pub(crate) struct Queue<T> {
    state: Mutex<State<T>>,
    something: Condvar,
    capacity: usize,
}

struct State<T> {
    waiting: VecDeque<(T, usize)>,
    load: usize,
    idle: usize,
    closed: bool,
}

/// Why a job was not taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    Full,
    Closed,
}

impl<T> Queue<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            state: Mutex::new(State {
                waiting: VecDeque::new(),
                load: 0,
                idle: 0,
                closed: false,
            }),
            something: Condvar::new(),
            capacity,
        }
    }

    /// Takes an item in. One that is heavier than the queue's whole capacity waits alone.
    pub(crate) fn push(&self, item: T, weight: usize) -> Result<(), Refused> {
        let mut state = self.lock();
        if state.closed {
            return Err(Refused::Closed);
        }
        let load = state.load.saturating_add(weight.max(1));
        if load > self.capacity && state.load > 0 {
            return Err(Refused::Full);
        }
        state.load = load;
        state.waiting.push_back((item, weight.max(1)));
        let wake = state.idle > 0;
        drop(state);
        if wake {
            self.something.notify_one();
        }
        Ok(())
    }

    /// Waits until there is something, then takes up to `most`, leaving their share to other
    /// threads that are idle. `None` once the queue is closed and empty.
    pub(crate) fn take(&self, most: usize) -> Option<Vec<T>> {
        let mut state = self.lock();
        state.idle += 1;
        while state.waiting.is_empty() {
            if state.closed {
                return None;
            }
            state = self
                .something
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        let share = state.waiting.len().div_ceil(state.idle).min(most);
        state.idle -= 1;
        let (taken, weights): (Vec<T>, Vec<usize>) = state.waiting.drain(..share).unzip();
        state.load -= weights.iter().sum::<usize>();
        if !state.waiting.is_empty() {
            self.something.notify_one();
        }
        Some(taken)
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Takes nothing in any more; what waits is still handed out.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.something.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // Nothing above panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_or_closed_queue_refuses_and_what_waits_is_still_handed_out() {
        let queue = Queue::new(2);
        assert_eq!(queue.push(1, 1), Ok(()));
        assert_eq!(queue.push(2, 1), Ok(()));
        assert_eq!(queue.push(3, 1), Err(Refused::Full));
        queue.close();
        assert_eq!(queue.push(4, 1), Err(Refused::Closed));
        assert_eq!(queue.take(1), Some(vec![1]));
        assert_eq!(queue.take(9), Some(vec![2]));
        assert_eq!(queue.take(9), None);
    }

    #[test]
    fn what_is_heavy_takes_the_room_of_many() {
        let queue = Queue::new(10);
        assert_eq!(queue.push("light", 1), Ok(()));
        assert_eq!(queue.push("heavy", 9), Ok(()));
        assert_eq!(queue.push("late", 1), Err(Refused::Full));
        assert_eq!(queue.take(1), Some(vec!["light"]));
        assert_eq!(queue.push("late", 0), Ok(()));
        assert_eq!(queue.push("too much", 2), Err(Refused::Full));
        assert_eq!(queue.take(9), Some(vec!["heavy", "late"]));
        // One that never fits comes through all the same, when it is its turn.
        assert_eq!(queue.push("huge", usize::MAX), Ok(()));
        assert_eq!(queue.push("light", 1), Err(Refused::Full));
        assert_eq!(queue.take(9), Some(vec!["huge"]));
        assert_eq!(queue.push("light", 1), Ok(()));
    }
}
