//! A connection beside the agent's own, on which the server says at once that there is something to do.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use enlist_core::{Clock, Rng};
use enlist_keys::tls::{Identity, client_config};
use enlist_pki::Certificate;
use enlist_pki::path::ServerTrust;
use enlist_wire::Client;

use super::DeviceAgent;
use crate::config::Configuration;
use crate::disk::Credentials;
use crate::machine::random_below;
use crate::signals::Wish;

/// How long the server is asked to hold a request: well below what middle boxes take for dead.
const HELD_S: u32 = 60;
/// An answer that comes sooner without a ring is one of a server that is about to end: it has let all who
/// wait go at once, and they are not to come back all at once.
const LET_GO: Duration = Duration::from_secs(30);
/// How long a bell is not listened to after it has rung, or after the server did not take the call; about,
/// so that a fleet spreads out.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The certificate to call with, and whom to believe.
type Caller = (Credentials, ServerTrust);

/// The agent's end: tells the thread with which certificate to call.
pub(super) struct Held {
    sender: Sender<Caller>,
    /// The slot it calls from now, and how many roots it believes.
    shown: Option<(u64, usize)>,
}

/// What a thread calls with.
struct Line {
    url: String,
    timeout: Duration,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
}

impl Held {
    /// Holds a connection, where the configuration says so, and has `wishes` know when it rings. It ends
    /// when this is dropped, once its last call is over.
    pub(super) fn open(
        configuration: &Configuration,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
        wishes: Sender<Wish>,
    ) -> io::Result<Option<Self>> {
        if !configuration.hold_connection {
            return Ok(None);
        }
        let line = Line {
            url: configuration.server_url.clone(),
            timeout: configuration.network_timeout + Duration::from_secs(u64::from(HELD_S)),
            clock,
            rng,
        };
        let (sender, receiver) = channel();
        thread::Builder::new()
            .name("held".into())
            .stack_size(256 * 1024)
            .spawn(move || line.listen(&receiver, &wishes))?;
        Ok(Some(Self {
            sender,
            shown: None,
        }))
    }

    /// Calls with the agent's current certificate from now on.
    pub(super) fn follow(&mut self, agent: &DeviceAgent) {
        let Some(own) = agent.machine().identity().filter(|own| own.confirmed) else {
            return;
        };
        let now = Some((own.slot, agent.roots_held()));
        if now == self.shown {
            return;
        }
        if let Some(caller) = agent.connection()
            && self.sender.send(caller).is_ok()
        {
            self.shown = now;
        }
    }
}

impl Line {
    fn listen(&self, callers: &Receiver<Caller>, wishes: &Sender<Wish>) {
        let Ok(caller) = callers.recv() else { return };
        let mut client = self.client(caller);
        let mut pause = FIRST_PAUSE;
        loop {
            let called = Instant::now();
            let rest = match client.as_ref().map(|client| client.wait(HELD_S)) {
                Some(Ok(reply)) if reply.poll => {
                    if wishes.send(Wish::Poll).is_err() {
                        return;
                    }
                    pause = FIRST_PAUSE;
                    FIRST_PAUSE
                }
                Some(Ok(_)) => {
                    pause = FIRST_PAUSE;
                    if called.elapsed() < LET_GO {
                        spread(&*self.rng, FIRST_PAUSE)
                    } else {
                        Duration::from_secs(1)
                    }
                }
                Some(Err(_)) | None => {
                    // The polls say what is wrong; this one just waits.
                    let rest = spread(&*self.rng, pause);
                    pause = (pause * 2).min(LONGEST_PAUSE);
                    rest
                }
            };
            match callers.recv_timeout(rest) {
                Ok(caller) => client = self.client(caller),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    fn client(&self, (credentials, trust): Caller) -> Option<Client> {
        let chain = credentials.chain.iter().map(Certificate::to_rustls);
        let identity = Identity {
            chain: chain.collect(),
            key: credentials.key,
        };
        let config = client_config(trust, Some(identity), self.clock.clone()).ok()?;
        Client::new(&self.url, Arc::new(config), self.timeout).ok()
    }
}

/// Half of a time to one and a half of it.
fn spread(rng: &dyn Rng, time: Duration) -> Duration {
    time / 2 + random_below(time, rng)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Always(u8);

    impl Rng for Always {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0);
        }
    }

    #[test]
    fn those_who_were_let_go_at_once_come_back_one_by_one() {
        let rest = |byte| spread(&Always(byte), FIRST_PAUSE);
        assert_eq!(rest(0), Duration::from_secs(5));
        assert_eq!(rest(255), Duration::from_secs(15));
        assert!(rest(1) > rest(0) && rest(200) < rest(201));
    }
}
