//! The names in a URL.

use axum::extract::{FromRequestParts, RawPathParams};
use axum::http::request::Parts;
use enlist_ops::{DevicePath, GroupPath};

use crate::problem::Refusal;

/// The names in a URL, by what stands in braces in the route. What is not there is empty, and
/// no name.
pub(crate) struct Names {
    pub(crate) tenant: String,
    group: String,
    device: String,
    pub(crate) manufacturer: String,
    pub(crate) webhook: String,
    pub(crate) id: String,
    pub(crate) manifest: String,
}

impl Names {
    pub(crate) fn group(self) -> GroupPath {
        GroupPath {
            tenant: self.tenant,
            group: self.group,
        }
    }

    pub(crate) fn device(self) -> DevicePath {
        DevicePath {
            device: self.device,
            group: GroupPath {
                tenant: self.tenant,
                group: self.group,
            },
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Names {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let params = RawPathParams::from_request_parts(parts, state)
            .await
            .map_err(|_| Refusal::invalid_request("the path is not valid UTF-8"))?;
        let named = |wanted: &str| {
            let found = params.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        Ok(Self {
            tenant: named("tenant"),
            group: named("group"),
            device: named("device"),
            manufacturer: named("manufacturer"),
            webhook: named("webhook"),
            id: named("id"),
            manifest: named("manifest"),
        })
    }
}
