//! How far a server is with ending.

use tokio::sync::watch;

/// What a server does with connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Phase {
    /// It takes them and keeps them.
    Serving,
    /// It is about to end: it still takes them, and asks those that there are to go elsewhere.
    Draining,
    /// It takes no more, and ends those that have nothing under way.
    Stopping,
}

/// What connections go by.
#[derive(Debug, Clone)]
pub(crate) struct Phases(watch::Receiver<Phase>);

/// The server's end of it. Dropping it ends the server.
#[derive(Debug)]
pub(crate) struct Turn(watch::Sender<Phase>);

/// A server that has just begun.
pub(crate) fn serving() -> (Turn, Phases) {
    let (turn, phases) = watch::channel(Phase::Serving);
    (Turn(turn), Phases(phases))
}

impl Turn {
    /// Goes on to a later phase.
    pub(crate) fn to(&self, phase: Phase) {
        self.0.send_replace(phase);
    }
}

impl Phases {
    /// Where the server is at this moment.
    pub(crate) fn now(&self) -> Phase {
        *self.0.borrow()
    }

    /// Returns when the server has got there.
    pub(crate) async fn reached(&mut self, phase: Phase) {
        // Without its other end the server is no more.
        let _ = self.0.wait_for(|now| *now >= phase).await;
    }
}
