//! The keys that sign OCSP answers for CAs: in memory alone, for a day.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use enlist_ca::{RESPONDER_KEY, make_responder_certificate};
use enlist_core::{CaId, Serial, Timestamp, explain};
use enlist_keys::FileKey;
use enlist_pki::{Certificate, Signer};
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tracing::warn;

use crate::cas::KnownCa;
use crate::{Error, Ops};

/// After this long another one takes its place: at half of its life.
const RENEWED_AFTER: Duration = Duration::from_secs(12 * 3600);
/// How often that is tried.
const TRIED_EVERY: Duration = Duration::from_secs(60);
/// Who needs the first one waits this long for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Who signs OCSP answers for a CA at this server.
pub(super) struct Responder {
    pub(super) key: FileKey,
    pub(super) certificate: Certificate,
    renew_at: Timestamp,
}

/// Each CA has a place of its own: one whose key takes its time keeps no other waiting.
#[derive(Default)]
pub(super) struct Responders(Mutex<HashMap<CaId, Arc<Place>>>);

#[derive(Default)]
struct Place {
    made: Mutex<Option<Arc<Responder>>>,
    /// Held by the one who makes it. When that failed last.
    making: Arc<tokio::sync::Mutex<Option<Instant>>>,
}

impl Responders {
    fn of(&self, ca: CaId) -> Arc<Place> {
        let mut places = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        places.entry(ca).or_default().clone()
    }
}

impl Place {
    fn current(&self, now: Timestamp) -> Option<Arc<Responder>> {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        let current = made.as_ref();
        current
            .filter(|one| one.certificate.is_current(now.as_secs()))
            .cloned()
    }
}

impl Ops {
    /// Who signs answers about the certificates of a CA; `None` where its key is offline. One that is
    /// still good goes on while its successor is being made.
    pub(super) async fn responder(
        &self,
        ca: &Arc<KnownCa>,
    ) -> Result<Option<Arc<Responder>>, Error> {
        let place = self.inner.revocation.responders.of(ca.id);
        let now = self.now();
        if let Some(responder) = place.current(now) {
            if now >= responder.renew_at
                && let Ok(making) = place.making.clone().try_lock_owned()
                && making.is_none_or(|failed| failed.elapsed() >= TRIED_EVERY)
            {
                drop(self.start_making(ca, &place, making));
            }
            return Ok(Some(responder));
        }
        let busy = |_| Error::Busy { retry_after_s: 1 };
        let first = async {
            let making = place.making.clone().lock_owned().await;
            match place.current(now) {
                Some(responder) => Ok(Some(responder)),
                None => self
                    .start_making(ca, &place, making)
                    .await
                    .map_err(|_| Error::Inconsistent("making an OCSP responder panicked"))?,
            }
        };
        timeout(PATIENCE, first).await.map_err(busy)?
    }

    /// Makes one and puts it in its place, whether anybody waits for it or not: the CA's key may be in a
    /// device that takes its time.
    fn start_making(
        &self,
        ca: &Arc<KnownCa>,
        place: &Arc<Place>,
        mut making: OwnedMutexGuard<Option<Instant>>,
    ) -> JoinHandle<Result<Option<Arc<Responder>>, Error>> {
        let (ops, ca, place) = (self.clone(), ca.clone(), place.clone());
        tokio::task::spawn_blocking(move || {
            let made = ops.make_responder(&ca).inspect_err(|error| {
                warn!(error = %explain(&error), "no certificate could be made for an OCSP responder");
                *making = Some(Instant::now());
            })?;
            *making = None;
            let made = made.map(Arc::new);
            *place.made.lock().unwrap_or_else(PoisonError::into_inner) = made.clone();
            Ok(made)
        })
    }

    fn make_responder(&self, ca: &KnownCa) -> Result<Option<Responder>, Error> {
        let Some(authority) = self.authority_of(ca)? else {
            return Ok(None);
        };
        let now = self.now();
        let key = FileKey::generate(RESPONDER_KEY).map_err(Error::signing)?;
        let serial = Serial::new(&*self.inner.clock, &*self.inner.rng);
        Ok(Some(Responder {
            certificate: make_responder_certificate(&authority, key.public_key(), serial, now)?,
            key,
            renew_at: now + RENEWED_AFTER,
        }))
    }
}
