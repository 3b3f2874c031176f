//! One connection, from the TCP accept to its end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header::CONNECTION;
use axum::http::{HeaderValue, Request, Version};
use enlist_core::Network;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tower::Service;
use tracing::debug;

use crate::app::Peer;
use crate::metrics::{Handshake, Seen};
use crate::patient::Patient;
use crate::phase::{Phase, Phases};
use crate::proxied;

/// A stranger has this long to finish the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// And this long to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);
/// This long to begin with its first request, where the server is about to end.
const A_MOMENT: Duration = Duration::from_secs(1);

pub(crate) async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    tls: TlsAcceptor,
    router: Router,
    trusted: Arc<[Network]>,
    phases: Arc<Phases>,
    seen: Arc<Seen>,
) {
    let _open = seen.connection();
    // Without it an exchange waits for the other side's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%from, %error, "connection lost");
        return;
    }
    let (stream, from) = match timeout(HANDSHAKE, greet(stream, from, &tls, &trusted)).await {
        Ok(Ok(greeted)) => {
            seen.handshake(Handshake::Done);
            greeted
        }
        Ok(Err(error)) => {
            seen.handshake(Handshake::Failed);
            debug!(%from, %error, "handshake failed");
            return;
        }
        Err(_) => {
            seen.handshake(Handshake::Slow);
            debug!(%from, "handshake took too long");
            return;
        }
    };
    let (_, session) = stream.get_ref();
    let mut shown = session.peer_certificates().unwrap_or_default().iter();
    let peer = Peer {
        source: from.ip(),
        certificate: shown.next().map(|leaf| Arc::from(leaf.as_ref())),
        above: shown.map(|one| one.to_vec()).collect(),
    };
    // HTTP/2 can be told to go elsewhere without a request being lost on the way.
    let farewell = match session.alpn_protocol() {
        Some(b"h2") => Phase::Draining,
        _ => Phase::Stopping,
    };
    let (mut until, begun) = (Phases::clone(&phases), Arc::new(Notify::new()));
    let asked = begun.clone();
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        let (phases, version) = (phases.clone(), request.version());
        begun.notify_one();
        async move {
            let answer = router.call(request).await;
            let mut response = answer.unwrap_or_else(|e| match e {});
            if phases.now() > Phase::Serving && version < Version::HTTP_2 {
                let close = HeaderValue::from_static("close");
                response.headers_mut().insert(CONNECTION, close);
            }
            Ok::<_, Infallible>(response)
        }
    });
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(64);
    let connection = builder
        .serve_connection(TokioIo::new(stream), service)
        .into_owned();
    let end = async {
        until.reached(farewell).await;
        // One who has just come is not sent away unheard.
        let _ = timeout(A_MOMENT, asked.notified()).await;
    };
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = end => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        debug!(%from, error = %error, "connection ended");
    }
}

/// The handshake, and who is at the other end: where a trusted load balancer has passed it on, whom that
/// names.
async fn greet(
    mut stream: TcpStream,
    from: SocketAddr,
    tls: &TlsAcceptor,
    trusted: &[Network],
) -> io::Result<(TlsStream<Patient>, SocketAddr)> {
    let from = if trusted.iter().any(|network| network.contains(from.ip())) {
        proxied::client(&mut stream).await?.unwrap_or(from)
    } else {
        from
    };
    Ok((tls.accept(Patient::new(stream)).await?, from))
}
