//! Refusals as EST clients show them to people: a line of text.

use axum::http::HeaderValue;
use axum::http::header::WWW_AUTHENTICATE;
use axum::response::{IntoResponse, Response};

use enlist_ops::Error;

use crate::problem::Refusal;

/// What a client that was asked for nothing more sends next.
const CHALLENGE: &str = "Basic realm=\"Enlist\", charset=\"UTF-8\"";

/// A refusal on its way out.
#[derive(Debug)]
pub(super) struct EstRefusal(Refusal);

impl<E: Into<Refusal>> From<E> for EstRefusal {
    fn from(refusal: E) -> Self {
        Self(refusal.into())
    }
}

impl EstRefusal {
    /// Of an enrollment. Who showed a certificate that does not let it in may have a secret, too: many
    /// clients say so only when they are asked.
    pub(super) fn of_enrollment(error: Error, by_certificate: bool) -> Self {
        let helps = matches!(
            error,
            Error::AttestationRequired
                | Error::AttestationRefused(_)
                | Error::AttestationNotOnManifest
                | Error::AttestationUnknownManufacturer(_)
        );
        let refusal = Refusal::from(error);
        Self(if by_certificate && helps {
            refusal.asking_who()
        } else {
            refusal
        })
    }
}

impl IntoResponse for EstRefusal {
    fn into_response(self) -> Response {
        let (mut response, asks_who) = self.0.into_text();
        if asks_who {
            let challenge = HeaderValue::from_static(CHALLENGE);
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
