//! What a server has issued in a test, read off its record at the end.

use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Operator, Serial};
use enlist_ops::{CertificateFilter, Error, Ops};
use enlist_pki::{CertId, Certificate, DigestKind, IssuerHash, OcspError, OcspRequest, ocsp_error};
use rustls::ClientConnection;
use rustls::pki_types::ServerName;

use crate::{Product, Rig, produced};

/// So many certificates of a tenant are enough: the rest are like them.
const OF_A_TENANT: usize = 100;
/// And of so many OCSP is asked.
const OF_A_TENANT_ASKED: usize = 10;

/// Keeps the certificates on record at `ops`, of devices and of CAs, for the linter.
///
/// # Errors
/// When the record can't be read, or `admin_token` is not an administrator's.
pub async fn produced_by(ops: &Ops, admin_token: &str) -> Result<(), Error> {
    if produced::directory().is_none() {
        return Ok(());
    }
    let who = ops.authenticate(admin_token).await?;
    for root in ops.roots(&who).await? {
        keep(&root.certificate);
        root.cross.iter().for_each(keep);
    }
    for tenant in ops.tenants(&who).await? {
        of_a_tenant(ops, &who, tenant.name.as_str()).await?;
    }
    Ok(())
}

async fn of_a_tenant(ops: &Ops, who: &Operator, tenant: &str) -> Result<(), Error> {
    // A tenant that waits for its CA has none.
    if let Ok(authority) = ops.tenant_authority(who, tenant.to_owned()).await {
        keep(&authority.issuing);
        authority.anchors.iter().for_each(keep);
    }
    let cas = ops.cas(who, tenant.to_owned()).await?;
    for ca in &cas {
        keep(&ca.certificate);
        // A CA whose key is out of reach makes no lists.
        if let Ok(crl) = ops.crl(ca.id, None).await {
            produced(Product::Crl, crl.as_ref());
        }
    }
    let filter = CertificateFilter {
        limit: OF_A_TENANT,
        ..CertificateFilter::default()
    };
    let listed = ops.certificates(who, tenant.to_owned(), filter).await?;
    for one in &listed.items {
        produced(Product::Certificate, &one.certificate.der);
    }
    let serials = listed.items.iter().map(|one| one.certificate.serial);
    for serial in serials.take(OF_A_TENANT_ASKED) {
        for ca in &cas {
            if let Some(request) = question(&ca.certificate, serial) {
                keep_answer(&ops.ocsp(&request).await.der);
            }
        }
    }
    Ok(())
}

/// An OCSP request about one certificate, with a nonce for every other one.
fn question(issuer: &Certificate, serial: Serial) -> Option<Vec<u8>> {
    let key = issuer.public_key().ok()?;
    let issuer = IssuerHash::of(DigestKind::Sha1, &issuer.subject(), &key);
    let certs = vec![CertId::new(&issuer, serial.as_bytes()).ok()?];
    let nonce = (serial.as_bytes()[15] % 2 == 1).then(|| vec![7; 32]);
    OcspRequest { certs, nonce }.to_der().ok()
}

/// The linter has nothing to say of errors, which are five bytes.
pub(crate) fn keep_answer(der: &[u8]) {
    if der.len() > ocsp_error(OcspError::TryLater).len() {
        produced(Product::OcspAnswer, der);
    }
}

fn keep(certificate: &Certificate) {
    produced(Product::Certificate, certificate.der());
}

impl Rig {
    /// Keeps the server's own certificates and what it has issued. A server or a store that a test
    /// has broken has nothing to tell.
    pub(crate) fn keep_produced(&self) {
        if produced::directory().is_some() {
            let _ = self.block_on(produced_by(&self.ops, self.admin_token()));
            for certificate in self.shown_in_tls().unwrap_or_default() {
                produced(Product::Certificate, &certificate);
            }
        }
    }

    /// What the server shows of itself in a handshake.
    fn shown_in_tls(&self) -> std::io::Result<Vec<Vec<u8>>> {
        let name = ServerName::try_from("localhost").expect("a name");
        let mut tls =
            ClientConnection::new(Arc::new(self.tls()), name).map_err(std::io::Error::other)?;
        let mut tcp = TcpStream::connect(self.address())?;
        tcp.set_read_timeout(Some(Duration::from_secs(2)))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut tcp)?;
        }
        let shown = tls.peer_certificates().unwrap_or_default();
        Ok(shown.iter().map(|one| one.to_vec()).collect())
    }
}
