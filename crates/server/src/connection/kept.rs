//! HTTP/1.1 on a connection that is kept. While nothing is asked, it holds what TLS needs, and no buffers.

use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use hyper::server::conn::http1::{Builder, Connection, Parts};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt};
use tokio::time::sleep;

use super::desk::Desk;
use super::traffic::Traffic;
use super::{Failure, HEAD, Stream, told_to_end};
use crate::phase::{Phase, Phases};

/// After so long without a request, a connection is put aside.
const QUIET: Duration = Duration::from_secs(1);
/// One on which a request takes long is looked at again after so long at most.
const BUSY: Duration = Duration::from_secs(16);
/// Nobody asks for so long: the connection ends.
const KEPT: Duration = Duration::from_secs(60);

type Http = Connection<TokioIo<Stream>, Arc<Desk>>;

/// Answers what is asked on a connection, until that ends.
pub(super) async fn serve(
    mut stream: Stream,
    desk: Arc<Desk>,
    traffic: Arc<Traffic>,
    mut until: Phases,
) -> Result<(), Failure> {
    let mut patience = HEAD;
    loop {
        let goes_on = tokio::select! {
            something = stream.fill_buf() => !something?.is_empty(),
            () = sleep(patience) => false,
            () = told_to_end(&mut until, Phase::Stopping, &desk) => false,
        };
        if !goes_on {
            return Ok(stream.shutdown().await?);
        }
        // On the heap, to be given back while nothing is asked.
        let rests = Box::pin(answer(stream, &desk, &traffic, &mut until)).await?;
        let Some(rested) = rests else {
            return Ok(());
        };
        (stream, patience) = (rested, KEPT);
    }
}

/// Answers requests until the connection ends, or, where it is returned, has come to rest.
async fn answer(
    stream: Stream,
    desk: &Arc<Desk>,
    traffic: &Traffic,
    until: &mut Phases,
) -> Result<Option<Stream>, Failure> {
    let mut http = Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .serve_connection(TokioIo::new(stream), desk.clone());
    let rests = tokio::select! {
        ended = &mut http => return Ok(ended.map(|()| None)?),
        () = told_to_end(until, Phase::Stopping, desk) => false,
        () = quiet(traffic) => true,
    };
    Pin::new(&mut http).graceful_shutdown();
    if rests {
        let ended = poll_fn(|cx| Poll::Ready(http.poll_without_shutdown(cx))).await;
        if let Poll::Ready(ended) = ended {
            ended?;
            return put_aside(http).await;
        }
    }
    http.await?;
    Ok(None)
}

/// Takes the stream back from a connection at rest.
async fn put_aside(http: Http) -> Result<Option<Stream>, Failure> {
    let Parts { io, read_buf, .. } = http.into_parts();
    let mut stream = io.into_inner();
    if read_buf.is_empty() {
        return Ok(Some(stream));
    }
    // Half a request that came right behind the one before: whoever sent it has to begin anew.
    stream.shutdown().await?;
    Ok(None)
}

/// Returns when nothing has been asked for a while, and all is answered.
async fn quiet(traffic: &Traffic) {
    let (mut before, mut busy) = (None, QUIET);
    loop {
        let now = traffic.at_rest();
        if now.is_some() && now == before {
            return;
        }
        before = now;
        if now.is_some() {
            busy = QUIET;
            sleep(QUIET).await;
        } else {
            sleep(busy).await;
            busy = BUSY.min(busy * 2);
        }
    }
}
