use std::fmt;
use std::io::{Read, Write};
use std::sync::Arc;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use ureq::Error;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, Transport, TransportAdapter,
};

use super::meter::{Meter, Metered};

/// Wraps a connection in TLS with a rustls configuration made elsewhere.
///
/// ureq's own connector builds its configuration itself, which leaves no room for a verifier of our
/// own or a client key that can't be exported.
pub(super) struct TlsConnector {
    config: Arc<ClientConfig>,
    meter: Option<Arc<Meter>>,
}

pub(super) struct TlsTransport<T: Transport> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, Metered<TransportAdapter<T>>>,
}

impl TlsConnector {
    pub(super) fn new(config: Arc<ClientConfig>, meter: Option<Arc<Meter>>) -> Self {
        Self { config, meter }
    }
}

impl<In: Transport> Connector<In> for TlsConnector {
    type Out = TlsTransport<In>;

    fn connect(
        &self,
        details: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(transport) = chained else {
            return Ok(None);
        };
        let host = details.uri.host().unwrap_or_default();
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host)
            .map_err(|_| Error::BadUri(format!("{host:?} is no host name")))?
            .to_owned();
        let mut conn = ClientConnection::new(self.config.clone(), name).map_err(other)?;
        let mut sock = TransportAdapter::new(transport, details.current_time.clone());
        sock.set_timeout(details.timeout);
        let mut sock = Metered {
            inner: sock,
            meter: self.meter.clone(),
        };
        while conn.is_handshaking() {
            conn.complete_io(&mut sock)?;
        }
        if let Some(meter) = &self.meter {
            meter.connected(conn.handshake_kind() == Some(HandshakeKind::Resumed));
        }
        Ok(Some(TlsTransport {
            buffers: LazyBuffers::new(
                details.config.input_buffer_size(),
                details.config.output_buffer_size(),
            ),
            stream: StreamOwned::new(conn, sock),
        }))
    }
}

impl<T: Transport> Transport for TlsTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.inner.set_timeout(timeout);
        self.stream.write_all(&self.buffers.output()[..amount])?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.inner.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.sock.inner.get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsConnector")
    }
}

impl<T: Transport> fmt::Debug for TlsTransport<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TlsTransport")
            .field(&self.stream.sock.inner.inner())
            .finish()
    }
}

fn other(error: rustls::Error) -> Error {
    Error::Other(error.into())
}
