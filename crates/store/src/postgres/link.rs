//! One connection, driven by the thread that uses it.
//!
//! What need not be waited for is only sent: it is answered before the next thing is. So beginning and
//! ending a transaction costs no round trip of its own.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::FutureExt;
use tokio::runtime::Runtime;
use tokio_postgres::{Client, Error};

use super::failed::{NoAnswer, failed};
use crate::StoreError;

type Running = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A connection, and the thread's way to wait for it.
pub(super) struct Link {
    /// Ends before the connection does.
    unawaited: VecDeque<Running>,
    connection: Running,
    client: Arc<Client>,
    runtime: Runtime,
    round_trips: Arc<AtomicU64>,
}

impl Link {
    pub(super) fn new(
        runtime: Runtime,
        client: Client,
        connection: impl Future<Output = Result<(), Error>> + Send + 'static,
        round_trips: Arc<AtomicU64>,
    ) -> Self {
        Self {
            unawaited: VecDeque::new(),
            // What still waits learns that it has ended by its being gone.
            connection: Box::pin(connection.fuse()),
            client: Arc::new(client),
            runtime,
            round_trips,
        }
    }

    /// What requests are made with.
    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client)
    }

    /// Sends a statement that is not waited for: where it fails, the next that is waited for does. With
    /// `now`, it goes out at once, and else with the next one.
    pub(super) fn send(&mut self, sql: &'static str, now: bool) {
        let client = self.client();
        let mut running: Running = Box::pin(async move { client.batch_execute(sql).await });
        let connection = &mut self.connection;
        let mut ended = None;
        self.runtime.block_on(poll_fn(|cx| {
            // Being polled puts it into the line.
            if let Poll::Ready(done) = running.as_mut().poll(cx) {
                ended = Some(done);
            }
            if now {
                // What has gone wrong shows when somebody waits.
                let _ = connection.as_mut().poll(cx);
            }
            Poll::Ready(())
        }));
        self.unawaited.push_back(match ended {
            Some(done) => Box::pin(std::future::ready(done)),
            None => running,
        });
    }

    /// Whether something has been sent whose answer has not come.
    pub(super) fn is_ahead(&self) -> bool {
        !self.unawaited.is_empty()
    }

    /// Waits for the answers to all that was sent.
    pub(super) fn settle(&mut self, limit: Option<Duration>) -> Result<(), StoreError> {
        if self.is_ahead() {
            self.wait(limit, async { Ok(()) })
        } else {
            Ok(())
        }
    }

    /// Waits for a request, and for all that was sent before it, up to `limit`.
    pub(super) fn wait<T>(
        &mut self,
        limit: Option<Duration>,
        request: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, StoreError> {
        self.round_trips.fetch_add(1, Relaxed);
        let (unawaited, connection) = (&mut self.unawaited, &mut self.connection);
        let mut request = pin!(request);
        let mut answer = None;
        let answered = poll_fn(|cx| {
            if answer.is_none()
                && let Poll::Ready(done) = request.as_mut().poll(cx)
            {
                answer = Some(done);
            }
            let mut ended = connection.as_mut().poll(cx).is_ready();
            loop {
                if let Poll::Ready(earlier) = settled(unawaited, cx) {
                    if earlier.is_err() {
                        return Poll::Ready(earlier.map(|()| None));
                    }
                    if answer.is_none()
                        && let Poll::Ready(done) = request.as_mut().poll(cx)
                    {
                        answer = Some(done);
                    }
                    if let Some(answer) = answer.take() {
                        return Poll::Ready(answer.map(Some));
                    }
                }
                // A connection that has ended hands out what it had, and then ends whatever still waits.
                if !std::mem::take(&mut ended) {
                    return Poll::Pending;
                }
            }
        });
        let done = match limit {
            None => self.runtime.block_on(answered),
            Some(limit) => {
                let timed = async { tokio::time::timeout(limit, answered).await };
                let timed = self.runtime.block_on(timed);
                timed.map_err(|_| StoreError::Unavailable(Arc::new(NoAnswer(limit))))?
            }
        };
        match done.map_err(failed)? {
            Some(answer) => Ok(answer),
            // A failure of what was sent before is an error, and nothing else has no answer.
            None => Err(StoreError::Closed),
        }
    }
}

/// Takes the answers to what was sent, in its order.
fn settled(unawaited: &mut VecDeque<Running>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
    while let Some(first) = unawaited.front_mut() {
        match first.as_mut().poll(cx) {
            Poll::Pending => return Poll::Pending,
            Poll::Ready(done) => {
                unawaited.pop_front();
                done?;
            }
        }
    }
    Poll::Ready(Ok(()))
}
