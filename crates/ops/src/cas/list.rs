//! The issuing CAs of a tenant, as people are shown them.

use enlist_core::{CaId, CaKey, CaStanding, Operator, Timestamp};
use enlist_pki::Certificate;
use enlist_store::Tx;

use super::KnownCa;
use crate::{Error, Ops, scope};

/// An issuing CA.
#[derive(Debug, Clone)]
pub struct CaView {
    /// Its id, which the addresses of its CRL and certificate hold.
    pub id: CaId,
    /// How it stands.
    pub standing: CaStanding,
    /// Its newest certificate.
    pub certificate: Certificate,
    /// What stands above that, up to the outermost, where a root from outside has signed it.
    pub chain: Vec<Certificate>,
    /// Where its private key is.
    pub key: CaKeyPlace,
    /// How many certificates it has issued that have not expired, whatever their standing.
    pub unexpired: u64,
    /// Until when the last of them is valid.
    pub last_expiry: Option<Timestamp>,
    /// When it was made known.
    pub created_at: Timestamp,
}

/// Where the private key of a CA is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaKeyPlace {
    /// In the database, wrapped.
    Database,
    /// In a PKCS#11 token.
    Token,
    /// Not within reach.
    Offline,
}

impl CaView {
    pub(super) fn of(tx: &mut Tx<'_>, ca: &KnownCa, now: Timestamp) -> Result<Self, Error> {
        let (mut unexpired, mut last_expiry) = (0, None);
        for member in &ca.members {
            unexpired += tx.unexpired(*member, now)?;
            last_expiry = last_expiry.max(tx.last_expiry(*member)?);
        }
        Ok(Self {
            id: ca.id,
            standing: ca.standing,
            certificate: ca.certificate.clone(),
            chain: ca.chain.clone(),
            key: match ca.record.key {
                CaKey::Wrapped(_) => CaKeyPlace::Database,
                CaKey::Kept(_) => CaKeyPlace::Token,
                CaKey::Offline => CaKeyPlace::Offline,
            },
            unexpired,
            last_expiry,
            created_at: ca.made_at,
        })
    }
}

impl Ops {
    /// The issuing CAs that a tenant has and had, newest first.
    ///
    /// # Errors
    /// When the tenant is not there.
    pub async fn cas(&self, who: &Operator, tenant: String) -> Result<Vec<CaView>, Error> {
        let (who, now) = (who.clone(), self.now());
        self.inner
            .store
            .read("cas", move |tx| {
                // Certificates are no secret: every role needs them to do its work.
                let tenant = scope::tenant(tx, &who, who.role, &tenant)?;
                let cas = tx.cas(enlist_core::CaKind::Issuing, Some(tenant.id))?;
                let cas = KnownCa::all(cas)?;
                cas.iter().map(|ca| CaView::of(tx, ca, now)).collect()
            })
            .await
    }
}
