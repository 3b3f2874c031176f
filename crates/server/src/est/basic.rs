//! HTTP Basic (RFC 7617): a device's name and its group's provisioning secret.

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use base64ct::{Base64, Encoding};
use enlist_core::{Name, ProvisioningSecret};
use enlist_ops::Error;
use secrecy::{ExposeSecret, SecretString};

use super::label::Place;
use super::refusal::EstRefusal;
use crate::problem::Refusal;

/// What a device says of itself.
pub(super) struct Basic {
    /// Its group, where it names one.
    place: Option<Place>,
    /// Its name.
    pub(super) name: Name,
    /// The secret it shows.
    pub(super) secret: ProvisioningSecret,
}

impl Basic {
    /// Reads what was sent: `NAME`, or `GROUP/NAME`, or `TENANT.GROUP/NAME`, and the secret.
    ///
    /// # Errors
    /// There is none, which a client is told to send one for, or it makes no sense.
    pub(super) fn read(headers: &HeaderMap) -> Result<Self, EstRefusal> {
        let sent = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| {
                let (scheme, sent) = value.split_once(' ')?;
                scheme.eq_ignore_ascii_case("basic").then(|| sent.trim())
            })
            .ok_or(Error::SecretMissing)?;
        let text = Base64::decode_vec(sent)
            .ok()
            .and_then(|bytes| String::from_utf8(bytes).ok())
            .map(SecretString::from)
            .ok_or_else(|| {
                Refusal::invalid_request("Authorization: not base64 of user:password")
            })?;
        let (user, password) = text
            .expose_secret()
            .split_once(':')
            .ok_or_else(|| Refusal::invalid_request("Authorization: no colon after the user"))?;
        let (place, name) = match user.rsplit_once('/') {
            None => (None, user),
            Some((place, name)) => {
                let place = Place::parse(place).ok_or_else(|| {
                    Refusal::invalid_request("user: expected NAME, GROUP/NAME or TENANT.GROUP/NAME")
                })?;
                (Some(place), name)
            }
        };
        Ok(Self {
            place,
            name: name.parse().map_err(Error::InvalidName)?,
            secret: ProvisioningSecret::parse(password).map_err(|_| Error::SecretWrong)?,
        })
    }

    /// The group to enroll into, as path and user name have it.
    ///
    /// # Errors
    /// They contradict each other.
    pub(super) fn place(&self, label: Option<Place>) -> Result<Place, EstRefusal> {
        match (label, &self.place) {
            (Some(label), Some(place)) if label != *place => Err(Refusal::invalid_request(
                "the path names another group than the user: leave it out in one of them",
            )
            .into()),
            (Some(label), _) => Ok(label),
            (None, Some(place)) => Ok(place.clone()),
            (None, None) => Ok(Place::default()),
        }
    }
}
