#[cfg(target_os = "linux")]
mod clock;
#[cfg(not(target_os = "linux"))]
#[path = "signals/no_clock.rs"]
mod clock;

use std::io;
use std::process::exit;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2};
use signal_hook::iterator::Signals;

use crate::config::ButtonAction;
use crate::systemd;

/// What somebody outside wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wish {
    /// End (SIGTERM, SIGINT).
    Stop,
    /// Read the configuration again (SIGHUP).
    Reload,
    /// Renew now (SIGUSR1).
    Renew,
    /// Ask the server, which has something to say.
    Poll,
    /// Look whether somebody has asked for a wipe (SIGUSR2).
    Wipe,
    /// The button was held.
    Button(ButtonAction),
    /// Look at the clock again: it was set, or the machine has slept.
    #[cfg_attr(
        not(target_os = "linux"),
        expect(dead_code, reason = "only Linux says so")
    )]
    Clock,
}

/// Wishes from outside, as they come in.
pub(crate) struct Wishes {
    receiver: Receiver<Wish>,
    sender: Sender<Wish>,
    notices_clock: bool,
}

/// However long there is nothing to do, the clock is looked at again after this long where the kernel does
/// not say that it was set.
const LONGEST_NAP: Duration = Duration::from_secs(60);
/// How long an exchange with the server may still go on after SIGTERM.
const GRACE: Duration = Duration::from_secs(2);

impl Wishes {
    /// Listens for signals from now on.
    pub(crate) fn listen() -> io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGUSR2])?;
        let (sender, receiver) = channel();
        let from_signals = sender.clone();
        thread::Builder::new()
            .name("signals".into())
            .stack_size(64 * 1024)
            .spawn(move || {
                for signal in signals.forever() {
                    let wish = match signal {
                        SIGHUP => Wish::Reload,
                        SIGUSR1 => Wish::Renew,
                        SIGUSR2 => Wish::Wipe,
                        _ => Wish::Stop,
                    };
                    let nobody_listens = from_signals.send(wish).is_err();
                    if wish == Wish::Stop || nobody_listens {
                        // Whatever is being written is written whole or not at all, so an exchange
                        // that drags on is no reason to stay.
                        thread::sleep(GRACE);
                        exit(0);
                    }
                }
            })?;
        Ok(Self {
            notices_clock: clock::listen(&sender).is_ok(),
            receiver,
            sender,
        })
    }

    /// How long there may be nothing to do before somebody has to look: as often as systemd's watchdog
    /// asks for, and otherwise only as the clock needs it. A device that sleeps is not woken in vain.
    pub(crate) fn longest_nap(&self) -> Duration {
        let clock = if self.notices_clock {
            Duration::MAX
        } else {
            LONGEST_NAP
        };
        systemd::pulse().unwrap_or(Duration::MAX).min(clock)
    }

    /// Takes wishes from other threads.
    pub(crate) fn sender(&self) -> Sender<Wish> {
        self.sender.clone()
    }

    /// Waits for a wish, but no longer than this.
    pub(crate) fn wait(&self, most: Duration) -> Option<Wish> {
        match self.receiver.recv_timeout(most) {
            Ok(wish) => Some(wish),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Wish::Stop),
        }
    }
}
