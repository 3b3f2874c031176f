//! Signing what the chain has come to.

use std::time::Duration;

use enlist_core::{Seal, SigningPurpose, Tenant};
use enlist_signed::{Envelope, Head};
use enlist_store::StoredHead;
use tracing::warn;

use super::chain::{Chain, Standing};
use crate::{Error, Ops};

/// How far heads are apart that are signed without being asked for.
const APART: Duration = Duration::from_secs(60);
/// Events to a head that is kept.
const PAGE: u64 = super::export::PAGE;
/// Every head there is.
const ALL: (u64, u64) = (0, u64::MAX);

impl Ops {
    /// Looks for the last head that was signed, once: what it says, this server has seen.
    pub(super) async fn load_chain(&self, tenant: &Tenant, chain: &mut Chain) -> Result<(), Error> {
        if chain.is_loaded {
            return Ok(());
        }
        let stored = self.newest_head(tenant).await?;
        let head = match &stored {
            Some(stored) => self.open_head(tenant, stored).await?,
            None => None,
        };
        chain.seen = head.as_ref().map(Head::seal);
        let last = self.last(tenant, chain).await?;
        match (stored, head, last) {
            (Some(stored), None, last) => {
                let lost = Seal {
                    seq: stored.seq,
                    ..Seal::START
                };
                self.break_chain(tenant, chain, lost, last).await?;
                chain.signed_at = Some(stored.signed_at);
            }
            (_, Some(head), _) => chain.signed_at = Some(head.at),
            (None, None, Some(Seal { seq: events, .. })) => warn!(
                tenant = %tenant.name,
                events,
                "no signed head of the record of events is there, though events are sealed: unless they were sealed moments ago, somebody has deleted the heads, and only a head that was kept elsewhere tells whether the events are the same"
            ),
            (None, None, None) => {}
        }
        chain.is_head_due = true;
        chain.is_loaded = true;
        Ok(())
    }

    async fn newest_head(&self, tenant: &Tenant) -> Result<Option<StoredHead>, Error> {
        let id = tenant.id;
        self.inner
            .store
            .read("newest_head", move |tx| Ok(tx.newest_head(id, ALL)?))
            .await
    }

    /// A head of the store's, where it is one that the tenant's key has signed.
    async fn open_head(&self, tenant: &Tenant, stored: &StoredHead) -> Result<Option<Head>, Error> {
        let key = self.signing_key(tenant.id, SigningPurpose::Audit).await?;
        let envelope = Envelope::from_json(&stored.envelope).ok();
        let head = envelope.and_then(|it| it.open::<Head>([key.signer.public_key()]).ok());
        Ok(head.filter(|head| head.tenant_id == tenant.id && head.events == stored.seq))
    }

    /// The last place of a chain, which is held to what was seen of it.
    pub(super) async fn last(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
    ) -> Result<Option<Seal>, Error> {
        let (whose, seen) = (tenant.clone(), chain.seen);
        let standing = self
            .inner
            .store
            .read("chain_standing", move |tx| Standing::read(tx, &whose, seen))
            .await?;
        self.hold(tenant, chain, &standing).await?;
        Ok(standing.last)
    }

    /// Signs a head where there are events that none covers, and the last one is a minute old.
    pub(super) async fn sign_head_in_time(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
    ) -> Result<(), Error> {
        let now = self.now();
        let is_early = |at| now.since(at) < APART && at.since(now) < APART;
        if chain.broken.is_some() || !chain.is_head_due || chain.signed_at.is_some_and(is_early) {
            return Ok(());
        }
        if let Some(stored) = self.newest_head(tenant).await? {
            // By another server, that may be.
            chain.signed_at = Some(stored.signed_at);
            let last = self.last(tenant, chain).await?;
            if last.is_some_and(|last| last.seq == stored.seq) {
                chain.is_head_due = false;
                return Ok(());
            }
            if is_early(stored.signed_at) {
                return Ok(());
            }
        }
        self.sign_head(tenant, chain).await.map(drop)
    }

    /// Signs what the chain has come to, and says how far that is. No envelope where the chain is broken.
    pub(super) async fn sign_head(
        &self,
        tenant: &Tenant,
        chain: &mut Chain,
    ) -> Result<(Seal, Option<Envelope>), Error> {
        let last = self.last(tenant, chain).await?.unwrap_or(Seal::START);
        if chain.broken.is_some() || last == Seal::START {
            return Ok((last, None));
        }
        let now = self.now();
        let head = Head {
            tenant: tenant.name.clone(),
            tenant_id: tenant.id,
            events: last.seq,
            hash: last.hash,
            at: now,
        };
        let key = self.signing_key(tenant.id, SigningPurpose::Audit).await?;
        let envelope = Envelope::seal(&head, &*key.signer).map_err(Error::signing)?;
        let (id, stored) = (
            tenant.id,
            StoredHead {
                seq: last.seq,
                envelope: envelope.to_json(),
                signed_at: now,
            },
        );
        self.inner
            .store
            .write("sign_head", move |tx| {
                tx.insert_head(id, &stored)?;
                // Of each page of the chain the newest is enough; earlier ones that somebody kept fit on.
                let page = stored.seq.saturating_sub(1) / PAGE * PAGE;
                tx.delete_heads(id, (page, stored.seq))?;
                Ok::<_, Error>(())
            })
            .await?;
        chain.signed_at = Some(now);
        chain.is_head_due = false;
        Ok((last, Some(envelope)))
    }
}
