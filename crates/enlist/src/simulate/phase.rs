//! A part of the run: many devices take turns until they have come to what they were to.

use std::cmp::{Ordering as Order, Reverse};
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::device::{Device, Site};
use super::ledger::Totals;

/// A device with the time of its next turn, counted from the beginning of the phase.
pub struct Due {
    /// When.
    pub at: Duration,
    /// Who.
    pub device: Device,
}

/// What a phase came to.
pub struct Ended {
    /// The devices, in the order of their numbers.
    pub devices: Vec<Device>,
    /// How long it lasted.
    pub lasted: Duration,
    /// What was asked of the server.
    pub totals: Totals,
}

/// How a phase stands.
pub struct Standing<'a> {
    /// How long it has lasted.
    pub lasted: Duration,
    /// How many devices have come to what they were to.
    pub done: u64,
    /// What was asked of the server.
    pub totals: &'a Totals,
}

/// How a phase is gone through.
pub struct Phase<'a> {
    /// What the devices have in common.
    pub site: &'a Site,
    /// How many of them have their turn at one time, at most.
    pub at_once: usize,
    /// How long it lasts at most.
    pub limit: Duration,
    /// Set when the whole run is to end.
    pub interrupted: &'a AtomicBool,
}

/// How often is looked whether it is over.
const LOOK: Duration = Duration::from_millis(20);
/// How often what was done is put together.
const TICK: Duration = Duration::from_secs(1);
/// How much stack a turn gets: TLS, JSON and X.509, none of which goes deep.
const STACK: usize = 1024 * 1024;

impl Phase<'_> {
    /// Goes through it, telling `watch` each second how it stands.
    pub fn run(
        &self,
        devices: Vec<Due>,
        mut watch: impl FnMut(&Standing<'_>),
    ) -> std::io::Result<Ended> {
        let total = devices.len();
        let queue = Queue::new(devices);
        let mut totals = Totals::default();
        let lasted = std::thread::scope(|scope| {
            for _ in 0..self.at_once.min(total).max(1) {
                let worker = std::thread::Builder::new().stack_size(STACK);
                let started = worker.spawn_scoped(scope, || queue.work(self.site));
                if let Err(error) = started {
                    queue.end();
                    return Err(error);
                }
            }
            let mut told = Duration::ZERO;
            loop {
                std::thread::sleep(LOOK);
                let (lasted, done) = (queue.begun.elapsed(), queue.done());
                let is_over = done >= total
                    || lasted >= self.limit
                    || self.interrupted.load(Ordering::Relaxed);
                if is_over {
                    queue.end();
                }
                if is_over || lasted >= told + TICK {
                    let (from, to) = (told.as_secs_f64(), lasted.as_secs_f64());
                    totals.collect(&self.site.wire.ledger, from, to);
                    told = lasted;
                    let done = done as u64;
                    watch(&Standing {
                        lasted,
                        done,
                        totals: &totals,
                    });
                }
                if is_over {
                    return Ok(lasted);
                }
            }
        })?;
        // What was under way when it ended.
        totals.sweep(&self.site.wire.ledger);
        let mut devices = queue.into_devices();
        devices.sort_unstable_by_key(Device::index);
        Ok(Ended {
            devices,
            lasted,
            totals,
        })
    }
}

/// The devices that wait for their turns. One of the threads keeps an eye on the time; the others wait until
/// they are called.
struct Queue {
    begun: Instant,
    line: Mutex<Line>,
    changed: Condvar,
    ended: AtomicBool,
}

#[derive(Default)]
struct Line {
    waiting: BinaryHeap<Reverse<Due>>,
    done: Vec<Device>,
    has_lookout: bool,
}

impl Queue {
    fn new(devices: Vec<Due>) -> Self {
        let waiting = devices.into_iter().map(Reverse).collect();
        Self {
            begun: Instant::now(),
            line: Mutex::new(Line {
                waiting,
                ..Line::default()
            }),
            changed: Condvar::new(),
            ended: AtomicBool::new(false),
        }
    }

    fn work(&self, site: &Site) {
        while let Some(Due { at, mut device }) = self.next() {
            let late = self.begun.elapsed().saturating_sub(at);
            site.wire.ledger.late(device.index() as usize, late);
            let wait = device.turn(site, &self.ended);
            let mut line = self.line();
            if device.is_done() {
                line.done.push(device);
                continue;
            }
            let at = self.begun.elapsed() + wait;
            let is_first = line.waiting.peek().is_none_or(|first| at < first.0.at);
            line.waiting.push(Reverse(Due { at, device }));
            if is_first {
                self.changed.notify_one();
            }
        }
    }

    /// The next device whose turn it is; waits for it. `None` once it is over.
    fn next(&self) -> Option<Due> {
        let mut line = self.line();
        loop {
            if self.ended.load(Ordering::Relaxed) {
                return None;
            }
            let now = self.begun.elapsed();
            let wait = match line.waiting.peek() {
                Some(first) if first.0.at <= now => {
                    let due = line.waiting.pop();
                    // There may be more to do, or nobody on the lookout.
                    self.changed.notify_one();
                    return due.map(|due| due.0);
                }
                Some(first) => first.0.at - now,
                None => Duration::MAX,
            };
            if line.has_lookout {
                line = self
                    .changed
                    .wait(line)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            line.has_lookout = true;
            let wait = wait.min(TICK);
            let woken = self.changed.wait_timeout(line, wait);
            line = woken.unwrap_or_else(PoisonError::into_inner).0;
            line.has_lookout = false;
        }
    }

    fn done(&self) -> usize {
        self.line().done.len()
    }

    fn end(&self) {
        // Under the lock, or somebody may just have looked and be about to wait.
        let _line = self.line();
        self.ended.store(true, Ordering::Relaxed);
        self.changed.notify_all();
    }

    fn into_devices(self) -> Vec<Device> {
        let line = self.line.into_inner();
        let line = line.unwrap_or_else(PoisonError::into_inner);
        let waiting = line.waiting.into_iter().map(|due| due.0.device);
        line.done.into_iter().chain(waiting).collect()
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> Order {
        let key = |due: &Self| (due.at, due.device.index());
        key(self).cmp(&key(other))
    }
}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<Order> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Order::Equal
    }
}

impl Eq for Due {}
