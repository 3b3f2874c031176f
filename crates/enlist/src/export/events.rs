//! `enlist export events`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use enlist_signed::audit::{Line, Place};
use enlist_wire::{Client, ClientError, ExportQuery};
use indicatif::ProgressBar;

use super::part::Part;
use crate::cli::Global;
use crate::failure::{refused, written};
use crate::files;
use crate::progress;
use crate::say::say;

/// Events asked for at once; a reply of them stays well under the client's bound.
const AT_ONCE: u64 = 5_000;

/// The record of events with its seals, for auditors
///
/// One JSON object a line: the events in their order, each with its number and its hash over itself and
/// all before it, signed heads between them, and a fresh one at the end. `enlist verify events` checks it
/// without a server; docs/audit.md says how to do so without Enlist. It takes the role operator.
///
/// What breaks off stays as FILE.part, and the same command again goes on where it stopped.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Events {
    /// Where to; standard output, if it is not given. What stands there is never overwritten
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Only the events after this number, for those who have the ones before
    #[arg(long, value_name = "NUMBER", default_value_t = 0)]
    since: u64,
}

const EXAMPLES: &str = "\
Examples:
  enlist get audit-key > audit.pem
  enlist export events --out events.jsonl
  enlist verify events events.jsonl --key audit.pem --save-head head.json
  enlist export events --since 120000 --out later.jsonl
  enlist verify events later.jsonl --key audit.pem --head head.json --save-head head.json";

/// Where lines go.
type Out<'a> = &'a mut dyn FnMut(&[u8]) -> anyhow::Result<()>;

/// An export under way.
struct Export<'a> {
    client: &'a Client,
    tenant: &'a str,
    out: Out<'a>,
    bar: ProgressBar,
    /// The last event that is written.
    at: u64,
    /// Its hash, where it is known.
    hash: Option<Place>,
    /// What came last of a reply and may be followed by more, or by a fresher one.
    held: Option<Vec<u8>>,
}

/// How a record ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Signed,
    Broken,
}

impl Events {
    /// Does it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let (client, tenant) = global.connect()?;
        let key = client.audit_key(tenant.as_str())?;
        let bar = progress::bar(Some(key.events.saturating_sub(self.since)), "events");
        let start = (self.since, None);
        let (end, last) = match &self.out {
            None => {
                if io::stdout().is_terminal() {
                    bar.finish_and_clear();
                }
                let mut out = BufWriter::new(io::stdout());
                let mut put = |line: &[u8]| written(out.write_all(line));
                let ended = Export::new(&client, tenant.as_str(), &mut put, bar, start).run()?;
                written(out.flush())?;
                ended
            }
            Some(path) => {
                if path.symlink_metadata().is_ok() {
                    return Err(files::exists(path));
                }
                let (mut part, found) = Part::open(path)?;
                let start = found.map_or(start, |place| (place.seq, Some(place)));
                let mut put = |line: &[u8]| part.write(line);
                let export = Export::new(&client, tenant.as_str(), &mut put, bar, start);
                let ended = export.run().map_err(|error| match error.downcast_ref() {
                    Some(ClientError::Unreachable(_) | ClientError::Foreign { .. }) => error
                        .context(format!(
                            "`{}` is not complete; the same command again goes on",
                            path.display()
                        )),
                    _ => error,
                })?;
                part.finish()?;
                ended
            }
        };
        if end == End::Broken {
            return Err(refused(
                "record-broken",
                "the server has found its own record cut or rewritten, and has not signed it: verify what was exported with a head of an earlier export",
            ));
        }
        say!("The record goes up to event {last}.");
        say!(
            "Its heads are signed with the audit key {}.",
            key.fingerprint
        );
        Ok(())
    }
}

impl<'a> Export<'a> {
    fn new(
        client: &'a Client,
        tenant: &'a str,
        out: Out<'a>,
        bar: ProgressBar,
        (at, hash): (u64, Option<Place>),
    ) -> Self {
        Self {
            client,
            tenant,
            out,
            bar,
            at,
            hash,
            held: None,
        }
    }

    /// Gets and writes it all. Says how it ended, and after which event.
    fn run(mut self) -> anyhow::Result<(End, u64)> {
        loop {
            let before = self.at;
            let query = ExportQuery {
                since: Some(self.at).filter(|at| *at > 0),
                limit: Some(AT_ONCE),
            };
            let reply = self.client.export_events(self.tenant, &query)?;
            let end = self.take(&reply)?;
            self.bar.inc(self.at - before);
            if self.at > before {
                continue;
            }
            // Nothing more: what came last is the end.
            let held = self.held.take();
            return match (end, held) {
                (Some(end), Some(line)) => {
                    (self.out)(&line)?;
                    self.bar.finish_and_clear();
                    Ok((end, self.at))
                }
                _ => Err(stuck()),
            };
        }
    }

    /// Writes a reply down, but for the head that ends it.
    fn take(&mut self, reply: &[u8]) -> anyhow::Result<Option<End>> {
        let mut end = None;
        for line in reply.split_inclusive(|byte| *byte == b'\n') {
            if !line.ends_with(b"\n") {
                return Err(stuck());
            }
            let read: Line = serde_json::from_slice(line)
                .context("the server's record can't be read: is this `enlist` older than it?")?;
            match read {
                Line::After(place) => self.go_on(place, line)?,
                Line::Sealed(sealed) => {
                    if sealed.seq <= self.at {
                        return Err(stuck());
                    }
                    self.release()?;
                    (self.out)(line)?;
                    self.at = sealed.seq;
                    self.hash = Some(Place {
                        seq: sealed.seq,
                        hash: sealed.hash,
                    });
                }
                Line::Head(_) => {
                    end = Some(End::Signed);
                    self.held = Some(line.to_vec());
                }
                Line::Broken(_) => {
                    end = Some(End::Broken);
                    self.held = Some(line.to_vec());
                }
            }
        }
        Ok(end)
    }

    /// Checks that a reply goes on from what is written.
    fn go_on(&mut self, place: Place, line: &[u8]) -> anyhow::Result<()> {
        match self.hash {
            Some(known) if known == place => Ok(()),
            Some(_) => Err(refused(
                "another-record",
                format!(
                    "event {} is another one in the server's record than in what was exported before: it is another tenant's, or it was rewritten. Keep what there is, and export to another file",
                    place.seq
                ),
            )),
            None => {
                self.hash = Some(place);
                (self.out)(line)
            }
        }
    }

    fn release(&mut self) -> anyhow::Result<()> {
        match self.held.take() {
            Some(line) => (self.out)(&line),
            None => Ok(()),
        }
    }
}

fn stuck() -> anyhow::Error {
    refused(
        "record-stuck",
        "the server's record ended in the middle, or does not go on",
    )
}
