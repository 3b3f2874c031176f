//! The key that signs heads.

use enlist_core::{Operator, Role, SigningPurpose};
use enlist_pki::PublicKey;
use enlist_signed::KeyId;

use crate::{Error, Ops, scope};

/// The public key that a tenant's heads are signed with, and how its chain stands.
#[derive(Debug, Clone)]
pub struct AuditKey {
    /// The key.
    pub key: PublicKey,
    /// Its fingerprint: SHA-256 of its `SubjectPublicKeyInfo`.
    pub fingerprint: KeyId,
    /// How many events are sealed.
    pub events: u64,
    /// The event that this server had seen, and that is not there any more or is another one: its record
    /// was cut or rewritten.
    pub broken_at: Option<u64>,
}

impl Ops {
    /// The key that a tenant's heads are signed with. Auditors pin it.
    ///
    /// # Errors
    /// When the tenant is not there for `who`.
    pub async fn audit_key(&self, who: &Operator, tenant: String) -> Result<AuditKey, Error> {
        let who = who.clone();
        let (tenant, last) = self
            .inner
            .store
            .read("audit_key", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Viewer, &tenant)?;
                let last = tx.last_seal(tenant.id)?;
                Ok::<_, Error>((tenant, last))
            })
            .await?;
        let key = self.signing_key(tenant.id, SigningPurpose::Audit).await?;
        let key = key.signer.public_key().clone();
        Ok(AuditKey {
            fingerprint: KeyId::of(&key),
            key,
            events: last.map_or(0, |last| last.seq),
            broken_at: self.inner.audit.broken_at(tenant.id),
        })
    }
}
