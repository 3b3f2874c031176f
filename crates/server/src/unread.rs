//! Bodies that were refused before they were read.
//!
//! What is left unread ends the stream (HTTP/2) or the connection (HTTP/1) when the answer is sent, and a
//! client that is still sending may see that end and never the answer.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Error;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::header::EXPECT;
use axum::middleware::Next;
use axum::response::Response;
use futures_util::StreamExt;
use hyper::body::{Frame, SizeHint};
use tokio::time::timeout;

/// Bytes that are read for nothing at most.
const MOST: u64 = 64 * 1024;
/// And for so long.
const LONGEST: Duration = Duration::from_secs(2);

/// Answers, but reads what is left of a small body before a refusal goes out.
pub(crate) async fn read_to_the_end(request: Request, next: Next) -> Response {
    // Who waits for a word before sending is answered at once, and sends nothing.
    if request.body().is_end_stream() || request.headers().contains_key(EXPECT) {
        return next.run(request).await;
    }
    let (head, body) = request.into_parts();
    let body = Lent(Arc::new(Mutex::new(body)));
    let lent = Body::new(body.clone());
    let response = next.run(Request::from_parts(head, lent)).await;
    if response.status().is_client_error() || response.status().is_server_error() {
        // Too slow or too much: it ends badly for them, as it would have.
        let _ = timeout(LONGEST, throw_away(body)).await;
    }
    response
}

async fn throw_away(body: Lent) {
    if body.is_end_stream() || body.size_hint().lower() > MOST {
        return;
    }
    let mut left = MOST;
    let mut body = Body::new(body).into_data_stream();
    while let Some(Ok(bytes)) = body.next().await {
        match left.checked_sub(bytes.len() as u64) {
            Some(rest) => left = rest,
            None => return,
        }
    }
}

/// A body that a handler may drop without its being gone.
#[derive(Clone)]
struct Lent(Arc<Mutex<Body>>);

impl Lent {
    fn body(&self) -> MutexGuard<'_, Body> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl HttpBody for Lent {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        Pin::new(&mut *self.body()).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body().is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body().size_hint()
    }
}
