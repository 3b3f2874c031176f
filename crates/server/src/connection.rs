//! One connection, from the TCP accept to its end.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::Watcher;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tower::Service;
use tracing::debug;

use crate::app::Peer;
use crate::patient::Patient;

/// A stranger has this long to finish the handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// And this long to send the head of a request.
const HEAD: Duration = Duration::from_secs(30);

pub(crate) async fn serve(
    stream: TcpStream,
    from: SocketAddr,
    tls: TlsAcceptor,
    router: Router,
    shutdown: Watcher,
) {
    // Without it an exchange waits for the other side's delayed acknowledgement.
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%from, %error, "connection lost");
        return;
    }
    let stream = match timeout(HANDSHAKE, tls.accept(Patient::new(stream))).await {
        Ok(Ok(stream)) => stream,
        Ok(Err(error)) => {
            debug!(%from, %error, "handshake failed");
            return;
        }
        Err(_) => {
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
    let service = service_fn(move |request: Request<Incoming>| {
        let mut router = router.clone();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(peer.clone());
        async move { Ok::<_, Infallible>(router.call(request).await.unwrap_or_else(|e| match e {})) }
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
    if let Err(error) = shutdown.watch(connection).await {
        debug!(%from, error = %error, "connection ended");
    }
}
