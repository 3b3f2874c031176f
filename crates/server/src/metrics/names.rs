//! How operations are called in metrics and traces: by their names in the OpenAPI document, never by what
//! a stranger has sent.

use std::sync::LazyLock;

use axum::extract::{MatchedPath, Request};

use crate::api;
use crate::by_route::ByRoute;
use crate::entry::operations;
use crate::openapi;

/// What asks for nothing that there is.
const NONE: &str = "none";

/// The names of all operations.
pub(super) struct Names {
    places: ByRoute<usize>,
    /// The last is that of what asks for nothing that there is.
    names: Vec<String>,
}

/// They are the same for all servers of a process.
pub(super) static NAMES: LazyLock<Names> = LazyLock::new(Names::of_routes);

impl Names {
    fn of_routes() -> Self {
        let mut all = Self {
            places: ByRoute::new(),
            names: Vec::new(),
        };
        for (path, item) in &openapi::document().paths.paths {
            for (method, operation) in operations(item) {
                let tag = operation.tags.iter().flatten().next();
                let id = operation.operation_id.as_deref().unwrap_or_default();
                let name = format!("{}_{id}", tag.map_or("", String::as_str));
                all.add(method.as_str(), path, name);
            }
        }
        for route in api::routes() {
            if all.places.find(&route.method, &route.path).is_none() {
                let name = undocumented(&route.path).to_owned();
                all.add(&route.method, &route.path, name);
            }
        }
        all.names.push(NONE.to_owned());
        all
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.names.len()
    }

    /// The name at a place.
    pub(super) fn name(&self, place: usize) -> &str {
        self.names.get(place).map_or(NONE, String::as_str)
    }

    /// The place of what a request asks for, and the path of that as it is declared.
    pub(super) fn place(&self, request: &Request) -> usize {
        let path = request.extensions().get::<MatchedPath>();
        let find = |path: &MatchedPath| self.places.find(request.method().as_str(), path.as_str());
        path.and_then(find).copied().unwrap_or(self.names.len() - 1)
    }

    fn add(&mut self, method: &str, path: &str, name: String) {
        let known = self.names.iter().position(|one| *one == name);
        let place = known.unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.places.add(method.to_owned(), path.to_owned(), place);
    }
}

/// What is not in the document, since it is not of JSON.
fn undocumented(path: &str) -> &'static str {
    if path.contains("/.well-known/est") {
        return match path.rsplit('/').next() {
            Some("cacerts") => "est_cacerts",
            Some("csrattrs") => "est_csrattrs",
            Some("simpleenroll") => "est_simpleenroll",
            Some("simplereenroll") => "est_simplereenroll",
            Some("serverkeygen") => "est_serverkeygen",
            _ => "est_other",
        };
    }
    match path.split('/').nth(1) {
        Some("crl") => "status_crl",
        Some("ocsp") => "status_ocsp",
        Some("ca") => "status_ca",
        _ => "openapi",
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn no_two_documented_operations_have_one_name() {
        let mut of_name: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (path, item) in &openapi::document().paths.paths {
            for (method, _) in operations(item) {
                let place = *NAMES.places.find(method.as_str(), path).unwrap();
                let name = NAMES.name(place).to_owned();
                of_name
                    .entry(name)
                    .or_default()
                    .push(format!("{method} {path}"));
            }
        }
        of_name.retain(|_, routes| routes.len() > 1);
        assert_eq!(of_name, BTreeMap::new());
    }

    #[test]
    fn every_route_has_a_name_that_is_a_plain_word() {
        for route in api::routes() {
            let place = *NAMES.places.find(&route.method, &route.path).unwrap();
            let name = NAMES.name(place);
            let plain = |byte: u8| byte.is_ascii_lowercase() || byte == b'_';
            assert!(name.bytes().all(plain) && name != NONE, "{route:?}: {name}");
        }
    }
}
