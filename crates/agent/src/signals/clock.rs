//! Word of the kernel that somebody has set the clock.

use std::io;
use std::sync::mpsc::Sender;
use std::thread;

use rustix::fd::OwnedFd;
use rustix::io::Errno;
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

use super::Wish;

/// In the year 2255, to which no kernel lets its clock be set.
const NEVER: i64 = 9_000_000_000;

/// Has `wishes` know from now on when the system's clock is set, or the machine wakes from sleep. Nothing
/// wakes up before.
///
/// # Errors
/// The kernel has no such timers, or there are no threads left.
pub(super) fn listen(wishes: &Sender<Wish>) -> io::Result<()> {
    let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC)?;
    arm(&timer)?;
    let wishes = wishes.clone();
    thread::Builder::new()
        .name("clock".into())
        .stack_size(64 * 1024)
        .spawn(move || while next(&timer).is_ok() && wishes.send(Wish::Clock).is_ok() {})?;
    Ok(())
}

/// Waits until the clock is set.
fn next(timer: &OwnedFd) -> io::Result<()> {
    let mut expired = [0; 8];
    loop {
        match rustix::io::read(timer, &mut expired) {
            Err(Errno::CANCELED) => return arm(timer),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
            Ok(_) => return Err(io::Error::other("the end of time has come")),
        }
    }
}

/// A timer that is called off when the clock is set has to be set anew each time.
fn arm(timer: &OwnedFd) -> io::Result<()> {
    let zero = Timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let never = Itimerspec {
        it_interval: zero,
        it_value: Timespec {
            tv_sec: NEVER,
            tv_nsec: 0,
        },
    };
    let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
    timerfd_settime(timer, flags, &never)?;
    Ok(())
}
