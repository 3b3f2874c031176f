//! One connection, from the TCP accept to its end.

mod desk;
mod kept;
mod traffic;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use enlist_core::Network;
use hyper::server::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::debug;

use crate::app::Peer;
use crate::metrics::{Handshake, Seen};
use crate::patient::Patient;
use crate::phase::{Phase, Phases};
use crate::proxied;
use desk::Desk;
pub(crate) use traffic::Traffic;

/// On the heap, so that whoever holds it needs no more for it than a pointer.
type Stream = Box<TlsStream<Patient>>;

/// Why a connection did not end well.
type Failure = Box<dyn std::error::Error + Send + Sync>;

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
    let traffic = Arc::<Traffic>::default();
    // On the heap, as what comes after it lasts longer and needs less.
    let greeting = Box::pin(greet(stream, from, tls, &trusted, &traffic));
    let (stream, from) = match timeout(HANDSHAKE, greeting).await {
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
    let is_h2 = session.alpn_protocol() == Some(b"h2");
    let until = Phases::clone(&phases);
    let desk = Arc::new(Desk::new(router, peer, phases, traffic.clone()));
    let ended = if is_h2 {
        Box::pin(many_at_a_time(stream, desk, until)).await
    } else {
        kept::serve(stream, desk, traffic, until).await
    };
    if let Err(error) = ended {
        debug!(%from, error = %error, "connection ended");
    }
}

/// HTTP/2, which can be told to go elsewhere without a request being lost on the way.
async fn many_at_a_time(stream: Stream, desk: Arc<Desk>, mut until: Phases) -> Result<(), Failure> {
    let mut connection = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .keep_alive_interval(HEAD)
        .max_concurrent_streams(64)
        .serve_connection(TokioIo::new(stream), desk.clone());
    tokio::select! {
        ended = &mut connection => return Ok(ended?),
        () = told_to_end(&mut until, Phase::Draining, &desk) => {}
    }
    Pin::new(&mut connection).graceful_shutdown();
    Ok(connection.await?)
}

/// Returns when the server has got to `phase`. One who has just come is not sent away unheard.
async fn told_to_end(until: &mut Phases, phase: Phase, desk: &Desk) {
    until.reached(phase).await;
    let _ = timeout(A_MOMENT, desk.asked()).await;
}

/// The handshake, and who is at the other end: where a trusted load balancer has passed it on, whom that
/// names.
async fn greet(
    mut stream: TcpStream,
    from: SocketAddr,
    tls: TlsAcceptor,
    trusted: &[Network],
    traffic: &Arc<Traffic>,
) -> io::Result<(Stream, SocketAddr)> {
    let from = if trusted.iter().any(|network| network.contains(from.ip())) {
        proxied::client(&mut stream).await?.unwrap_or(from)
    } else {
        from
    };
    let stream = tls
        .accept(Patient::watched(stream, traffic.clone()))
        .await?;
    Ok((Box::new(stream), from))
}
