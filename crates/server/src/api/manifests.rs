use axum::Json;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use enlist_core::{HardwareIdentity, HardwareKind, Name};
use enlist_ops::Error;
use enlist_wire as wire;
use futures_util::StreamExt as _;
use wire::{ManifestFormat, ManifestReader};

use super::body::{Query, has_type, is_json};
use super::devices::limit;
use super::path::Names;
use super::rows::{self, Cut, NDJSON, Wanted, refused_row};
use crate::app::{App, Who};
use crate::problem::Refusal;
use crate::view;

const CSV: &str = "text/csv";

/// The manifests of a tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/manifests", tag = "manifests", security(("api_token" = ["viewer"])), params(("tenant" = String, Path)), responses((status = 200, body = wire::Page<wire::Manifest>)))]
pub(crate) async fn list(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Page<wire::Manifest>>, Refusal> {
    let manifests = ops.manifests(&who, names.tenant).await?;
    let items = manifests.iter().map(view::manifest).collect();
    Ok(Json(wire::Page::whole(items)))
}

/// One manifest.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/manifests/{manifest}", tag = "manifests", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("manifest" = String, Path)), responses((status = 200, body = wire::Manifest)))]
pub(crate) async fn one(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<Json<wire::Manifest>, Refusal> {
    let manifest = ops.manifest(&who, names.tenant, names.manifest).await?;
    Ok(Json(view::manifest(&manifest)))
}

/// Deletes a manifest that neither a group nor a provisioning secret that is good names. Whom it has let
/// in stays in.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/manifests/{manifest}", tag = "manifests", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("manifest" = String, Path)), responses((status = 204)))]
pub(crate) async fn delete(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
) -> Result<StatusCode, Refusal> {
    ops.delete_manifest(&who, names.tenant, names.manifest)
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The entries of a manifest.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/manifests/{manifest}/entries", tag = "manifests", security(("api_token" = ["viewer"])), params(("tenant" = String, Path), ("manifest" = String, Path), wire::ManifestEntriesQuery), responses((status = 200, body = wire::Page<wire::ManifestEntry>)))]
pub(crate) async fn entries(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::ManifestEntriesQuery>,
) -> Result<Json<wire::Page<wire::ManifestEntry>>, Refusal> {
    let most = limit(query.limit)?;
    let (tenant, manifest) = (names.tenant, names.manifest);
    let page = ops
        .manifest_entries(&who, tenant, manifest, query.unused, query.after, most)
        .await?;
    Ok(Json(wire::Page {
        items: page.items.iter().map(view::manifest_entry).collect(),
        next: page.next,
    }))
}

/// Adds a file to a manifest, which is made where there is none: CSV with a header that names the columns
/// (`serial`, `mac`, `tpm-ek`, … with one identity a row, or `kind` and `value`), or JSON, one array or a
/// value a line (`"kind:value"`, `{"kind": …, "value": …}` or `{"serial": …}`). The reply is one row an
/// entry and a last line with the counts, as they are recorded. A row that makes no sense is refused with
/// its reason, and the rest goes in; what is there already is left as it is.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/manifests/{manifest}/entries", tag = "manifests", security(("api_token" = ["operator"])), params(("tenant" = String, Path), ("manifest" = String, Path), wire::ManifestImportQuery), request_body(content((String = "text/csv"), (Vec<String> = "application/json"), (String = "application/x-ndjson"))), responses((status = 200, body = wire::BulkRow, content_type = "application/x-ndjson")))]
pub(crate) async fn import(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    Query(query): Query<wire::ManifestImportQuery>,
    request: Request,
) -> Result<Response, Refusal> {
    let headers = request.headers();
    let format = if has_type(headers, CSV) {
        ManifestFormat::Csv
    } else if is_json(headers) || has_type(headers, NDJSON) {
        ManifestFormat::Json
    } else {
        let expected = "text/csv, application/json or application/x-ndjson";
        return Err(Refusal::unsupported_type(expected));
    };
    let kinds = match query.kind.as_deref().map(str::parse::<HardwareKind>) {
        Some(kind) => vec![kind.map_err(Error::NotAnIdentity)?.as_str()],
        None => HardwareKind::ALL.map(HardwareKind::as_str).to_vec(),
    };
    let name: Name = names.manifest.parse().map_err(Error::InvalidName)?;
    let tenant = names.tenant;
    ops.may_add_manifest(&who, tenant.clone()).await?;
    let file = File {
        reader: ManifestReader::new(format, &kinds),
        rows: Vec::new(),
    };
    // A file that holds nothing leaves nothing.
    let mut unopened = Some((ops.clone(), who.clone(), tenant.clone(), name.clone()));
    let wanted = rows::chunks(request.into_body(), file).then(move |chunk| {
        let holds = matches!(&chunk, Ok(rows) if rows.iter().any(Result::is_ok));
        let unopened = if holds { unopened.take() } else { None };
        async move {
            if let Some((ops, who, tenant, name)) = unopened {
                ops.open_manifest(&who, tenant, name).await?;
            }
            chunk
        }
    });
    Ok(rows::answer(wanted.boxed(), move |entries: Vec<Entry>| {
        let (ops, who, tenant, name) = (ops.clone(), who.clone(), tenant.clone(), name.clone());
        async move {
            let identities = entries.iter().map(|entry| entry.identity.clone()).collect();
            let new = ops
                .add_manifest_entries(&who, tenant, name, identities)
                .await?;
            Ok(entries.iter().zip(new).map(row).collect())
        }
    }))
}

/// One row of the file.
struct Entry {
    row: u64,
    identity: HardwareIdentity,
}

/// Takes the file apart.
struct File {
    reader: ManifestReader,
    rows: Vec<wire::ManifestRow>,
}

impl Cut<Entry> for File {
    fn feed(&mut self, bytes: &[u8], wanted: &mut Vec<Wanted<Entry>>) -> Result<(), Refusal> {
        let done = self.reader.feed(bytes, &mut self.rows);
        wanted.extend(self.rows.drain(..).map(entry));
        done.map_err(|error| Refusal::invalid_request(error.to_string()))
    }

    fn finish(&mut self, wanted: &mut Vec<Wanted<Entry>>) -> Result<(), Refusal> {
        let done = self.reader.finish(&mut self.rows);
        wanted.extend(self.rows.drain(..).map(entry));
        done.map_err(|error| Refusal::invalid_request(error.to_string()))
    }
}

fn entry(found: wire::ManifestRow) -> Wanted<Entry> {
    let row = found.row;
    let refused = |name: String, refusal: Refusal| {
        Box::new(wire::BulkRow {
            row: Some(row),
            ..refused_row(name.chars().take(80).collect(), refusal)
        })
    };
    let (kind, value) = found
        .identity
        .map_err(|why| refused(String::new(), Refusal::invalid_request(why)))?;
    let identity = kind
        .parse()
        .and_then(|kind| HardwareIdentity::new(kind, &value));
    match identity {
        Ok(identity) => match identity.flaw() {
            None => Ok(Entry { row, identity }),
            Some(flaw) => Err(refused(
                identity.to_string(),
                Refusal::invalid_request(flaw),
            )),
        },
        Err(error) => {
            let name = format!("{kind}:{value}");
            Err(refused(name, Error::NotAnIdentity(error).into()))
        }
    }
}

fn row((entry, new): (&Entry, bool)) -> wire::BulkRow {
    wire::BulkRow {
        row: Some(entry.row),
        name: entry.identity.to_string(),
        result: match new {
            true => wire::BulkResult::Created,
            false => wire::BulkResult::Existing,
        },
        device_id: None,
        problem: None,
    }
}
