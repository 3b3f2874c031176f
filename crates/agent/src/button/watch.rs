use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::held::{Edge, Held};
#[cfg(feature = "gpio")]
use super::line;
use super::{Said, input};
use crate::config::Button;

/// A button that is being watched, until this is dropped.
#[derive(Debug)]
pub struct Watch {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

/// Where presses come from.
pub(super) trait Source {
    /// Readable when there is something to read.
    fn fd(&self) -> BorrowedFd<'_>;

    /// What there is to read, without waiting.
    ///
    /// # Errors
    /// When nothing more will come.
    fn read(&mut self) -> io::Result<Vec<Edge>>;
}

/// How long to wait before looking for a button again that was not there, at first and at most.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

impl Watch {
    /// Watches `button` from now on, and calls `say` from a thread of its own.
    ///
    /// # Errors
    /// When there are no threads or files left.
    pub fn new(button: Button, say: impl Fn(Said) + Send + 'static) -> io::Result<Self> {
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC)?);
        let told = stop.clone();
        let thread = thread::Builder::new()
            .name("button".into())
            .stack_size(64 * 1024)
            .spawn(move || watch(&button, &told, &say))?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        // Both fail only where the thread is gone already.
        let _ = rustix::io::write(&*self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn watch(button: &Button, stop: &OwnedFd, say: &dyn Fn(Said)) {
    let mut pause = FIRST_PAUSE;
    let mut complained = false;
    loop {
        let watched = open(button).and_then(|mut source| {
            pause = FIRST_PAUSE;
            follow(&mut *source, button, stop, say)
        });
        match watched {
            Ok(()) => return,
            Err(why) if !complained => {
                complained = true;
                say(Said::Unwatched(why));
            }
            Err(_) => {}
        }
        if !matches!(wait(&[stop.as_fd()], Some(pause)), Ok([false, _])) {
            return;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

fn open(button: &Button) -> io::Result<Box<dyn Source>> {
    match button {
        Button::Key(key) => Ok(Box::new(input::Input::open(key)?)),
        #[cfg(feature = "gpio")]
        Button::Line(line) => Ok(Box::new(line::Line::open(line)?)),
        #[cfg(not(feature = "gpio"))]
        Button::Line(_) => Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "this agent was built without GPIO lines; use an input device (gpio-keys)",
        )),
    }
}

/// Follows the button until told to stop; the error says why that is not possible any more.
fn follow(
    source: &mut dyn Source,
    button: &Button,
    stop: &OwnedFd,
    say: &dyn Fn(Said),
) -> io::Result<()> {
    let mut held = Held::new(button.hold());
    loop {
        let left = held.left(Instant::now());
        let [stopped, readable] = wait(&[stop.as_fd(), source.fd()], left)?;
        if stopped {
            return Ok(());
        }
        if readable {
            for edge in source.read()? {
                held.edge(edge, Instant::now());
            }
        }
        if held.is_due(Instant::now()) {
            say(Said::Held(button.action()));
        }
    }
}

/// Waits until one of at most two can be read, or time is up, and says which.
fn wait(fds: &[BorrowedFd<'_>], most: Option<Duration>) -> io::Result<[bool; 2]> {
    let most = most.and_then(|most| Timespec::try_from(most).ok());
    let mut polled: Vec<_> = fds
        .iter()
        .map(|fd| PollFd::new(fd, PollFlags::IN))
        .collect();
    match poll(&mut polled, most.as_ref()) {
        Ok(_) | Err(Errno::INTR) => {}
        Err(why) => return Err(why.into()),
    }
    let ready = |at: usize| polled.get(at).is_some_and(|fd| !fd.revents().is_empty());
    Ok([ready(0), ready(1)])
}
