//! The next root.

use enlist_ca::{ROOT_KEY, cross_sign, make_root};
use enlist_core::{Actor, CaId, CaKind, CaRecord, CaStanding, Event, Operator, RootRecord, Serial};

use super::RootView;
use crate::cas::after;
use crate::{Error, Ops, scope};

impl Ops {
    /// Makes the root that is to follow the current one, which vouches for it. Devices are offered it
    /// from now on; until the current one is retired nothing stands under it.
    ///
    /// # Errors
    /// When `who` is not of the whole installation, there is a next root already, or the current one's
    /// key is kept offline.
    pub async fn add_root(&self, who: &Operator) -> Result<RootView, Error> {
        scope::installation(who)?;
        loop {
            self.follow_roots().await?;
            let (current, next) = self.make_next_root()?;
            let view = RootView::of(&next)?;
            let by = Actor::Operator(who.token);
            let (now, fingerprint) = (self.now(), view.certificate.fingerprint_hex());
            let added = self
                .inner
                .store
                .write("add_root", move |tx| {
                    let Some(root) = tx.current_root()?.filter(|root| root.ca.id == current) else {
                        return Ok(false);
                    };
                    let mut next = next.clone();
                    next.ca.created_at = after(&root.ca, next.ca.created_at);
                    if !tx.insert_next_root(&next)? {
                        return Err(Error::RolloverUnderWay);
                    }
                    for tenant in tx.tenants()? {
                        let event = Event::new("root-added", tenant.subject(), by.clone(), now);
                        tx.append(&event.with("root", &fingerprint))?;
                    }
                    Ok(true)
                })
                .await?;
            self.follow_roots().await?;
            if added {
                return Ok(view);
            }
        }
    }

    /// The current root, and the next one under its voucher. Nothing is recorded.
    fn make_next_root(&self) -> Result<(CaId, RootRecord), Error> {
        let (clock, rng) = (&*self.inner.clock, &*self.inner.rng);
        let hierarchy = self.inner.authorities.hierarchy();
        if hierarchy.next().is_some() {
            return Err(Error::RolloverUnderWay);
        }
        let current = hierarchy.root_authority().ok_or(Error::RootOffline)?;
        let now = clock.now();
        let made = self.inner.authorities.keys().make(ROOT_KEY, rng)?;
        let root = make_root(made.signer, Serial::new(clock, rng), now)?;
        let cross = cross_sign(current, &root, Serial::new(clock, rng), now)?;
        let record = RootRecord {
            ca: CaRecord {
                id: CaId::new(clock, rng),
                tenant: None,
                kind: CaKind::Root,
                standing: CaStanding::Next,
                certificate: root.certificate().der().to_vec(),
                chain: Vec::new(),
                key: made.key,
                created_at: now,
            },
            cross: Some(cross.der().to_vec()),
            retired_at: None,
        };
        Ok((hierarchy.root_id(), record))
    }
}
