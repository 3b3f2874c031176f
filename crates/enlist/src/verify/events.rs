//! `enlist verify events`: without a server.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_pki::PublicKey;
use enlist_signed::audit::{Finding, Line, Newest, Verified, Verifier};
use enlist_signed::{Envelope, KeyId};
use enlist_wire::Time;
use serde::Serialize;

use super::lines;
use crate::cli::Global;
use crate::failure::refused;
use crate::files::{self, Access};
use crate::output::{self, Format, Row, Rows};
use crate::progress;
use crate::say::say;

/// How often progress is shown.
const A_STEP: u64 = 10_000;

/// Check an exported record of events, without asking a server
///
/// Finds every event that was changed, left out or moved since it was sealed. Somebody who has the database
/// and waits until the servers are started again can have a rewritten record signed: with the head of an
/// earlier export that is found, too, as is what was cut off since then, even by somebody who has the keys.
/// So keep a head from each time (--save-head), away from the server.
///
/// Exit status 0 where nothing is wrong, and else 1. Events that say they happened long before they were
/// sealed (`late`), and those by which the server told that its record was tampered with (`alarm`), are shown
/// as warnings, and change nothing about that.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct VerifyEvents {
    /// What `enlist export events` has written; the parts of one record in their order, or `-`
    #[arg(value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The tenant's audit key, PEM (`enlist get audit-key`), from a time when the server could be trusted
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// A head that was kept earlier, which the record has to fit; may be given several times
    #[arg(long = "head", value_name = "FILE")]
    heads: Vec<PathBuf>,
    /// Where to keep the newest head, if nothing is wrong; what stands there is replaced
    #[arg(long, value_name = "FILE")]
    save_head: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist verify events events.jsonl --key audit.pem --save-head head.json
  enlist verify events events.jsonl --key audit.pem --head head.json --save-head head.json
  enlist verify events 2026.jsonl 2027.jsonl --key audit.pem -o json";

/// What came of it.
#[derive(Debug, Serialize)]
struct Verdict {
    intact: bool,
    events: u64,
    heads: u64,
    /// The newest head that fits.
    #[serde(skip_serializing_if = "Option::is_none")]
    newest: Option<NewestShown>,
    findings: Vec<FindingShown>,
    /// Findings beyond those that are listed.
    more: u64,
    /// What was sealed as it is, and is still worth a look.
    warnings: Vec<FindingShown>,
    /// Warnings beyond those that are listed.
    more_warnings: u64,
}

#[derive(Debug, Serialize)]
struct NewestShown {
    tenant: String,
    event: u64,
    hash: String,
    signed_at: Time,
}

#[derive(Debug, Serialize)]
struct FindingShown {
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    event: Option<u64>,
    what: String,
}

impl VerifyEvents {
    /// Checks it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let key = PublicKey::from_pem(&files::read_needed(&self.key)?)
            .with_context(|| format!("`{}` is no public key", self.key.display()))?;
        let fingerprint = KeyId::of(&key);
        let mut verifier = Verifier::new(key);
        for path in &self.heads {
            verifier.expect(&head(path)?);
        }
        let bar = progress::bar(None, "events");
        let mut lines = 0_u64;
        for path in &self.files {
            lines::each(path, |line| {
                verifier.line(line);
                lines += 1;
                if lines.is_multiple_of(A_STEP) {
                    bar.set_position(verifier.position());
                }
            })?;
        }
        bar.finish_and_clear();
        let verified = verifier.finish();
        show(global.output.unwrap_or(Format::Table), &verified)?;
        if !verified.is_intact() {
            let count = verified.findings.len() as u64 + verified.more;
            return Err(refused(
                "record-not-intact",
                format!("the record is not what was sealed: {count} findings"),
            ));
        }
        let Some(Newest { head, envelope }) = &verified.newest else {
            return Err(refused("record-not-intact", "the record has no head"));
        };
        let warnings = verified.warnings.len() as u64 + verified.more_warnings;
        let rest = if warnings > 0 {
            say!("{warnings} warnings: these events are as they were sealed, and worth a look.");
            "Nothing else"
        } else {
            "Nothing"
        };
        if verified
            .warnings
            .iter()
            .any(|it| matches!(it, Finding::Alarm { .. }))
        {
            say!(
                "Attention: the server itself has found this record cut or rewritten once. Only heads of exports from before that (--head) tell what was done."
            );
        }
        say!(
            "{rest} is wrong: {} events of tenant `{}`, up to number {}, signed at {} with the audit key {fingerprint}.",
            verified.events,
            head.tenant,
            head.events,
            time(head.at)
        );
        if self.heads.is_empty() {
            say!(
                "No earlier head was given, so what was rewritten or cut off before this export can't be told. Keep this one's for the next time: --save-head FILE."
            );
        }
        match &self.save_head {
            Some(path) => files::replace(path, &envelope.to_json(), Access::Public),
            None => Ok(()),
        }
    }
}

/// A head by itself, or as a line of an export.
fn head(path: &Path) -> anyhow::Result<Envelope> {
    let text = files::read_needed(path)?;
    match serde_json::from_str(text.trim()) {
        Ok(Line::Head(envelope)) => Ok(envelope),
        _ => Envelope::from_json(text.as_bytes())
            .with_context(|| format!("`{}` is no head", path.display())),
    }
}

fn show(format: Format, verified: &Verified) -> anyhow::Result<()> {
    let findings = verified.findings.iter().map(FindingShown::of);
    let warnings = verified.warnings.iter().map(FindingShown::of);
    if format == Format::Json {
        return output::json(&Verdict {
            intact: verified.is_intact(),
            events: verified.events,
            heads: verified.heads,
            newest: verified.newest.as_ref().map(NewestShown::of),
            findings: findings.collect(),
            more: verified.more,
            warnings: warnings.collect(),
            more_warnings: verified.more_warnings,
        });
    }
    if format == Format::Table && verified.is_intact() && verified.warnings.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::of::<FindingShown>(format);
    for finding in findings.chain(warnings) {
        rows.push(&finding)?;
    }
    rows.finish()?;
    let more = verified.more + verified.more_warnings;
    if more > 0 {
        say!("There are {more} more.");
    }
    Ok(())
}

impl NewestShown {
    fn of(Newest { head, .. }: &Newest) -> Self {
        Self {
            tenant: head.tenant.to_string(),
            event: head.events,
            hash: head.hash.to_hex(),
            signed_at: time(head.at),
        }
    }
}

impl FindingShown {
    fn of(finding: &Finding) -> Self {
        Self {
            kind: finding.kind(),
            event: finding.seq(),
            what: finding.to_string(),
        }
    }
}

impl Row for FindingShown {
    const COLUMNS: &'static [&'static str] = &["event", "kind", "what"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.event.map(|seq| seq.to_string()).unwrap_or_default(),
            self.kind.to_owned(),
            self.what.clone(),
        ]
    }
}

fn time(at: enlist_core::Timestamp) -> Time {
    Time::from_millis(at.as_millis())
}
