//! What is said of each route, found by a request's path and method.

use std::collections::HashMap;

/// Things by the path of a route as it is declared, and by its method.
pub(crate) struct ByRoute<T>(HashMap<String, Vec<(String, T)>>);

impl<T> ByRoute<T> {
    /// Nothing of any route.
    pub(crate) fn new() -> Self {
        Self(HashMap::new())
    }

    /// Says something of a route; its method is `ANY` for whichever.
    pub(crate) fn add(&mut self, method: String, path: String, what: T) {
        self.0.entry(path).or_default().push((method, what));
    }

    /// What is said of the route that a request comes to.
    pub(crate) fn find(&self, method: &str, path: &str) -> Option<&T> {
        // What answers GET answers HEAD, too.
        let method = if method == "HEAD" { "GET" } else { method };
        let methods = self.0.get(path)?;
        let of = |wanted: &str| methods.iter().find(|(one, _)| one == wanted);
        of(method).or_else(|| of("ANY")).map(|(_, what)| what)
    }
}
