//! A device renews its certificate.

mod examine;
mod next;
mod record;

use std::sync::Arc;
use std::time::Duration;

use enlist_core::{DeviceId, DeviceToken, Digest, RenewalRequest, RequestId};
use enlist_pki::{Certificate, Csr};

use crate::issue::Whom;
use crate::{Enrolled, Error, Ops, Source};
use examine::{Finding, examine};
pub(crate) use examine::{certificate_of, on_record, recovery_ends};
pub(crate) use next::Next;
use record::Recorded;

/// What a device sends to renew.
#[derive(Debug)]
pub struct RenewalAsked {
    /// The device.
    pub device: DeviceId,
    /// PKCS#10 over the new key, DER.
    pub csr: Vec<u8>,
    /// One more than with the renewal before.
    pub counter: u64,
    /// Names this renewal; it stays the same over retries.
    pub request: RequestId,
    /// The certificate lifetime it asks for.
    pub ttl: Option<Duration>,
    /// What proves it.
    pub evidence: Evidence,
    /// Where it calls from.
    pub source: Source,
}

/// What proves that the device asks, and nobody else.
#[derive(Debug)]
pub enum Evidence {
    /// The client certificate of the TLS connection, DER.
    Certificate(Vec<u8>),
    /// The device token, and a signature by the certificate's key.
    Token(TokenEvidence),
}

/// Proof by token and key.
#[derive(Debug)]
pub struct TokenEvidence {
    /// The device token.
    pub token: DeviceToken,
    /// The server's nonce.
    pub nonce: Vec<u8>,
    /// The signature over `renewal_message`.
    pub signature: Vec<u8>,
}

/// A renewal whose parts were read.
struct Asked {
    device: DeviceId,
    csr: Csr,
    key: Digest,
    counter: u64,
    request: RenewalRequest,
    ttl: Option<Duration>,
    evidence: Proven,
}

/// Evidence whose parts were read.
enum Proven {
    Certificate(Box<Certificate>),
    Token(TokenEvidence),
}

/// How often a lost race is run again before the caller is asked to.
const ATTEMPTS: usize = 4;

impl Ops {
    /// Renews a device's certificate: once for each renewal it numbers, however often it asks.
    ///
    /// # Errors
    /// Each reason for a refusal has a variant of its own. Nothing is written then, but for an
    /// event where a clone is suspected.
    pub async fn renew(&self, renewal: RenewalAsked) -> Result<Enrolled, Error> {
        let (device, source) = (renewal.device, renewal.source);
        let outcome = self.renew_uncounted(renewal).await;
        if let Err(error) = &outcome
            && let Ok(Some(tenant)) = self.tenant_name_of(device).await
        {
            let tenant = tenant.as_str();
            self.inner.refusals.count(tenant, device, error, source);
        }
        outcome
    }

    async fn renew_uncounted(&self, renewal: RenewalAsked) -> Result<Enrolled, Error> {
        let asked = Arc::new(self.read_renewal(renewal)?);
        for _ in 0..ATTEMPTS {
            let (look, now) = (asked.clone(), self.now());
            let ground = self
                .inner
                .store
                .read("renew_look", move |tx| examine(tx, &look, now))
                .await;
            if let (Err(error), Proven::Certificate(shown)) = (&ground, &asked.evidence)
                && self.adopts(error, shown).await?
            {
                continue;
            }
            let ground = ground?;
            let recorded = match ground.finding {
                Finding::Again(issuance) => Recorded::Issued(issuance),
                Finding::CloneSuspected => self.record_suspicion(asked.clone()).await?,
                Finding::Fresh(ref verified) => {
                    let whom = Whom::from(&ground.device);
                    let signed = self
                        .sign(&ground.tenant, &ground.group, whom, verified, asked.ttl)
                        .await?;
                    let recorded = self.record_renewal(asked.clone(), signed).await;
                    let tenant = ground.tenant.id;
                    if self.is_superseded_ca(tenant, &recorded).await? {
                        continue;
                    }
                    recorded?
                }
            };
            match recorded {
                Recorded::Raced => {}
                Recorded::Suspected => return Err(Error::CloneSuspected),
                Recorded::Issued(issuance) => return self.present(*issuance).await,
            }
        }
        Err(Error::Busy { retry_after_s: 1 })
    }

    fn read_renewal(&self, renewal: RenewalAsked) -> Result<Asked, Error> {
        let evidence = match renewal.evidence {
            Evidence::Certificate(der) => Proven::Certificate(Box::new(
                Certificate::from_der(&der).map_err(|_| Error::ForeignCertificate)?,
            )),
            Evidence::Token(proof) => {
                self.inner
                    .nonces
                    .check(&proof.nonce, renewal.device, self.now())?;
                Proven::Token(proof)
            }
        };
        let csr = Csr::from_der(&renewal.csr)?;
        let key = Digest::from_bytes(csr.public_key().digest());
        Ok(Asked {
            device: renewal.device,
            csr,
            key,
            counter: renewal.counter,
            request: RenewalRequest {
                id: renewal.request,
                key,
            },
            ttl: renewal.ttl,
            evidence,
        })
    }

    async fn tenant_name_of(&self, device: DeviceId) -> Result<Option<enlist_core::Name>, Error> {
        self.inner
            .store
            .read("tenant_name_of", move |tx| {
                Ok(match tx.tenant_of_device(device)? {
                    Some(tenant) => tx.tenant(tenant)?.map(|tenant| tenant.name),
                    None => None,
                })
            })
            .await
    }
}
