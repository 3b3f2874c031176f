//! From a name to a connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::CallError;
use crate::address::forbidden;
use crate::lookup::Lookups;
use crate::url::Place;

/// How long one of several addresses is tried before the next.
const AN_ADDRESS: Duration = Duration::from_secs(3);

/// Connects to what `place` stands for at this moment. The caller bounds the time.
pub(crate) async fn connect(
    place: &Place,
    tls: &TlsConnector,
    lookups: &Lookups,
) -> Result<TlsStream<TcpStream>, CallError> {
    let tcp = tcp(&addresses(place, lookups).await?).await?;
    // Without it an exchange waits for delayed acknowledgements.
    tcp.set_nodelay(true).map_err(CallError::Connect)?;
    tls.connect(place.name.clone(), tcp)
        .await
        .map_err(CallError::Tls)
}

/// Looks the name up, once: what is looked at here is what is connected to. A name that stands for one
/// forbidden address among others is refused, too.
async fn addresses(place: &Place, lookups: &Lookups) -> Result<Vec<SocketAddr>, CallError> {
    let unresolved = |source| CallError::Unresolved {
        name: place.host.clone(),
        source,
    };
    let found = lookups.addresses(&place.host, place.port).await;
    let found = found.map_err(unresolved)?;
    if found.is_empty() {
        return Err(unresolved(io::Error::other("it has no address")));
    }
    for address in &found {
        let address = address.ip();
        if let Some(why) = forbidden(address) {
            return Err(CallError::Forbidden { address, why });
        }
    }
    Ok(found)
}

async fn tcp(addresses: &[SocketAddr]) -> Result<TcpStream, CallError> {
    let mut last = io::Error::other("it has no address");
    for address in addresses {
        match tokio::time::timeout(AN_ADDRESS, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => last = error,
            Err(_) => last = io::ErrorKind::TimedOut.into(),
        }
    }
    Err(CallError::Connect(last))
}
