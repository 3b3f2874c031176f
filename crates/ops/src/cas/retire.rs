//! The next issuing CA takes over.

use std::time::Duration;

use enlist_core::{Actor, CaKind, CaStanding, Event, Operator, Role};

use super::{CaView, KnownCa, standing};
use crate::{Error, Ops, scope};

/// How to retire the issuing CA of a tenant.
#[derive(Debug, Clone, Copy)]
pub struct RetireCa {
    /// For so long the next one has to have been known, so that consumers have taken its anchor up.
    pub overlap: Duration,
    /// Whether to do it all the same where it has not been.
    pub force: bool,
}

impl Default for RetireCa {
    fn default() -> Self {
        Self {
            overlap: Duration::from_secs(24 * 3600),
            force: false,
        }
    }
}

impl Ops {
    /// Retires the issuing CA of a tenant in favour of the next one, which issues from then on. What the
    /// old one has issued stays good; its CRL and its OCSP answers go on for as long as any of that is
    /// valid.
    ///
    /// # Errors
    /// When `who` does not administer the tenant, there is no next one, or it has not been known for
    /// long enough.
    pub async fn retire_ca(
        &self,
        who: &Operator,
        tenant: String,
        retire: RetireCa,
    ) -> Result<CaView, Error> {
        let (who, now) = (who.clone(), self.now());
        let (id, view) = self
            .inner
            .store
            .write("retire_ca", move |tx| {
                let tenant = scope::tenant(tx, &who, Role::Admin, &tenant)?;
                // One change of CAs after the other.
                tx.current_root()?;
                let cas = KnownCa::all(tx.cas(CaKind::Issuing, Some(tenant.id))?)?;
                let next = standing(&cas, CaStanding::Next).ok_or(Error::NoNextCa)?;
                if !retire.force && now < next.made_at + retire.overlap {
                    let known_ms = now.as_millis() - next.made_at.as_millis();
                    return Err(Error::CaOverlap {
                        known_h: (known_ms / 3_600_000).max(0).unsigned_abs(),
                        overlap_h: retire.overlap.as_secs() / 3600,
                    });
                }
                if !tx.change_issuing(tenant.id, next.record.id, now)? {
                    return Err(Error::NoNextCa);
                }
                let mut event = Event::new(
                    "ca-retired",
                    tenant.subject(),
                    Actor::Operator(who.token),
                    now,
                );
                if let Some(old) = standing(&cas, CaStanding::Current) {
                    event = event.with("ca", old.certificate.fingerprint_hex());
                }
                let event = event
                    .with("next", next.certificate.fingerprint_hex())
                    .with("forced", retire.force);
                tx.append(&event)?;
                let mut view = CaView::of(tx, next, now)?;
                view.standing = CaStanding::Current;
                Ok((tenant.id, view))
            })
            .await?;
        self.follow_issuing(id).await?;
        self.follow_roots().await?;
        Ok(view)
    }
}
