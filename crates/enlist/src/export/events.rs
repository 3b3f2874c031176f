//! `enlist export events`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::PathBuf;

use anyhow::Context as _;
use enlist_signed::audit::{Line, Place};
use enlist_wire::{ClientError, ExportQuery};
use indicatif::ProgressBar;

use super::part::Part;
use crate::cli::Global;
use crate::failure::{refused, written};
use crate::files;
use crate::progress;
use crate::say::say;

/// Events asked for at once; a reply of them stays well under the client's bound, unless somebody has
/// tampered with them.
const AT_ONCE: u64 = 5_000;

/// The record of events with its seals, for auditors
///
/// One JSON object a line: the events in their order, each with its number and its hash over itself and
/// all before it, signed heads between them, and a fresh one at the end. `enlist verify events` checks it
/// without a server; docs/audit.md says how to do so without Enlist. It takes the role viewer.
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

/// The server, as it is asked.
type Ask<'a> = &'a dyn Fn(&ExportQuery) -> Result<Vec<u8>, ClientError>;

/// Where lines go.
type Out<'a> = &'a mut dyn FnMut(&[u8]) -> anyhow::Result<()>;

/// An export under way.
struct Export<'a> {
    ask: Ask<'a>,
    out: Out<'a>,
    bar: ProgressBar,
    /// The last event that is written.
    at: u64,
    /// Its hash, where it is known.
    hash: Option<Place>,
    /// What came last. If a reply ends with it, it is the end.
    held: Option<(End, Vec<u8>)>,
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
        let ask = |query: &ExportQuery| client.export_events(tenant.as_str(), query);
        let (end, last) = match &self.out {
            None => {
                if io::stdout().is_terminal() {
                    bar.finish_and_clear();
                }
                let mut out = BufWriter::new(io::stdout());
                let mut put = |line: &[u8]| written(out.write_all(line));
                let ended = Export::new(&ask, &mut put, bar, start).run()?;
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
                let export = Export::new(&ask, &mut put, bar, start);
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
    fn new(ask: Ask<'a>, out: Out<'a>, bar: ProgressBar, (at, hash): (u64, Option<Place>)) -> Self {
        Self {
            ask,
            out,
            bar,
            at,
            hash,
            held: None,
        }
    }

    /// Gets and writes it all, up to what is there when the last reply begins. Says how it ended, and after
    /// which event.
    fn run(mut self) -> anyhow::Result<(End, u64)> {
        loop {
            let before = self.at;
            let reply = self.reply()?;
            self.take(&reply)?;
            self.bar.inc(self.at - before);
            match self.held.take() {
                Some((end, line)) => {
                    (self.out)(&line)?;
                    self.bar.finish_and_clear();
                    return Ok((end, self.at));
                }
                None if self.at > before => {}
                None => return Err(stuck()),
            }
        }
    }

    /// What comes next: fewer events, where they are so large that not as many can be taken.
    fn reply(&self) -> Result<Vec<u8>, ClientError> {
        let mut limit = AT_ONCE;
        loop {
            let query = ExportQuery {
                since: Some(self.at).filter(|at| *at > 0),
                limit: Some(limit),
            };
            match (self.ask)(&query) {
                Err(ClientError::TooLarge(_)) if limit > 1 => limit = (limit / 10).max(1),
                reply => return reply,
            }
        }
    }

    /// Writes a reply down, but for what ends it.
    fn take(&mut self, reply: &[u8]) -> anyhow::Result<()> {
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
                Line::Head(_) => self.held = Some((End::Signed, line.to_vec())),
                Line::Broken(_) => self.held = Some((End::Broken, line.to_vec())),
            }
        }
        Ok(())
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
            Some((_, line)) => (self.out)(&line),
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

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use enlist_core::Digest;
    use enlist_signed::audit::Broken;

    use super::super::some::event;
    use super::*;

    /// What stands in a head's place, and needs no key.
    fn end(events: u64) -> Vec<u8> {
        let seen = Place {
            seq: events,
            hash: Digest::of(b"anything"),
        };
        Line::Broken(Broken { seen, events }).to_bytes()
    }

    /// What is written where the server answers so.
    fn exported(ask: Ask<'_>) -> anyhow::Result<(u64, Vec<u8>)> {
        let mut written = Vec::new();
        let mut out = |line: &[u8]| {
            written.extend_from_slice(line);
            Ok(())
        };
        let export = Export::new(ask, &mut out, ProgressBar::hidden(), (0, None));
        let (end, last) = export.run()?;
        assert_eq!(end, End::Broken);
        Ok((last, written))
    }

    #[test]
    fn an_export_ends_though_there_is_one_more_event_each_time() {
        let asked = Cell::new(0);
        let ask = |query: &ExportQuery| {
            asked.set(asked.get() + 1);
            assert!(asked.get() < 10, "it never ends");
            let next = query.since.unwrap_or(0) + 1;
            let mut reply = event(next);
            // The first is as long as was asked for.
            if next > 1 {
                reply.extend(end(next));
            }
            Ok(reply)
        };
        let (last, written) = exported(&ask).unwrap();
        assert_eq!((last, asked.get()), (2, 2));
        assert_eq!(written, [event(1), event(2), end(2)].concat());
    }

    #[test]
    fn heads_between_events_end_nothing() {
        let ask = |query: &ExportQuery| {
            Ok(match query.since {
                None => [event(1), end(1), event(2)].concat(),
                Some(_) => end(2),
            })
        };
        let (last, written) = exported(&ask).unwrap();
        assert_eq!(last, 2);
        assert_eq!(written, [event(1), end(1), event(2), end(2)].concat());
        assert!(exported(&|_| Ok(Vec::new())).is_err(), "that is no end");
    }

    #[test]
    fn events_that_are_too_large_together_are_taken_one_by_one() {
        let limits = RefCell::new(Vec::new());
        let ask = |query: &ExportQuery| {
            limits.borrow_mut().push(query.limit.unwrap());
            match (query.since, query.limit) {
                (None, Some(1)) => Ok(event(1)),
                (None, _) => Err(ClientError::TooLarge(100)),
                _ => Ok(end(1)),
            }
        };
        assert_eq!(exported(&ask).unwrap().0, 1);
        assert_eq!(*limits.borrow(), [5_000, 500, 50, 5, 1, 5_000]);
        // But one that can't be had at all is no endless loop.
        let none = |_: &ExportQuery| Err(ClientError::TooLarge(100));
        assert!(exported(&none).is_err());
    }
}
