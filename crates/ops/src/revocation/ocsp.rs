//! Answering OCSP requests (RFC 6960, RFC 5019).

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use enlist_core::{Serial, Standing, Timestamp, explain};
use enlist_pki::{
    CertId, CertStatus, OcspAnswer, OcspError, OcspRequest, SingleAnswer, ocsp_error, sign_ocsp,
};
use tokio::time::timeout;
use tracing::warn;

use super::answers::Given;
use super::issuers::KnownIssuers;
use super::state::Bad;
use crate::cas::KnownCa;
use crate::{Error, Ops};

/// How long an answer may be relied on by those who do not ask again.
const GOOD_FOR: Duration = Duration::from_secs(600);
/// How long the same answer is given to the same question.
const GIVEN_FOR: Duration = Duration::from_secs(300);
/// Looks into the record at one time.
pub(super) const LOOKUPS: usize = 2;
/// How long a question waits for one.
const LOOKUP_WAIT: Duration = Duration::from_secs(1);

/// An OCSP response, ready to send.
#[derive(Debug, Clone)]
pub struct OcspServed {
    /// DER.
    pub der: Arc<[u8]>,
    /// Until when it may be relied on; `None` for errors and what holds a nonce, which nobody is to keep.
    pub fresh_until: Option<Timestamp>,
}

impl Ops {
    /// Answers an OCSP request, DER. What can't be answered is answered with an OCSP error: about a CA
    /// that is not ours `unauthorized`, where the record can't be read `tryLater`.
    pub async fn ocsp(&self, request: &[u8]) -> OcspServed {
        self.ocsp_answer(request)
            .await
            .unwrap_or_else(|error| OcspServed {
                der: ocsp_error(error).into(),
                fresh_until: None,
            })
    }

    async fn ocsp_answer(&self, request: &[u8]) -> Result<OcspServed, OcspError> {
        let request = OcspRequest::from_der(request).map_err(|_| OcspError::MalformedRequest)?;
        let issuers = self
            .issuers_with(|known| about(known, &request).is_some())
            .await
            .map_err(|error| try_later(&error))?;
        let ca = about(&issuers, &request).ok_or(OcspError::Unauthorized)?;
        let this_update = self
            .follow_revocations()
            .await
            .map_err(|error| try_later(&error))?;
        let now = self.now();
        let question = match (request.certs.as_slice(), &request.nonce) {
            ([one], None) => Some(one),
            _ => None,
        };
        if let Some(given) = question.and_then(|one| self.given(ca, one, now)) {
            return Ok(OcspServed {
                der: given.der,
                fresh_until: Some(given.fresh_until),
            });
        }
        let found = self
            .standings(ca, &request.certs, now)
            .await
            .map_err(|error| try_later(&error))?;
        let times = (this_update, now);
        let answer = self.sign_answer(ca, &request, &found, times).await?;
        let Some(question) = question else {
            return Ok(OcspServed {
                der: answer,
                fresh_until: None,
            });
        };
        let fresh_until = now + GOOD_FOR;
        // What is not issued yet may be issued the next moment.
        if let [Found::Issued(bad)] = found.as_slice() {
            let given = Given {
                der: answer.clone(),
                bad: *bad,
                at: now,
                fresh_until,
            };
            self.inner.revocation.answers.give(question.der(), given);
        }
        Ok(OcspServed {
            der: answer,
            fresh_until: Some(fresh_until),
        })
    }

    fn given(&self, ca: &KnownCa, question: &CertId, now: Timestamp) -> Option<Given> {
        let revocation = &self.inner.revocation;
        let serial = Serial::from_be_bytes(question.serial())?;
        let bad = revocation.state().bad(ca.id, serial).map(|(bad, _)| bad);
        let answers = &revocation.answers;
        answers.given(question.der(), bad, now, GIVEN_FOR)
    }

    /// How each of these stands: from memory, and what is not known there to have been issued in one look
    /// into the record.
    async fn standings(
        &self,
        ca: &Arc<KnownCa>,
        ids: &[CertId],
        now: Timestamp,
    ) -> Result<Vec<Found>, Error> {
        let revocation = &self.inner.revocation;
        let mut found = Vec::with_capacity(ids.len());
        let mut unsure = Vec::new();
        {
            let state = revocation.state();
            for (at, id) in ids.iter().enumerate() {
                let serial = Serial::from_be_bytes(id.serial());
                found.push(match serial {
                    None => Found::Nowhere,
                    Some(serial) => match state.bad(ca.id, serial) {
                        Some((bad, _)) => Found::Issued(Some(bad)),
                        None if revocation.answers.was_issued(ca.id, serial, now) => {
                            Found::Issued(None)
                        }
                        None => {
                            unsure.push((at, serial));
                            Found::Nowhere
                        }
                    },
                });
            }
        }
        if unsure.is_empty() {
            return Ok(found);
        }
        let asked: Vec<_> = unsure.iter().map(|(_, serial)| *serial).collect();
        let _lookup = timeout(LOOKUP_WAIT, revocation.lookups.acquire())
            .await
            .map_err(|_| Error::Busy { retry_after_s: 1 })?;
        let on_record: HashMap<_, _> = self
            .inner
            .store
            .read("issued_standing", move |tx| {
                let mut all = HashMap::new();
                for serial in &asked {
                    if let Some(issued) = tx.issued_standing(*serial)? {
                        all.insert(*serial, issued);
                    }
                }
                Ok::<_, Error>(all)
            })
            .await?;
        for (at, serial) in unsure {
            let Some(issued) = on_record.get(&serial) else {
                continue;
            };
            if !ca.members.contains(&issued.issuer) {
                continue;
            }
            if issued.standing == Standing::Good {
                let answers = &revocation.answers;
                answers.issued(ca.id, serial, issued.not_after);
            }
            found[at] = Found::Issued(Bad::of(issued.standing));
        }
        Ok(found)
    }

    async fn sign_answer(
        &self,
        ca: &Arc<KnownCa>,
        request: &OcspRequest,
        found: &[Found],
        (this_update, now): (Timestamp, Timestamp),
    ) -> Result<Arc<[u8]>, OcspError> {
        let responder = self.responder(ca).await;
        let responder = responder
            .map_err(|error| try_later(&error))?
            .ok_or(OcspError::Unauthorized)?;
        let answers: Vec<_> = request
            .certs
            .iter()
            .zip(found)
            .map(|(id, found)| SingleAnswer {
                id,
                status: found.status(),
                this_update: this_update.as_secs(),
                next_update: (now + GOOD_FOR).as_secs(),
            })
            .collect();
        let answer = OcspAnswer {
            answers: &answers,
            nonce: request.nonce.as_deref(),
            produced_at: now.as_secs(),
            responder: &responder.certificate,
        };
        match sign_ocsp(&answer, &responder.key) {
            Ok(der) => Ok(der.into()),
            Err(error) => {
                warn!(error = %explain(&error), "an OCSP answer could not be signed");
                Err(OcspError::InternalError)
            }
        }
    }
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy)]
enum Found {
    /// This CA has not issued it.
    Nowhere,
    Issued(Option<Bad>),
}

impl Found {
    fn status(self) -> CertStatus {
        match self {
            Self::Nowhere => CertStatus::Unknown,
            Self::Issued(None) => CertStatus::Good,
            Self::Issued(Some(bad)) => CertStatus::Revoked {
                at: bad.at,
                reason: Some(bad.reason),
            },
        }
    }
}

/// The CA that all of a request is about: one answer has one signer.
fn about<'a>(known: &'a KnownIssuers, request: &OcspRequest) -> Option<&'a Arc<KnownCa>> {
    let mut cas = request.certs.iter().map(|id| known.by_hash(id.issuer()?));
    let first = cas.next()??;
    cas.all(|ca| ca.is_some_and(|ca| ca.id == first.id))
        .then_some(first)
}

fn try_later(error: &Error) -> OcspError {
    warn!(error = %explain(&error), "an OCSP request could not be answered");
    OcspError::TryLater
}
