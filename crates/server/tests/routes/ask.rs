//! A request, and how it is put.

use enlist_server::{Entry, Route};
use enlist_testkit::{RawAnswer, Rig};
use serde::Serialize;

/// The right request to a route.
pub struct Ask {
    pub path: String,
    content_type: Option<&'static str>,
    body: Vec<u8>,
}

impl Ask {
    /// Without a body.
    pub fn bare(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            content_type: None,
            body: Vec::new(),
        }
    }

    pub fn json(path: impl Into<String>, body: &impl Serialize) -> Self {
        let body = serde_json::to_vec(body).unwrap();
        Self::typed(path, "application/json", body)
    }

    pub fn typed(path: impl Into<String>, content_type: &'static str, body: Vec<u8>) -> Self {
        Self {
            path: path.into(),
            content_type: Some(content_type),
            body,
        }
    }

    /// Sends it as somebody with this API token, or none.
    pub fn send(&self, rig: &Rig, method: &str, token: Option<&str>) -> RawAnswer {
        let bearer = token.map(|token| format!("Bearer {token}"));
        let mut headers = Vec::new();
        if let Some(content_type) = self.content_type {
            headers.push(("content-type", content_type));
        }
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer.as_str()));
        }
        rig.raw(method, &self.path, &headers, &self.body)
    }
}

/// The routes that take an API token, with what they ask of it.
pub fn guarded() -> Vec<Route> {
    let mut routes = enlist_server::routes();
    routes.retain(|route| route.entry != Entry::Everybody);
    routes
}

/// A route's path with names in place of what stands in braces.
pub fn filled(path: &str) -> String {
    path.replace("{tenant}", "default")
        .replace("{group}", "pumps")
        .replace("{device}", "pump-1")
        .replace("{id}", "00000000-0000-7000-8000-000000000000")
        .replace(['{', '}'], "")
}

/// What a message calls a route.
pub fn named(route: &Route) -> String {
    format!("{} {}", route.method, route.path)
}
