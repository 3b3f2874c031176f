use std::io;
use std::process::exit;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;

/// What somebody outside wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// End (SIGTERM, SIGINT).
    Stop,
    /// Read the configuration again (SIGHUP).
    Reload,
    /// Renew now (SIGUSR1).
    Renew,
}

/// Wishes from outside, as they come in.
pub(crate) struct Wishes(Receiver<Wish>);

/// How long an exchange with the server may still go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

impl Wishes {
    /// Listens for signals from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
        let (sender, receiver) = channel();
        thread::Builder::new()
            .name("signals".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                for signal in signals.forever() {
                    let wish = match signal {
                        SIGHUP => Wish::Reload,
                        SIGUSR1 => Wish::Renew,
                        _ => Wish::Stop,
                    };
                    let nobody_listens = sender.send(wish).is_err();
                    if wish == Wish::Stop || nobody_listens {
                        // Whatever is being written is written whole or not at all, so an exchange
                        // that drags on is no reason to stay.
                        thread::sleep(GRACE);
                        exit(0);
                    }
                }
            })?;
        Ok(Self(receiver))
    }

    /// Waits for a wish, but no longer than this.
    pub(crate) fn wait(&self, most: Duration) -> Option<Wish> {
        match self.0.recv_timeout(most) {
            Ok(wish) => Some(wish),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Wish::Stop),
        }
    }
}
