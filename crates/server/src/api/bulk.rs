//! Many devices in one call: lines in, rows out, in constant memory.

use axum::body::Body as Stream;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use enlist_core::Operator;
use enlist_ops::{AddDevice, BulkOutcome, BulkRow, Error, GroupPath, Ops};
use enlist_wire as wire;
use futures_util::{Stream as Items, StreamExt, stream};

use super::body::{has_type, is_json, read};
use super::path::Names;
use super::{body, devices};
use crate::app::{App, Who};
use crate::problem::Refusal;

/// Devices that are recorded in one step.
const CHUNK: usize = 2_000;
/// Steps that are under way at one time.
const UNDER_WAY: usize = 2;
const NDJSON: &str = "application/x-ndjson";

/// Creates devices: named by prefix and number (JSON), or one a line (NDJSON: a name, or a
/// device). The reply is one row a device and a last line with the counts, as they are recorded.
/// What is there already is left as it is, so that the same call again finishes what was
/// interrupted.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/devices/bulk", tag = "devices", params(("tenant" = String, Path), ("group" = String, Path)), request_body(content((wire::BulkRange = "application/json"), (wire::BulkLine = "application/x-ndjson"))), responses((status = 200, body = wire::BulkRow, content_type = "application/x-ndjson")))]
pub(crate) async fn add_devices(
    State(App { ops }): State<App>,
    Who(who): Who,
    names: Names,
    request: Request,
) -> Result<Response, Refusal> {
    let path = names.group();
    ops.may_add_devices(&who, path.clone()).await?;
    let rows = if is_json(request.headers()) {
        let range = range(request).await?;
        let wanted = stream::iter(numbered(&range)).chunks(CHUNK).map(Ok).boxed();
        rows(ops, who, path, wanted)
    } else if has_type(request.headers(), NDJSON) {
        let wanted = lines(request.into_body()).boxed();
        rows(ops, who, path, wanted)
    } else {
        let expected = "application/json (a range) or application/x-ndjson (one a line)";
        return Err(Refusal::unsupported_type(expected));
    };
    let body = Stream::from_stream(rows.map(Ok::<_, std::convert::Infallible>));
    Ok(([(CONTENT_TYPE, NDJSON)], body).into_response())
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

/// One device that is wanted, or why it can't be.
type Wanted = Result<AddDevice, (String, Refusal)>;

fn numbered(range: &wire::BulkRange) -> impl Iterator<Item = Wanted> + Send + use<> {
    let prefix = range.prefix.clone();
    (range.start..range.start + range.count).map(move |number| name(format!("{prefix}{number}")))
}

fn name(name: String) -> Wanted {
    let parsed = name
        .parse()
        .map_err(|error| (name, Error::InvalidName(error).into()))?;
    Ok(AddDevice {
        name: parsed,
        labels: enlist_core::Labels::new(),
        hardware: None,
    })
}

/// Cuts a body into chunks of lines. A line over the limit ends it.
fn lines(body: Stream) -> impl Items<Item = Result<Vec<Wanted>, Refusal>> {
    let state = (body.into_data_stream(), Vec::new(), false);
    stream::unfold(state, |(mut input, mut rest, ended)| async move {
        if ended {
            return None;
        }
        let mut wanted = Vec::new();
        loop {
            match input.next().await {
                Some(Ok(bytes)) => {
                    take_lines(&mut rest, &bytes, &mut wanted);
                    if rest.len() > body::LIMIT {
                        let refusal = Refusal::too_large(body::LIMIT);
                        return Some((Err(refusal), (input, rest, true)));
                    }
                    if wanted.len() >= CHUNK {
                        return Some((Ok(wanted), (input, rest, false)));
                    }
                }
                Some(Err(_)) => {
                    let refusal = Refusal::invalid_request("the body ended before it was whole");
                    return Some((Err(refusal), (input, rest, true)));
                }
                None => {
                    wanted.extend(line(&rest));
                    return Some((Ok(wanted), (input, Vec::new(), true)));
                }
            }
        }
    })
}

/// Moves the whole lines of what was read so far to `wanted`; `rest` keeps what follows.
fn take_lines(rest: &mut Vec<u8>, bytes: &Bytes, wanted: &mut Vec<Wanted>) {
    let mut pieces = bytes.split(|byte| *byte == b'\n');
    rest.extend_from_slice(pieces.next().unwrap_or_default());
    for piece in pieces {
        wanted.extend(line(rest));
        rest.clear();
        rest.extend_from_slice(piece);
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
            devices::asked(&new).map_err(|error| (new.name, error.into()))
        }
        Err(refusal) => Err((
            String::from_utf8_lossy(bytes).chars().take(80).collect(),
            refusal,
        )),
    })
}

#[derive(Default)]
struct Counts {
    created: u64,
    existing: u64,
    refused: u64,
}

/// The reply: a row for each that is wanted, in order, and the counts once all are recorded.
fn rows(
    ops: Ops,
    who: Operator,
    path: GroupPath,
    wanted: stream::BoxStream<'static, Result<Vec<Wanted>, Refusal>>,
) -> impl Items<Item = Bytes> + use<> {
    let recorded = wanted
        .map(move |chunk| {
            let (ops, who, path) = (ops.clone(), who.clone(), path.clone());
            async move { record(&ops, &who, path, chunk?).await }
        })
        .buffered(UNDER_WAY);
    let state = (Box::pin(recorded), Counts::default(), false);
    stream::unfold(state, |(mut recorded, mut counts, ended)| async move {
        if ended {
            return None;
        }
        Some(match recorded.next().await {
            Some(Ok(rows)) => {
                let text = written(&rows, &mut counts);
                (text, (recorded, counts, false))
            }
            // Without the last line the reply is not complete; this one says why.
            Some(Err(refusal)) => {
                let problem = json_line(&refusal.into_problem());
                (problem.into(), (recorded, counts, true))
            }
            None => {
                let end = wire::BulkEnd {
                    done: true,
                    created: counts.created,
                    existing: counts.existing,
                    refused: counts.refused,
                };
                (json_line(&end).into(), (recorded, counts, true))
            }
        })
    })
}

async fn record(
    ops: &Ops,
    who: &Operator,
    path: GroupPath,
    wanted: Vec<Wanted>,
) -> Result<Vec<wire::BulkRow>, Refusal> {
    let mut add = Vec::with_capacity(wanted.len());
    let mut refused = Vec::new();
    for (at, one) in wanted.into_iter().enumerate() {
        match one {
            Ok(one) => add.push(one),
            Err((name, refusal)) => refused.push((at, refused_row(name, refusal))),
        }
    }
    let mut rows: Vec<_> = if add.is_empty() {
        Vec::new()
    } else {
        let done = ops.add_devices(who, path, add).await?;
        done.into_iter().map(row).collect()
    };
    // In the order in which they were asked for: each index is right once those before it are in.
    for (at, row) in refused {
        rows.insert(at.min(rows.len()), row);
    }
    Ok(rows)
}

fn row(row: BulkRow) -> wire::BulkRow {
    let name = row.name.to_string();
    match row.outcome {
        BulkOutcome::Created(id) => wire::BulkRow {
            name,
            result: wire::BulkResult::Created,
            device_id: Some(wire::Uuid::from_bytes(*id.as_bytes())),
            problem: None,
        },
        BulkOutcome::Existing => wire::BulkRow {
            name,
            result: wire::BulkResult::Existing,
            device_id: None,
            problem: None,
        },
        BulkOutcome::Refused(error) => refused_row(name, error.into()),
    }
}

fn refused_row(name: String, refusal: Refusal) -> wire::BulkRow {
    wire::BulkRow {
        name,
        result: wire::BulkResult::Refused,
        device_id: None,
        problem: Some(refusal.into_problem()),
    }
}

fn written(rows: &[wire::BulkRow], counts: &mut Counts) -> Bytes {
    let mut text = Vec::with_capacity(rows.len() * 96);
    for row in rows {
        match row.result {
            wire::BulkResult::Created => counts.created += 1,
            wire::BulkResult::Existing => counts.existing += 1,
            wire::BulkResult::Refused => counts.refused += 1,
        }
        text.extend(json_line(row));
    }
    text.into()
}

fn json_line(value: &impl serde::Serialize) -> Vec<u8> {
    let mut line = serde_json::to_vec(value).unwrap_or_default();
    line.push(b'\n');
    line
}
