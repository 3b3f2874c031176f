//! Which group a path or a user name means.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use enlist_core::Name;
use enlist_ops::{Error, What};

use super::refusal::EstRefusal;

/// A tenant and a group of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) tenant: String,
    pub(super) group: String,
}

impl Place {
    /// Reads `GROUP`, which is one of tenant `default`, or `TENANT.GROUP`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (tenant, group) = text.split_once('.').unwrap_or(("default", text));
        let is_name = |text: &str| text.parse::<Name>().is_ok();
        (is_name(tenant) && is_name(group)).then(|| Self {
            tenant: tenant.to_owned(),
            group: group.to_owned(),
        })
    }
}

impl Default for Place {
    fn default() -> Self {
        Self {
            tenant: "default".to_owned(),
            group: "default".to_owned(),
        }
    }
}

/// The label in the path, where there is one.
pub(super) struct Label(pub(super) Option<Place>);

impl<S: Send + Sync> FromRequestParts<S> for Label {
    type Rejection = EstRefusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, EstRefusal> {
        let Some(label) = label(parts.uri.path()) else {
            return Ok(Self(None));
        };
        match Place::parse(label) {
            Some(place) => Ok(Self(Some(place))),
            None => Err(Error::NotFound {
                what: What::Group,
                name: label.chars().take(80).collect(),
            }
            .into()),
        }
    }
}

/// What stands between `/.well-known/est/` and the operation, or else in front of that.
fn label(path: &str) -> Option<&str> {
    let (before, after) = path.split_once("/.well-known/est/")?;
    match after.split_once('/') {
        Some((label, _)) => Some(label),
        None => before.strip_prefix('/'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_stands_behind_or_in_front() {
        assert_eq!(label("/.well-known/est/cacerts"), None);
        assert_eq!(label("/.well-known/est/pumps/cacerts"), Some("pumps"));
        assert_eq!(label("/pumps/.well-known/est/cacerts"), Some("pumps"));
    }

    #[test]
    fn a_label_is_a_group_or_a_tenant_and_a_group() {
        let place = |tenant: &str, group: &str| {
            Some(Place {
                tenant: tenant.to_owned(),
                group: group.to_owned(),
            })
        };
        assert_eq!(Place::parse("pumps"), place("default", "pumps"));
        assert_eq!(Place::parse("acme.pumps"), place("acme", "pumps"));
        for wrong in [
            "", ".", "acme.", ".pumps", "a.b.c", "Pumps", "pumps%2F", "a b",
        ] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
    }
}
