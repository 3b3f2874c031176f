//! The endpoints: one file a noun.

mod attestation;
mod audit;
mod body;
mod bulk;
mod cas;
mod certificates;
mod configuration;
mod device_end;
mod device_enroll;
mod device_poll;
mod device_renew;
mod device_self;
mod devices;
mod events;
mod groups;
mod health;
mod hooks;
mod lifecycle;
mod manifests;
mod manufacturers;
mod orders;
mod path;
mod pre_enroll;
mod roots;
mod rows;
mod secrets;
mod tenants;
mod time;
mod tokens;
mod webhooks;
mod whoami;

pub(crate) use body::{has_type, too_large_or_cut};

use std::time::Duration;

use axum::extract::{DefaultBodyLimit, Request};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::app::App;
use crate::entry::{self, OpenRoutes, Route};
use crate::est;
use crate::openapi;
use crate::problem::Refusal;
use crate::ready::Readiness;
use crate::status;
use crate::unread::read_to_the_end;

/// The longest a request may take, but for those that stream.
pub(crate) const A_REQUEST: Duration = Duration::from_secs(30);

/// Every endpoint, with its OpenAPI document. To be served it takes what `/readyz` knows.
pub(crate) fn endpoints(ready: Option<Readiness>) -> OpenApiRouter<App> {
    OpenApiRouter::with_openapi(openapi::preamble())
        .merge(readiness(ready))
        .merge(device_api())
        .merge(management_api())
        // Within, so that its own bound on bodies is the one that counts.
        .merge(configuration_api().layer(DefaultBodyLimit::max(body::LARGE)))
        .merge(manufacturer_api().layer(DefaultBodyLimit::max(body::LARGE)))
        .merge(receipt_api().layer(DefaultBodyLimit::max(body::LARGE)))
        .layer(from_fn(bound_in_time))
        .layer(DefaultBodyLimit::max(body::LIMIT))
        // Added after the layer that ends long requests: a million rows take their time.
        .routes(routes!(bulk::add_devices))
        .routes(routes!(manifests::import))
        .routes(routes!(audit::export))
        // It ends when there is something to tell, or by a bound of its own.
        .routes(routes!(device_poll::wait))
}

fn device_api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(device_enroll::enroll))
        .routes(routes!(attestation::challenge))
        .routes(routes!(device_renew::nonce))
        .routes(routes!(device_renew::renew))
        .routes(routes!(device_self::device_self))
        .routes(routes!(device_poll::poll))
        .routes(routes!(device_end::token))
        .routes(routes!(device_end::farewell))
        .routes(routes!(time::time))
}

/// Of a device that had much to erase, a receipt is long.
fn receipt_api() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(device_end::receipt))
}

fn management_api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(health::alive))
        .routes(routes!(health::root))
        .routes(routes!(whoami::whoami))
        .routes(routes!(tenants::list, tenants::add))
        .routes(routes!(tenants::issuing_ca))
        .routes(routes!(cas::list, cas::add))
        .routes(routes!(cas::retire))
        .routes(routes!(cas::renew))
        .routes(routes!(cas::import))
        .routes(routes!(cas::requests))
        .routes(routes!(roots::list, roots::add))
        .routes(routes!(roots::retire))
        .routes(routes!(roots::export))
        .routes(routes!(roots::take_offline))
        .routes(routes!(roots::rollover))
        .routes(routes!(roots::approve))
        .routes(routes!(groups::list, groups::add))
        .routes(routes!(groups::one, groups::change, groups::delete))
        .routes(routes!(hooks::list))
        .routes(routes!(hooks::add, hooks::delete))
        .routes(routes!(hooks::refresh))
        .routes(routes!(hooks::test))
        .routes(routes!(manifests::list))
        .routes(routes!(manifests::one, manifests::delete))
        .routes(routes!(manifests::entries))
        .routes(routes!(secrets::list, secrets::add))
        .routes(routes!(secrets::rotate))
        .routes(routes!(secrets::withdraw))
        .routes(routes!(devices::list, devices::add))
        .routes(routes!(devices::one, devices::delete))
        .routes(routes!(pre_enroll::pre_enroll))
        .routes(routes!(lifecycle::suspend))
        .routes(routes!(lifecycle::resume))
        .routes(routes!(lifecycle::deprovision))
        .routes(routes!(lifecycle::decommission))
        .routes(routes!(lifecycle::allow_reenroll))
        .routes(routes!(lifecycle::approve))
        .routes(routes!(lifecycle::reject))
        .routes(routes!(orders::list, orders::give))
        .routes(routes!(orders::draft))
        .routes(routes!(orders::receipts))
        .routes(routes!(certificates::list))
        .routes(routes!(events::list))
        .routes(routes!(audit::key))
        .routes(routes!(webhooks::list, webhooks::add))
        .routes(routes!(webhooks::delete))
        .routes(routes!(webhooks::refresh))
        .routes(routes!(webhooks::test))
        .routes(routes!(webhooks::dead_letters))
        .routes(routes!(webhooks::retry_dead_letters))
        .routes(routes!(tokens::list, tokens::add))
        .routes(routes!(tokens::withdraw))
        .routes(routes!(tokens::list_installation, tokens::add_installation))
        .routes(routes!(tokens::withdraw_installation))
}

fn readiness(ready: Option<Readiness>) -> OpenApiRouter<App> {
    let router = OpenApiRouter::new().routes(routes!(health::ready));
    match ready {
        Some(ready) => router.layer(Extension(ready)),
        None => router,
    }
}

/// CAs come by the dozen.
fn manufacturer_api() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(manufacturers::list, manufacturers::import))
        .routes(routes!(manufacturers::one, manufacturers::delete))
}

fn configuration_api() -> OpenApiRouter<App> {
    use configuration as of;
    OpenApiRouter::new()
        .routes(routes!(of::signing))
        .routes(routes!(of::schema, of::apply_schema))
        .routes(routes!(of::schema_history))
        .routes(routes!(of::rollback_schema))
        .routes(routes!(of::group, of::apply_group))
        .routes(routes!(of::group_history))
        .routes(routes!(of::rollback_group))
        .routes(routes!(of::device, of::apply_device))
        .routes(routes!(of::device_history))
        .routes(routes!(of::rollback_device))
}

/// All of it, ready to serve.
pub(crate) fn router(app: App, ready: Readiness) -> Router {
    let (router, document) = endpoints(Some(ready)).split_for_parts();
    let document = openapi::complete(document);
    entry::guarded(router, entry::declared(&document), &app)
        .merge(own_description(document).into_router())
        .merge(est::endpoints())
        .merge(status::endpoints())
        .fallback(async || Refusal::no_such_path())
        .method_not_allowed_fallback(async || Refusal::no_such_method())
        .layer(from_fn(read_to_the_end))
        .with_state(app)
}

fn own_description(document: OpenApi) -> OpenRoutes {
    OpenRoutes::new().get("/v1/openapi.json", move || async move { Json(document) })
}

/// Every route there is, with who may use it.
pub fn routes() -> Vec<Route> {
    let document = openapi::document();
    let mut routes = entry::declared(&document);
    routes.extend(own_description(document).into_routes());
    routes.extend(est::routes().into_routes());
    routes.extend(status::routes().into_routes());
    routes
}

/// A body that never ends must not hold its place for ever.
pub(crate) async fn bound_in_time(request: Request, next: Next) -> Response {
    match tokio::time::timeout(A_REQUEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Refusal::too_slow(A_REQUEST.as_secs()).into_response(),
    }
}
