//! Revocation lists.

use std::time::{Duration, UNIX_EPOCH};

use axum::Extension;
use axum::extract::{Path, State};
use axum::http::header::{CONTENT_TYPE, ETAG, IF_NONE_MATCH, LAST_MODIFIED};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use enlist_core::Timestamp;
use enlist_ops::CrlServed;

use super::sending::{Sending, Which};
use super::{BRIEFLY, ca};
use crate::app::App;
use crate::problem::Refusal;

/// `GET /crl/{ca}.crl`
pub(super) async fn whole(
    State(app): State<App>,
    Extension(sending): Extension<Sending>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let id = named(&file)
        .and_then(|name| ca(&app, name))
        .ok_or_else(Refusal::no_such_path)?;
    list(&app, &sending, (id, None), &headers).await
}

/// `GET /crl/{ca}/{of}/{index}.crl`
pub(super) async fn part(
    State(app): State<App>,
    Extension(sending): Extension<Sending>,
    Path((name, of, file)): Path<(String, String, String)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let part = || Some((of.parse().ok()?, named(&file)?.parse().ok()?));
    let (Some(id), Some(part)) = (ca(&app, &name), part()) else {
        return Err(Refusal::no_such_path());
    };
    list(&app, &sending, (id, Some(part)), &headers).await
}

fn named(file: &str) -> Option<&str> {
    file.strip_suffix(".crl")
}

async fn list(
    app: &App,
    sending: &Sending,
    which: Which,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let list = app.ops.crl(which.0, which.1).await?;
    let tag = format!("\"{}\"", list.tag());
    let known = headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(|value| value.trim().trim_start_matches("W/"))
        .any(|value| value == tag || value == "*");
    let mut response = if known {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let mut response = sending.body(which, list.clone()).into_response();
        response.headers_mut().insert(CONTENT_TYPE, CRL);
        response
    };
    let told = response.headers_mut();
    told.insert(BRIEFLY.0, BRIEFLY.1);
    told.insert(LAST_MODIFIED, date(&list));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        told.insert(ETAG, tag);
    }
    Ok(response)
}

const CRL: HeaderValue = HeaderValue::from_static("application/pkix-crl");

fn date(list: &CrlServed) -> HeaderValue {
    let secs = |at: Timestamp| u64::try_from(at.as_secs()).unwrap_or(0);
    let at = UNIX_EPOCH + Duration::from_secs(secs(list.this_update()));
    // A date is ASCII.
    HeaderValue::from_str(&httpdate::fmt_http_date(at)).unwrap_or(HeaderValue::from_static(""))
}
