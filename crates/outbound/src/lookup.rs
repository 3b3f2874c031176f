//! From a name to addresses.

use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use tokio::sync::Semaphore;

/// Names that are looked up at once.
const AT_ONCE: usize = 64;
/// The same for one destination, so that one whose name servers hang leaves room for the others.
const OF_ONE: usize = 4;
/// Addresses that are tried at most.
const MOST_ADDRESSES: usize = 8;

/// Bounds the threads that look names up. The system's lookup can't be ended, so it may outlive the call
/// that wanted it, and the threads that it is left with are those that others work on, too.
pub(crate) struct Lookups {
    all: Arc<Semaphore>,
    own: Arc<Semaphore>,
}

impl Lookups {
    pub(crate) fn new() -> Self {
        Self {
            all: Arc::new(Semaphore::new(AT_ONCE)),
            own: Arc::new(Semaphore::new(OF_ONE)),
        }
    }

    /// Those of one more destination.
    pub(crate) fn of_another(&self) -> Self {
        Self {
            all: self.all.clone(),
            ..Self::new()
        }
    }

    /// What a name stands for at this moment. The caller bounds the time.
    pub(crate) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Ok(address) = host.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::from((address, port))]);
        }
        let host = host.to_owned();
        self.run(move || {
            let found = (host.as_str(), port).to_socket_addrs()?;
            Ok(found.take(MOST_ADDRESSES).collect())
        })
        .await
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        // Neither is ever closed. They go with the work, not with who waits for it.
        let own = self.own.clone().acquire_owned().await;
        let all = self.all.clone().acquire_owned().await;
        tokio::task::spawn_blocking(move || {
            let _places = (own, all);
            work()
        })
        .await
        .map_err(io::Error::other)?
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    /// Whether something is looked up soon.
    async fn is_quick(lookups: &Lookups) -> bool {
        let look = lookups.run(|| Ok(()));
        tokio::time::timeout(Duration::from_millis(300), look)
            .await
            .is_ok()
    }

    #[tokio::test]
    async fn lookups_that_hang_take_their_own_places_alone_even_when_nobody_waits_for_them() {
        let client = Lookups::new();
        let (hanging, other) = (client.of_another(), client.of_another());
        let ends: Vec<mpsc::Sender<()>> = (0..OF_ONE)
            .map(|_| {
                let (end, ended) = mpsc::channel();
                let hang = hanging.run(move || Ok(ended.recv()));
                // The call has run out of time: it waits no more.
                assert!(is_left(hang));
                end
            })
            .collect();
        assert!(!is_quick(&hanging).await);
        assert!(is_quick(&other).await);
        drop(ends);
        assert!(is_quick(&hanging).await, "what has ended makes room");
    }

    /// Begins some work and drops it. Says whether it was not done by then.
    fn is_left(work: impl Future) -> bool {
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        std::pin::pin!(work).poll(&mut context).is_pending()
    }
}
