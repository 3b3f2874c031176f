//! Who may use a route: said where the route is declared, and held before its handler is reached.
//!
//! A route of the management API says it in its `security(("api_token" = […]))`: the role that it takes, or
//! `any`; then `installation` where it takes a token of the whole installation, or `group` where it shows a
//! token of one group its part of what is its tenant's. A route below a group is for that group's tokens,
//! too, unless it says `tenant`: it reaches into other groups. A route for everybody says `security(())`. One that says nothing serves nobody.

use std::sync::Arc;

use axum::Router;
use axum::extract::{MatchedPath, Request, State};
use axum::handler::Handler;
use axum::http::Method;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, any, on};
use enlist_core::Role;
use enlist_ops::{Error, Reach, admit};
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{OpenApi, SecurityRequirement};

use crate::app::{App, authenticate};
use crate::by_route::ByRoute;
use crate::problem::Refusal;

/// A route, and who may use it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The method; `ANY` for whichever.
    pub method: String,
    /// The path, with names in braces.
    pub path: String,
    /// Who may.
    pub entry: Entry,
}

/// Who may use a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Entry {
    /// Everybody, as far as API tokens go: it is public, or asks for proofs of its own.
    Everybody,
    /// Holders of an API token that reaches so far.
    Token {
        /// With a role that includes this one; `None` for any.
        role: Option<Role>,
        /// What it is about.
        reach: Reach,
    },
    /// Nobody: the route does not say.
    Undeclared,
}

impl Entry {
    fn declared(path: &str, operation: &Operation) -> Self {
        match operation.security.as_deref() {
            Some([one]) if *one == SecurityRequirement::default() => Self::Everybody,
            Some([one]) => scopes(one)
                .and_then(|scopes| Self::of_scopes(path, &scopes))
                .unwrap_or(Self::Undeclared),
            _ => Self::Undeclared,
        }
    }

    fn of_scopes(path: &str, scopes: &[String]) -> Option<Self> {
        let (role, rest) = scopes.split_first()?;
        let role = match role.as_str() {
            "any" => None,
            role => Some(role.parse().ok()?),
        };
        let reach = match rest {
            [] if path.contains("/groups/{group}") => Reach::Group,
            [] => Reach::Tenant,
            [one] if one == "installation" => Reach::Installation,
            [one] if one == "tenant" => Reach::Tenant,
            [one] if one == "group" => Reach::Group,
            _ => return None,
        };
        Some(Self::Token { role, reach })
    }
}

/// The words that a requirement of an API token holds.
fn scopes(requirement: &SecurityRequirement) -> Option<Vec<String>> {
    let mut value = serde_json::to_value(requirement).ok()?;
    serde_json::from_value(value.get_mut(crate::openapi::API_TOKEN)?.take()).ok()
}

/// What is declared in the document.
pub(crate) fn declared(document: &OpenApi) -> Vec<Route> {
    let mut routes = Vec::new();
    for (path, item) in &document.paths.paths {
        for (method, operation) in operations(item) {
            routes.push(Route {
                method: method.to_string(),
                path: path.clone(),
                entry: Entry::declared(path, operation),
            });
        }
    }
    routes
}

pub(crate) fn operations(item: &PathItem) -> impl Iterator<Item = (Method, &Operation)> {
    [
        (Method::GET, &item.get),
        (Method::PUT, &item.put),
        (Method::POST, &item.post),
        (Method::DELETE, &item.delete),
        (Method::OPTIONS, &item.options),
        (Method::HEAD, &item.head),
        (Method::PATCH, &item.patch),
        (Method::TRACE, &item.trace),
    ]
    .into_iter()
    .filter_map(|(method, operation)| Some((method, operation.as_ref()?)))
}

/// Lets nobody past but whom the routes say.
pub(crate) fn guarded(router: Router<App>, routes: Vec<Route>, app: &App) -> Router<App> {
    let mut entries = ByRoute::new();
    for Route {
        method,
        path,
        entry,
    } in routes
    {
        entries.add(method, path, entry);
    }
    let door = Door {
        app: app.clone(),
        entries: Arc::new(entries),
    };
    router.layer(from_fn_with_state(door, enter))
}

#[derive(Clone)]
struct Door {
    app: App,
    entries: Arc<ByRoute<Entry>>,
}

async fn enter(State(door): State<Door>, mut request: Request, next: Next) -> Response {
    match door.admit(&mut request).await {
        Ok(()) => next.run(request).await,
        Err(refusal) => refusal.into_response(),
    }
}

impl Door {
    async fn admit(&self, request: &mut Request) -> Result<(), Refusal> {
        let Some(path) = request.extensions().get::<MatchedPath>() else {
            return Ok(());
        };
        let found = self.entries.find(request.method().as_str(), path.as_str());
        match found.copied() {
            // No route: the answer says so. A handler behind it would find no operator.
            None | Some(Entry::Everybody) => Ok(()),
            Some(Entry::Undeclared) => {
                Err(Error::Inconsistent("a route that does not say who may use it").into())
            }
            Some(Entry::Token { role, reach }) => {
                let who = authenticate(&self.app.ops, request.headers()).await?;
                admit(&who, role, reach)?;
                request.extensions_mut().insert(who);
                Ok(())
            }
        }
    }
}

/// Routes for everybody that the OpenAPI document does not tell of, since they are not of JSON.
pub(crate) struct OpenRoutes {
    router: Router<App>,
    routes: Vec<Route>,
}

impl OpenRoutes {
    pub(crate) fn new() -> Self {
        Self {
            router: Router::new(),
            routes: Vec::new(),
        }
    }

    pub(crate) fn get<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add("GET", path, on(MethodFilter::GET, handler))
    }

    pub(crate) fn post<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add("POST", path, on(MethodFilter::POST, handler))
    }

    /// Whatever the method.
    pub(crate) fn any<H, T>(self, path: &str, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        self.add("ANY", path, any(handler))
    }

    #[expect(clippy::disallowed_methods, reason = "here it is put on the list")]
    fn add(mut self, method: &str, path: &str, to: MethodRouter<App>) -> Self {
        self.routes.push(Route {
            method: method.to_owned(),
            path: path.to_owned(),
            entry: Entry::Everybody,
        });
        Self {
            router: self.router.route(path, to),
            routes: self.routes,
        }
    }

    /// What it takes to serve them.
    pub(crate) fn into_router(self) -> Router<App> {
        self.router
    }

    /// What they are.
    pub(crate) fn into_routes(self) -> Vec<Route> {
        self.routes
    }
}
