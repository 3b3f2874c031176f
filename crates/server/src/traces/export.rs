//! Sends what was taken down.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use enlist_core::{Clock, explain};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout, timeout_at};
use tracing::{info, warn};

use super::layer::Finished;
use super::send::{Endpoint, Sender};
use super::{Tally, json};

/// Spans that are sent together at most, and how long the first of them waits for others.
const A_BATCH: usize = 512;
const A_WHILE: Duration = Duration::from_secs(2);
/// How long the end of the server waits for the last ones to be sent.
const FAREWELL: Duration = Duration::from_secs(2);

/// Sends spans until told to stop.
pub(crate) struct Exporter {
    stop: oneshot::Sender<()>,
    sending: JoinHandle<()>,
}

impl Exporter {
    pub(super) fn start(
        endpoint: Endpoint,
        clock: Arc<dyn Clock>,
        instance: &str,
        mut waiting: mpsc::Receiver<Finished>,
        tally: Arc<Tally>,
    ) -> Self {
        let (stop, stopped) = oneshot::channel::<()>();
        let mut line = Line {
            sender: Sender::new(endpoint, clock),
            instance: instance.to_owned(),
            tally,
            is_down: false,
        };
        let sending = tokio::spawn(async move {
            let mut stopped = std::pin::pin!(stopped);
            let (mut batch, mut is_last) = (Vec::new(), false);
            while !is_last {
                tokio::select! {
                    () = gather(&mut waiting, &mut batch) => {}
                    _ = &mut stopped => {
                        is_last = true;
                        while let Ok(span) = waiting.try_recv() {
                            batch.push(span);
                        }
                    }
                }
                if !batch.is_empty() {
                    line.send(&batch).await;
                    batch.clear();
                }
            }
        });
        Self { stop, sending }
    }

    /// Sends what is left, unless that takes long.
    pub(crate) async fn stop(self) {
        let _ = self.stop.send(());
        let abort = self.sending.abort_handle();
        if timeout(FAREWELL, self.sending).await.is_err() {
            abort.abort();
        }
    }
}

/// Takes the next batch out, of one span at least. What was taken out when this is dropped is in `batch`.
async fn gather(waiting: &mut mpsc::Receiver<Finished>, batch: &mut Vec<Finished>) {
    if waiting.recv_many(batch, A_BATCH).await == 0 {
        // Nobody makes spans any more; the end comes by another way.
        std::future::pending::<()>().await;
    }
    let until = Instant::now() + A_WHILE;
    while batch.len() < A_BATCH {
        match timeout_at(until, waiting.recv_many(batch, A_BATCH)).await {
            Ok(more) if more > 0 => {}
            _ => break,
        }
    }
}

/// The line to the collector.
struct Line {
    sender: Sender,
    instance: String,
    tally: Arc<Tally>,
    is_down: bool,
}

impl Line {
    /// Sends a batch, once. Traces are worth no second try: others follow.
    async fn send(&mut self, batch: &[Finished]) {
        let body = json::request(batch, &self.instance).to_string();
        match self.sender.post(body.into_bytes()).await {
            Ok(()) => {
                self.tally.sent.fetch_add(batch.len() as u64, Relaxed);
                if std::mem::take(&mut self.is_down) {
                    info!("the collector takes traces again");
                }
            }
            Err(error) => {
                self.tally.dropped.fetch_add(batch.len() as u64, Relaxed);
                if !std::mem::replace(&mut self.is_down, true) {
                    warn!(error = %explain(&error), "the collector takes no traces: they are dropped until it does");
                }
            }
        }
    }
}
