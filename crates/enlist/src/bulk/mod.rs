//! Many items in one call: names go up and results come down at the same time, and neither side
//! ever holds all of them.

mod connection;
mod items;
mod line;
mod names_file;
mod source;
mod tally;
mod upload;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use enlist_wire::ClientError;

use crate::context::{Settings, api_token};
use crate::failure::refused;
use crate::interrupt::interrupted;
use crate::output::Format;
use connection::{Connection, Reply};
pub use items::Items;
use line::Line;
use names_file::NamesFile;
pub use source::Source;
use tally::Tally;
use upload::Uploading;

/// How long the server may say nothing once it has been told everything.
const PATIENCE: Duration = Duration::from_secs(120);

/// What is to be created, and how to tell of it.
pub struct Call {
    /// What they are.
    pub items: Items,
    /// Where they are sent to, below the tenant.
    pub path: String,
    /// Where the names come from.
    pub source: Source,
    /// Where all of them are to be written.
    pub names_file: Option<PathBuf>,
    /// How to print the results, if at all.
    pub format: Option<Format>,
    /// Whether to tell of each of them.
    pub verbose: bool,
}

/// Creates what is to be created. Fails if any was refused.
pub fn run(settings: &Settings, call: Call) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("the program can't wait for the network")?;
    let outcome = runtime.block_on(carry_out(settings, call));
    // Whoever still reads standard input may wait forever for it.
    runtime.shutdown_background();
    outcome
}

/// As [`run`], for one who waits already.
pub async fn carry_out(settings: &Settings, call: Call) -> anyhow::Result<()> {
    let names = match &call.names_file {
        Some(path) => Some(NamesFile::new(path, call.source.may_repeat())?),
        None => None,
    };
    let mut tally = Tally::new(
        call.items,
        call.source.count()?,
        call.format,
        call.verbose,
        names,
    );
    let outcome = tokio::select! {
        outcome = exchange(settings, &call, &mut tally) => outcome,
        () = interrupted() => Err(refused("interrupted", "interrupted")),
    };
    match outcome {
        Ok(()) => tally.finish(),
        Err(error) => {
            tally.abandon();
            // Before the first result nothing can be said to have been begun.
            Err(if tally.seen() == 0 {
                error
            } else {
                error.context(format!(
                    "it broke off after {} of the results; run the same command again, and it finishes the rest",
                    tally.seen()
                ))
            })
        }
    }
}

async fn exchange(settings: &Settings, call: &Call, tally: &mut Tally) -> anyhow::Result<()> {
    let (body, uploading) = call.source.body()?;
    let outcome = converse(settings, call, tally, body, &uploading).await;
    // Names that can't be read end the conversation; what the other side makes of that is no news.
    match uploading.failure() {
        Some(error) => {
            Err(error).with_context(|| format!("the {} can't be read", call.items.sent()))
        }
        None => outcome,
    }
}

async fn converse(
    settings: &Settings,
    call: &Call,
    tally: &mut Tally,
    body: upload::Body,
    uploading: &Uploading,
) -> anyhow::Result<()> {
    let token = api_token(settings)?;
    let mut connection = Connection::open(settings).await?;
    let path = format!("/v1/tenants/{}/{}", settings.tenant, call.path);
    let mut reply = connection
        .post(&path, &token, call.source.media_type(), body)
        .await?;
    let mut ended = false;
    while let Some(line) = next(&mut reply, uploading).await? {
        if ended {
            return Err(garbage("goes on after its end"));
        }
        match Line::read(&line)? {
            Line::Row(row) => tally.row(&row)?,
            Line::Problem(problem) => return Err(ClientError::Problem(problem).into()),
            Line::End(end) => {
                tally.check(&end)?;
                ended = true;
            }
        }
    }
    if !ended {
        let cut = std::io::Error::from(std::io::ErrorKind::UnexpectedEof);
        return Err(ClientError::Unreachable(cut.into()).into());
    }
    Ok(())
}

/// The next line; the server may take its time as long as it is not through with the names.
async fn next(reply: &mut Reply, uploading: &Uploading) -> anyhow::Result<Option<bytes::Bytes>> {
    loop {
        match tokio::time::timeout(PATIENCE, reply.line()).await {
            Ok(line) => return line,
            Err(_) if uploading.is_under_way() => {}
            Err(elapsed) => return Err(ClientError::Unreachable(elapsed.into()).into()),
        }
    }
}

fn garbage(what: &str) -> anyhow::Error {
    refused(
        "answer-refused",
        format!("the server's answer {what}; see that client and server are of fitting versions"),
    )
}
