//! Revocation lists, made when somebody asks.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use enlist_ca::{CrlContent, Partition, Pointers};
use enlist_core::{CaId, CaKey, Digest, Timestamp, explain, lower_hex};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{sleep, timeout};
use tracing::warn;

use super::crls::{Key, Made};
use crate::cas::KnownCa;
use crate::error::What;
use crate::{Error, Ops};

/// Of a list of fewer bytes all that takes time is the signature, which a token may be slow with: no
/// reason to keep the next one waiting.
const SMALL: usize = 64 << 10;
/// How long one waits for a list.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same, where the one there was says the same.
const IN_A_HURRY: Duration = Duration::from_secs(2);

/// A revocation list as it is served. Cheap to clone.
#[derive(Clone)]
pub struct CrlServed(Arc<Served>);

struct Served {
    /// Given back when nobody has it any more.
    _room: OwnedSemaphorePermit,
    der: Vec<u8>,
    tag: String,
    this_update: Timestamp,
    next_update: Timestamp,
}

impl CrlServed {
    pub(super) fn new(
        der: Vec<u8>,
        room: OwnedSemaphorePermit,
        this_update: Timestamp,
        next_update: Timestamp,
    ) -> Self {
        // The signature is at its end, and no two are the same.
        let end = &der[der.len().saturating_sub(64)..];
        let tag = lower_hex(&Digest::of(end).as_bytes()[..16]);
        Self(Arc::new(Served {
            _room: room,
            der,
            tag,
            this_update,
            next_update,
        }))
    }

    /// A text that no other list has, for `ETag`: hexadecimal digits.
    pub fn tag(&self) -> &str {
        &self.0.tag
    }

    /// When this was how things stood.
    pub fn this_update(&self) -> Timestamp {
        self.0.this_update
    }

    /// Until when it may be relied on.
    pub fn next_update(&self) -> Timestamp {
        self.0.next_update
    }
}

/// The list, DER.
impl AsRef<[u8]> for CrlServed {
    fn as_ref(&self) -> &[u8] {
        &self.0.der
    }
}

impl fmt::Debug for CrlServed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CrlServed").field(&self.0.tag).finish()
    }
}

impl Ops {
    /// The revocation list of a CA: the whole one, or of `(of, index)` parts one. It is no older than
    /// what was recorded a moment ago.
    ///
    /// # Errors
    /// When there is no such CA or part, or the CA's key is offline; when the record can't be read, or the
    /// key can't sign.
    pub async fn crl(&self, id: CaId, partition: Option<(u16, u16)>) -> Result<CrlServed, Error> {
        let missing = || Error::not_found(What::Crl, path(id, partition));
        let part = match partition {
            None => None,
            Some((of, index)) => Some(Partition::new(index, of).ok_or_else(missing)?),
        };
        let issuers = self.issuers_with(|known| known.by_id(id).is_some()).await?;
        let ca = issuers.by_id(id).ok_or_else(missing)?;
        if ca.is_offline() {
            // Only a root's key can be.
            return Err(Error::NoRootCrl);
        }
        let url = self.own_url(id, part);
        if let Some(part) = part
            && !(url.is_some() && self.has_parts(ca.tenant, part.of()).await?)
        {
            // Nothing points to it.
            return Err(missing());
        }
        // The whole list is the same under each of the CA's ids; a part says where it is to be had.
        let key = (if part.is_some() { id } else { ca.id }, partition);
        self.follow_revocations().await?;
        if let Some(served) = self.current(ca, key, part) {
            return Ok(served);
        }
        let turn = self.inner.revocation.crls.turn(ca.id);
        let spare = || {
            let changed = self.inner.revocation.state().changed(ca.id, part);
            let crls = &self.inner.revocation.crls;
            crls.spare(&key, changed, self.now())
        };
        if turn.available_permits() == 0
            && let Some(spare) = spare()
        {
            return Ok(spare);
        }
        let patience = if spare().is_some() {
            IN_A_HURRY
        } else {
            PATIENCE
        };
        let made = timeout(patience, self.make_in_turn(ca, key, part, url)).await;
        match made.unwrap_or(Err(Error::Busy { retry_after_s: 2 })) {
            Ok(Some(served)) => Ok(served),
            Ok(None) => Err(missing()),
            Err(error) => {
                let spare = spare().ok_or(error)?;
                Ok(spare)
            }
        }
    }

    fn current(&self, ca: &KnownCa, key: Key, part: Option<Partition>) -> Option<CrlServed> {
        let revocation = &self.inner.revocation;
        let changed = revocation.state().changed(ca.id, part);
        revocation.crls.current(&key, changed, self.now())
    }

    async fn make_in_turn(
        &self,
        ca: &Arc<KnownCa>,
        key: Key,
        part: Option<Partition>,
        url: Option<String>,
    ) -> Result<Option<CrlServed>, Error> {
        let crls = &self.inner.revocation.crls;
        let nobody = |_| Error::Inconsistent("nobody may make lists");
        let turn = crls.turn(ca.id).acquire_owned().await.map_err(nobody)?;
        sleep(crls.pause(&key)).await;
        // It was true a moment ago, whatever the wait.
        let this_update = self.follow_revocations().await?;
        if let Some(served) = self.current(ca, key, part) {
            return Ok(Some(served));
        }
        let in_token = matches!(ca.record.key, CaKey::Kept(_));
        let making = crls.making(in_token).acquire_owned();
        let making = making.await.map_err(nobody)?;
        let (ops, ca) = (self.clone(), ca.clone());
        tokio::task::spawn_blocking(move || {
            // It is finished for the others where the one who asked has gone.
            let _both = (turn, making);
            ops.make_crl(&ca, key, part, url.as_deref(), this_update)
                .inspect_err(|error| {
                    warn!(error = %explain(&error), ca = %ca.id, "a revocation list could not be made");
                    ops.inner.revocation.crls.failed(&key);
                })
        })
        .await
        .map_err(|_| Error::Inconsistent("making a revocation list panicked"))?
    }

    fn make_crl(
        &self,
        ca: &KnownCa,
        key: Key,
        part: Option<Partition>,
        url: Option<&str>,
        this_update: Timestamp,
    ) -> Result<Option<CrlServed>, Error> {
        let revocation = &self.inner.revocation;
        let Some(authority) = self.authority_of(ca)? else {
            return Ok(None);
        };
        // What opening the key took is no measure of the lists to come.
        let at = Instant::now();
        // The number first: what a list says is no older than that.
        let number = revocation.state_mut().next_number(ca.id, this_update);
        let next_update = this_update + revocation.config.crl_lifetime;
        let (entries, changed) = self.entries(ca.id, part);
        let busy = Error::Busy { retry_after_s: 2 };
        let room = revocation.crls.room(entries.len()).ok_or(busy)?;
        let der = authority.sign_crl(&CrlContent {
            number,
            this_update,
            next_update,
            distribution_point: url,
            entries_der: &entries,
        })?;
        let served = CrlServed::new(der, room, this_update, next_update);
        let made = Made {
            served: served.clone(),
            changed,
            at: Instant::now(),
            took: if served.as_ref().len() < SMALL {
                Duration::ZERO
            } else {
                at.elapsed()
            },
        };
        revocation.crls.keep(key, made);
        Ok(Some(served))
    }

    /// The encoded entries, and which change was the last among them.
    fn entries(&self, ca: CaId, part: Option<Partition>) -> (Vec<u8>, u64) {
        let revocation = &self.inner.revocation;
        revocation.state_mut().encode(ca, part);
        {
            // Copied while others may read.
            let state = revocation.state();
            if let Some(entries) = state.encoded(ca, part) {
                return (entries, state.changed(ca, part));
            }
        }
        let mut state = revocation.state_mut();
        state.encode(ca, part);
        let entries = state.encoded(ca, part).unwrap_or_default();
        (entries, state.changed(ca, part))
    }

    fn own_url(&self, id: CaId, part: Option<Partition>) -> Option<String> {
        let base = self.inner.revocation.config.url.as_deref()?;
        let part = part?;
        Pointers::at(base, id, part.of()).crl_url(Some(part))
    }
}

fn path(id: CaId, partition: Option<(u16, u16)>) -> String {
    match partition {
        None => format!("{id}.crl"),
        Some((of, index)) => format!("{id}/{of}/{index}.crl"),
    }
}
