//! TLS to the database: rustls under the client library.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_lc_rs::digest;
use const_oid::db::{rfc5912, rfc8410};
use rustls::ClientConfig;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_postgres::tls::{ChannelBinding, MakeTlsConnect, TlsConnect};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use x509_cert::der::Decode;

use super::address::Mode;
use super::trust::Trust;
use super::url::{Options, Problem};

/// How TLS is set up with whoever answers at the database's address.
#[derive(Clone)]
pub(super) struct Tls(Arc<ClientConfig>);

impl Tls {
    /// Reads the files that the URL names.
    pub(super) fn new(mode: Mode, options: &Options) -> Result<Self, Problem> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let roots = match &options.root {
            Some(path) => certificates("sslrootcert", path)?,
            None => Vec::new(),
        };
        let trust = match mode {
            Mode::Disable | Mode::Prefer | Mode::Require => Trust::anybody(&provider),
            Mode::VerifyCa => Trust::any_name(roots, &provider),
            Mode::VerifyFull => Trust::by_name(roots, &provider),
        };
        let trust = trust.map_err(|_| Problem::Content {
            name: "sslrootcert",
            path: options.root.clone().unwrap_or_default(),
            what: "certificate of a CA",
        })?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(Problem::Tls)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(trust));
        let config = match (&options.certificate, &options.key) {
            (Some(certificate), Some(key)) => config
                .with_client_auth_cert(certificates("sslcert", certificate)?, private_key(key)?)
                .map_err(Problem::Tls)?,
            _ => config.with_no_client_auth(),
        };
        Ok(Self(Arc::new(config)))
    }
}

fn certificates(name: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, Problem> {
    let content = || Problem::Content {
        name,
        path: path.to_owned(),
        what: "certificate",
    };
    let pem = contents(name, path)?;
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let read = read.map_err(|_| content())?;
    if read.is_empty() {
        return Err(content());
    }
    Ok(read)
}

fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, Problem> {
    if is_open(path)? {
        return Err(Problem::OpenKey {
            path: path.to_owned(),
        });
    }
    let pem = zeroize::Zeroizing::new(contents("sslkey", path)?);
    PrivateKeyDer::from_pem_slice(&pem).map_err(|_| Problem::Content {
        name: "sslkey",
        path: path.to_owned(),
        what: "private key without a passphrase",
    })
}

/// As libpq has it: nobody but the owner may read it; where that is root, a group may.
#[cfg(unix)]
fn is_open(path: &Path) -> Result<bool, Problem> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).map_err(|source| unreadable("sslkey", path, source))?;
    let others = if metadata.uid() == 0 { 0o037 } else { 0o077 };
    Ok(metadata.mode() & others != 0)
}

#[cfg(not(unix))]
fn is_open(_: &Path) -> Result<bool, Problem> {
    Ok(false)
}

fn contents(name: &'static str, path: &Path) -> Result<Vec<u8>, Problem> {
    std::fs::read(path).map_err(|source| unreadable(name, path, source))
}

fn unreadable(name: &'static str, path: &Path, source: io::Error) -> Problem {
    Problem::File {
        name,
        path: PathBuf::from(path),
        source,
    }
}

impl<S> MakeTlsConnect<S> for Tls
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type TlsConnect = OneConnect;
    type Error = io::Error;

    fn make_tls_connect(&mut self, host: &str) -> io::Result<OneConnect> {
        Ok(OneConnect {
            connector: TlsConnector::from(Arc::clone(&self.0)),
            host: host.to_owned(),
        })
    }
}

/// One handshake that is to come.
pub(super) struct OneConnect {
    connector: TlsConnector,
    host: String,
}

impl<S> TlsConnect<S> for OneConnect
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    type Stream = Encrypted<S>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Encrypted<S>>> + Send>>;

    fn connect(self, stream: S) -> Self::Future {
        Box::pin(async move {
            let name = ServerName::try_from(self.host).map_err(io::Error::other)?;
            let stream = self.connector.connect(name, stream).await?;
            Ok(Encrypted(Box::new(stream)))
        })
    }
}

/// What is said and heard under TLS.
pub(super) struct Encrypted<S>(Box<TlsStream<S>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Encrypted<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, buf)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Encrypted<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> tokio_postgres::tls::TlsStream for Encrypted<S> {
    /// `tls-server-end-point` of RFC 5929: so a password is not proved to somebody in between.
    fn channel_binding(&self) -> ChannelBinding {
        let (_, session) = self.0.get_ref();
        let server = session.peer_certificates().and_then(<[_]>::first);
        server
            .and_then(|certificate| end_point(certificate))
            .map_or_else(ChannelBinding::none, ChannelBinding::tls_server_end_point)
    }
}

/// The digest of the server's certificate, by the hash that it is signed with; SHA-256 in place of older
/// ones. `None` for one whose hash is not a matter of its algorithm's name.
fn end_point(certificate: &[u8]) -> Option<Vec<u8>> {
    let parsed = x509_cert::Certificate::from_der(certificate).ok()?;
    let hash = match parsed.signature_algorithm().oid {
        rfc5912::SHA_384_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_384 => &digest::SHA384,
        rfc5912::SHA_512_WITH_RSA_ENCRYPTION | rfc5912::ECDSA_WITH_SHA_512 => &digest::SHA512,
        rfc5912::ID_RSASSA_PSS | rfc8410::ID_ED_25519 => return None,
        _ => &digest::SHA256,
    };
    Some(digest::digest(hash, certificate).as_ref().to_vec())
}
