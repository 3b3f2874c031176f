//! Many devices in one call.

use axum::extract::{Request, State};
use axum::response::Response;
use enlist_ops::{AddDevice, BulkOutcome, BulkRow, Error};
use enlist_wire as wire;
use futures_util::{StreamExt, stream};

use super::body::{has_type, is_json, read};
use super::path::Names;
use super::rows::{self, CHUNK, Cut, NDJSON, refused_row};
use super::{body, devices};
use crate::app::{App, Who};
use crate::problem::Refusal;

/// Creates devices: named by prefix and number (JSON), or one a line (NDJSON: a name, or a
/// device). The reply is one row a device and a last line with the counts, as they are recorded.
/// What is there already is left as it is, so that the same call again finishes what was
/// interrupted.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/bulk", tag = "devices", security(("api_token" = ["factory"])), params(("tenant" = String, Path), ("group" = String, Path)), request_body(content((wire::BulkRange = "application/json"), (wire::BulkLine = "application/x-ndjson"))), responses((status = 200, body = wire::BulkRow, content_type = "application/x-ndjson")))]
pub(crate) async fn add_devices(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    request: Request,
) -> Result<Response, Refusal> {
    let path = names.group();
    ops.may_add_devices(&who, path.clone()).await?;
    let wanted = if is_json(request.headers()) {
        let range = range(request).await?;
        stream::iter(numbered(&range)).chunks(CHUNK).map(Ok).boxed()
    } else if has_type(request.headers(), NDJSON) {
        rows::chunks(request.into_body(), Lines::default())
    } else {
        let expected = "application/json (a range) or application/x-ndjson (one a line)";
        return Err(Refusal::unsupported_type(expected));
    };
    Ok(rows::answer(wanted, move |add| {
        let (ops, who, path) = (ops.clone(), who.clone(), path.clone());
        async move {
            let done = ops.add_devices(&who, path, add).await?;
            Ok(done.into_iter().map(row).collect())
        }
    }))
}

async fn range(request: Request) -> Result<wire::BulkRange, Refusal> {
    let bytes = axum::body::to_bytes(request.into_body(), body::LIMIT)
        .await
        .map_err(|_| Refusal::too_large(body::LIMIT))?;
    let range: wire::BulkRange = read(&bytes)?;
    if range.start.checked_add(range.count).is_none() {
        return Err(Refusal::invalid_request(
            "body: start and count go past the largest number",
        ));
    }
    // The first and the last name: what holds for them holds for all between.
    for number in [range.start, (range.start + range.count).saturating_sub(1)] {
        format!("{}{number}", range.prefix)
            .parse::<enlist_core::Name>()
            .map_err(Error::InvalidName)?;
    }
    Ok(range)
}

type Wanted = rows::Wanted<AddDevice>;

fn numbered(range: &wire::BulkRange) -> impl Iterator<Item = Wanted> + Send + use<> {
    let prefix = range.prefix.clone();
    (range.start..range.start + range.count).map(move |number| name(format!("{prefix}{number}")))
}

fn name(name: String) -> Wanted {
    let parsed = name
        .parse()
        .map_err(|error| Box::new(refused_row(name, Error::InvalidName(error).into())))?;
    Ok(AddDevice {
        name: parsed,
        labels: enlist_core::Labels::new(),
        hardware: None,
    })
}

/// Takes a body apart line by line. A line over the limit ends it.
#[derive(Default)]
struct Lines {
    /// The line whose end has not come yet.
    rest: Vec<u8>,
}

impl Cut<AddDevice> for Lines {
    fn feed(&mut self, bytes: &[u8], wanted: &mut Vec<Wanted>) -> Result<(), Refusal> {
        let mut pieces = bytes.split(|byte| *byte == b'\n');
        self.rest
            .extend_from_slice(pieces.next().unwrap_or_default());
        for piece in pieces {
            wanted.extend(line(&self.rest));
            self.rest.clear();
            self.rest.extend_from_slice(piece);
        }
        if self.rest.len() > body::LIMIT {
            return Err(Refusal::too_large(body::LIMIT));
        }
        Ok(())
    }

    fn finish(&mut self, wanted: &mut Vec<Wanted>) -> Result<(), Refusal> {
        wanted.extend(line(&self.rest));
        Ok(())
    }
}

fn line(bytes: &[u8]) -> Option<Wanted> {
    let bytes = bytes.trim_ascii();
    if bytes.is_empty() {
        return None;
    }
    Some(match read(bytes) {
        Ok(wire::BulkLine::Name(text)) => name(text),
        Ok(wire::BulkLine::Device(new)) => {
            devices::asked(&new).map_err(|error| Box::new(refused_row(new.name, error.into())))
        }
        Err(refusal) => Err(Box::new(refused_row(
            String::from_utf8_lossy(bytes).chars().take(80).collect(),
            refusal,
        ))),
    })
}

fn row(row: BulkRow) -> wire::BulkRow {
    let name = row.name.to_string();
    match row.outcome {
        BulkOutcome::Created(id) => wire::BulkRow {
            row: None,
            name,
            result: wire::BulkResult::Created,
            device_id: Some(wire::Uuid::from_bytes(*id.as_bytes())),
            problem: None,
        },
        BulkOutcome::Existing => wire::BulkRow {
            row: None,
            name,
            result: wire::BulkResult::Existing,
            device_id: None,
            problem: None,
        },
        BulkOutcome::Refused(error) => refused_row(name, error.into()),
    }
}
