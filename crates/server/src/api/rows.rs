//! Long lists: pieces of a body in, a row for each of its items out, in constant memory.

use std::convert::Infallible;

use axum::body::{Body as Stream, Bytes};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use enlist_wire as wire;
use futures_util::stream::BoxStream;
use futures_util::{Stream as Items, StreamExt, stream};

use crate::problem::Refusal;

/// Items that are recorded in one step.
pub(crate) const CHUNK: usize = 2_000;
/// The media type of JSON lines.
pub(crate) const NDJSON: &str = "application/x-ndjson";
/// Steps that are under way at one time.
const UNDER_WAY: usize = 2;

/// One item that is to be recorded, or the row that says why it can't be.
pub(crate) type Wanted<T> = Result<T, Box<wire::BulkRow>>;

/// What takes a body apart.
pub(crate) trait Cut<T>: Send {
    /// Takes the next piece of the body, and adds the items that end in it.
    fn feed(&mut self, bytes: &[u8], wanted: &mut Vec<Wanted<T>>) -> Result<(), Refusal>;

    /// Takes the end of the body, and adds the item that ends with it.
    fn finish(&mut self, wanted: &mut Vec<Wanted<T>>) -> Result<(), Refusal>;
}

/// Cuts a body into chunks of items. What can't be taken apart ends it, behind what came before.
pub(crate) fn chunks<T: Send + 'static>(
    body: Stream,
    cut: impl Cut<T> + 'static,
) -> BoxStream<'static, Result<Vec<Wanted<T>>, Refusal>> {
    let state = (body.into_data_stream(), cut, None);
    stream::unfold(Some(state), |state| async move {
        let (mut input, mut cut, refused) = state?;
        if let Some(refusal) = refused {
            return Some((Err(refusal), None));
        }
        let mut wanted = Vec::new();
        loop {
            let (done, ended) = match input.next().await {
                Some(Ok(bytes)) => (cut.feed(&bytes, &mut wanted), false),
                Some(Err(_)) => {
                    let why = "the body ended before it was whole";
                    (Err(Refusal::invalid_request(why)), true)
                }
                None => (cut.finish(&mut wanted), true),
            };
            match done {
                Err(refusal) => return Some((Ok(wanted), Some((input, cut, Some(refusal))))),
                Ok(()) if ended => return Some((Ok(wanted), None)),
                Ok(()) if wanted.len() >= CHUNK => {
                    return Some((Ok(wanted), Some((input, cut, None))));
                }
                Ok(()) => {}
            }
        }
    })
    .boxed()
}

/// The answer: a row for each item, in order, as `record` has it, and the counts once all are recorded.
pub(crate) fn answer<T, F, R>(
    wanted: BoxStream<'static, Result<Vec<Wanted<T>>, Refusal>>,
    record: F,
) -> Response
where
    T: Send + 'static,
    F: Fn(Vec<T>) -> R + Clone + Send + 'static,
    R: Future<Output = Result<Vec<wire::BulkRow>, Refusal>> + Send + 'static,
{
    let recorded = wanted.map(move |chunk| {
        let record = record.clone();
        async move { all(chunk?, record).await }
    });
    let rows = told(recorded.buffered(UNDER_WAY).boxed());
    let body = Stream::from_stream(rows.map(Ok::<_, Infallible>));
    ([(CONTENT_TYPE, NDJSON)], body).into_response()
}

/// The row of an item that can't be had.
pub(crate) fn refused_row(name: String, refusal: Refusal) -> wire::BulkRow {
    wire::BulkRow {
        row: None,
        name,
        result: wire::BulkResult::Refused,
        device_id: None,
        problem: Some(refusal.into_problem()),
    }
}

/// Records what can be of a chunk; rows in the order in which it was asked for.
async fn all<T, R>(
    wanted: Vec<Wanted<T>>,
    record: impl Fn(Vec<T>) -> R,
) -> Result<Vec<wire::BulkRow>, Refusal>
where
    R: Future<Output = Result<Vec<wire::BulkRow>, Refusal>>,
{
    let mut add = Vec::with_capacity(wanted.len());
    let mut refused = Vec::new();
    for (at, one) in wanted.into_iter().enumerate() {
        match one {
            Ok(one) => add.push(one),
            Err(row) => refused.push((at, *row)),
        }
    }
    let mut rows = if add.is_empty() {
        Vec::new()
    } else {
        record(add).await?
    };
    // Each index is right once those before it are in.
    for (at, row) in refused {
        rows.insert(at.min(rows.len()), row);
    }
    Ok(rows)
}

#[derive(Default)]
struct Counts {
    created: u64,
    existing: u64,
    refused: u64,
}

fn told(
    recorded: BoxStream<'static, Result<Vec<wire::BulkRow>, Refusal>>,
) -> impl Items<Item = Bytes> + use<> {
    let state = (recorded, Counts::default(), false);
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
