//! The threads that wait for a token, so that a token that hangs has no others.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};
use std::{io, thread};

use enlist_keys::KeyStoreError;
use tokio::runtime::{Handle, RuntimeFlavor};

use super::token::locked;

/// As many as there are sessions with a token.
const THREADS: usize = 8;
/// Who uses the token or waits for that, at one time. Others are turned away at once: each takes a
/// thread of the server's while it waits.
pub(super) const MOST: usize = 32;
/// How long anybody waits for the token.
const PATIENCE: Duration = Duration::from_secs(10);

type Job = Box<dyn FnOnce() + Send>;

/// How long dropping them waits for those that are at work.
const FAREWELL: Duration = Duration::from_secs(2);

/// Threads of a token's own. They have ended when this is dropped; one that hangs ends with the process.
pub(super) struct TokenThreads {
    /// Taken away when this is dropped, which is what ends them.
    jobs: Option<mpsc::Sender<Job>>,
    threads: Vec<JoinHandle<()>>,
    crowd: Arc<Crowd>,
}

#[derive(Default)]
struct Crowd {
    inside: AtomicUsize,
    /// Somebody has lost patience, and since then nobody was answered.
    hangs: AtomicBool,
}

/// A place in the crowd, for as long as the token is busy with it.
struct Place(Arc<Crowd>);

impl TokenThreads {
    pub(super) fn start() -> io::Result<Self> {
        let (jobs, queue) = mpsc::channel::<Job>();
        let queue = Arc::new(Mutex::new(queue));
        let threads = (0..THREADS).map(|_| {
            let queue = queue.clone();
            let name = thread::Builder::new().name("token".to_owned());
            name.spawn(move || {
                loop {
                    let job = locked(&queue).recv();
                    let Ok(job) = job else { return };
                    // Whoever waits for it learns that there is no answer.
                    let _ = catch_unwind(AssertUnwindSafe(job));
                }
            })
        });
        Ok(Self {
            threads: threads.collect::<io::Result<_>>()?,
            jobs: Some(jobs),
            crowd: Arc::default(),
        })
    }

    /// Has `work` done, and waits for it.
    ///
    /// # Errors
    /// [`KeyStoreError::Unreachable`] where too many wait already, and when the token has not answered
    /// in time. It may be at work then still; what was not begun is not begun any more.
    pub(super) fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, KeyStoreError> + Send + 'static,
    ) -> Result<T, KeyStoreError> {
        let place = self.crowd.enter();
        let place = place.ok_or_else(|| no_answer("too many wait for it already"))?;
        let wanted = Arc::new(());
        let (answer, answered) = mpsc::sync_channel(1);
        let still_wanted = Arc::downgrade(&wanted);
        let job = move || {
            let _place = place;
            if still_wanted.strong_count() > 0 {
                let _ = answer.send(work());
            }
        };
        let jobs = self.jobs.as_ref();
        let sent = jobs.is_some_and(|jobs| jobs.send(Box::new(job)).is_ok());
        if !sent {
            return Err(no_answer("nobody asks it any more"));
        }
        let outcome = blocking(|| answered.recv_timeout(PATIENCE));
        drop(wanted);
        match outcome {
            Ok(done) => done,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.crowd.hangs.store(true, Ordering::Relaxed);
                Err(no_answer("it took too long"))
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(no_answer("asking it failed")),
        }
    }

    /// Whether whoever came now would be turned away, since the token hangs.
    pub(super) fn is_stuck(&self) -> bool {
        self.crowd.hangs.load(Ordering::Relaxed)
            && self.crowd.inside.load(Ordering::Relaxed) >= THREADS
    }
}

impl Drop for TokenThreads {
    /// A token's module and the libraries under it clean up once for each thread that ends and once for
    /// the process. Both at the same time has crashed processes at their end.
    fn drop(&mut self) {
        self.jobs = None;
        let until = Instant::now() + FAREWELL;
        for thread in self.threads.drain(..) {
            while !thread.is_finished() && Instant::now() < until {
                thread::sleep(Duration::from_millis(1));
            }
            if thread.is_finished() {
                let _ = thread.join();
            }
        }
    }
}

impl Crowd {
    fn enter(self: &Arc<Self>) -> Option<Place> {
        // While it hangs there is no queue: each thread is another try, and then no more.
        let most = if self.hangs.load(Ordering::Relaxed) {
            THREADS
        } else {
            MOST
        };
        self.inside
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |inside| {
                (inside < most).then_some(inside + 1)
            })
            .ok()
            .map(|_| Place(self.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::Relaxed);
        // Whatever came of it, a thread is free again.
        self.0.hangs.store(false, Ordering::Relaxed);
    }
}

pub(super) fn no_answer(why: &'static str) -> KeyStoreError {
    KeyStoreError::Unreachable {
        what: "the token with the keys of CAs".to_owned(),
        remedy: "see that its service runs, and whether it answers its own tools".to_owned(),
        source: why.into(),
    }
}

/// Does what may take long. Where that happens on one of the runtime's own threads, another one takes
/// its other work over.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    let on_a_worker = Handle::try_current()
        .is_ok_and(|runtime| runtime.runtime_flavor() == RuntimeFlavor::MultiThread);
    if on_a_worker {
        tokio::task::block_in_place(work)
    } else {
        work()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_hangs_has_eight_threads_and_turns_others_away_until_it_answers() {
        let threads = TokenThreads::start().unwrap();
        let begun = Arc::new(AtomicUsize::new(0));
        let hold = Arc::new(Mutex::new(()));
        let held = locked(&hold);
        let refusals = thread::scope(|scope| {
            let asking: Vec<_> = (0..200)
                .map(|_| {
                    let (begun, hold) = (begun.clone(), hold.clone());
                    let threads = &threads;
                    scope.spawn(move || {
                        let at = Instant::now();
                        let outcome = threads.run(move || {
                            begun.fetch_add(1, Ordering::Relaxed);
                            drop(locked(&hold));
                            Ok(())
                        });
                        assert!(outcome.unwrap_err().is_transient());
                        at.elapsed()
                    })
                })
                .collect();
            let took = asking.into_iter().map(|one| one.join().unwrap());
            took.collect::<Vec<_>>()
        });
        let waited = refusals.iter().filter(|took| **took >= PATIENCE).count();
        assert!(waited <= MOST, "{waited} waited");
        assert_eq!(begun.load(Ordering::Relaxed), THREADS);
        assert!(threads.is_stuck());
        let at = Instant::now();
        assert!(threads.run(|| Ok(())).is_err());
        assert!(at.elapsed() < Duration::from_secs(1));

        drop(held);
        let at = Instant::now();
        while threads.run(|| Ok(())).is_err() {
            assert!(at.elapsed() < PATIENCE, "it does not recover");
            thread::sleep(Duration::from_millis(10));
        }
        assert!(!threads.is_stuck());
        // What nobody waited for any more was not begun.
        assert_eq!(begun.load(Ordering::Relaxed), THREADS);
    }

    #[test]
    fn they_have_ended_when_dropped_but_for_one_that_hangs() {
        let threads = TokenThreads::start().unwrap();
        let ended = Arc::new(());
        let hold = Arc::new(Mutex::new(()));
        let held = locked(&hold);
        let (begun, has_begun) = mpsc::channel();
        thread::scope(|scope| {
            let (ended, hold) = (ended.clone(), hold.clone());
            let asked = scope.spawn(|| {
                threads.run(move || {
                    thread_local! {
                        static AT_END: std::cell::RefCell<Option<Arc<()>>> = const { std::cell::RefCell::new(None) };
                    }
                    AT_END.set(Some(ended));
                    let _ = begun.send(());
                    drop(locked(&hold));
                    Ok(())
                })
            });
            has_begun.recv().unwrap();
            drop(held);
            asked.join().unwrap().unwrap();
        });
        drop(threads);
        assert_eq!(
            Arc::strong_count(&ended),
            1,
            "what was the thread's own is gone"
        );

        let threads = TokenThreads::start().unwrap();
        let held = locked(&hold);
        let stuck = hold.clone();
        let (begun, has_begun) = mpsc::channel();
        let job: Job = Box::new(move || {
            let _ = begun.send(());
            drop(locked(&stuck));
        });
        threads.jobs.as_ref().unwrap().send(job).unwrap();
        has_begun.recv().unwrap();
        let at = Instant::now();
        drop(threads);
        assert!(at.elapsed() >= FAREWELL);
        drop(held);
    }

    #[test]
    fn work_that_panics_is_no_answer_and_the_threads_go_on() {
        let threads = TokenThreads::start().unwrap();
        for _ in 0..2 * MOST {
            assert!(threads.run::<()>(|| panic!("as a test has it")).is_err());
        }
        assert_eq!(threads.run(|| Ok(7)).unwrap(), 7);
    }
}
