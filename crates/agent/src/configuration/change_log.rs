//! Who changed what, from what to what: JSON lines, secrets masked.

use std::io;

use enlist_config::Change;
use enlist_core::Timestamp;
use enlist_wire::Time;
use serde_json::{Value, json};

use super::slot::{LOG, OLD_LOG};
use crate::disk::Disk;

/// A log that is longer begins anew; the one before it is kept beside it.
const LONGEST: usize = 256 * 1024;

/// Something to log. It is told apart by slot and deed, so that it is written once, however often the
/// power goes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) who: String,
    /// `applied`, `reset`, `rolled-back`, `refused`.
    pub(super) deed: &'static str,
    /// The slot of the configuration; for refusals that have none, the generation of the record.
    pub(super) number: u64,
    pub(super) changes: Vec<Change>,
    /// For refusals.
    pub(super) why: Option<String>,
}

impl Entry {
    fn lines(&self) -> String {
        let head = |more: Value| {
            let mut line = json!({
                "at": Time::from_secs(self.at.as_secs()).to_string(),
                "who": self.who,
                "did": self.deed,
                "number": self.number,
            });
            if let (Some(line), Value::Object(more)) = (line.as_object_mut(), more) {
                line.extend(more);
            }
            format!("{line}\n")
        };
        if self.changes.is_empty() {
            return head(
                self.why
                    .as_ref()
                    .map_or(json!({}), |why| json!({ "why": why })),
            );
        }
        self.changes
            .iter()
            .map(|change| {
                head(json!({"what": change.pointer, "from": change.from, "to": change.to}))
            })
            .collect()
    }

    /// Whether one of the last lines is of this entry.
    fn is_in(&self, log: &str) -> bool {
        log.lines().rev().take(3000).any(|line| {
            serde_json::from_str::<Value>(line)
                .is_ok_and(|line| line["number"] == self.number && line["did"] == self.deed)
        })
    }
}

/// Writes an entry down, unless it is there already.
pub(super) fn append<D: Disk>(disk: &mut D, entry: &Entry) -> io::Result<()> {
    let kept = disk.read(LOG)?.unwrap_or_default();
    let mut log = String::from_utf8_lossy(&kept).into_owned();
    if entry.is_in(&log) {
        return Ok(());
    }
    // What a crash of the file system left of a line.
    if !log.is_empty() && !log.ends_with('\n') {
        log.push('\n');
    }
    let lines = entry.lines();
    if !log.is_empty() && log.len() + lines.len() > LONGEST {
        disk.write(OLD_LOG, log.as_bytes())?;
        log.clear();
    }
    log += &lines;
    disk.write(LOG, log.as_bytes())
}
