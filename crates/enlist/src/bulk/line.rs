//! One line of the server's answer.

use anyhow::Context as _;
use enlist_wire::{BulkEnd, BulkResult, BulkRow, Problem, Uuid};
use serde::Deserialize;

use super::garbage;
use crate::output::Row;
use crate::text::word;

/// What a line says.
#[derive(Debug)]
pub enum Line {
    /// What became of a name.
    Row(BulkRow),
    /// That this was all.
    End(BulkEnd),
    /// Why there is no more.
    Problem(Box<Problem>),
}

/// Every field that either has. Trying one type and then the other would read each line twice.
#[derive(Deserialize)]
struct Either {
    row: Option<u64>,
    name: Option<String>,
    result: Option<BulkResult>,
    device_id: Option<Uuid>,
    problem: Option<Problem>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    created: u64,
    #[serde(default)]
    existing: u64,
    #[serde(default)]
    refused: u64,
    #[serde(rename = "type")]
    problem_type: Option<String>,
}

impl Line {
    /// Reads a line of JSON.
    pub fn read(json: &[u8]) -> anyhow::Result<Self> {
        let line: Either =
            serde_json::from_slice(json).context("the server's answer can't be read")?;
        match line {
            Either {
                row,
                name: Some(name),
                result: Some(result),
                device_id,
                problem,
                ..
            } => Ok(Self::Row(BulkRow {
                row,
                name,
                result,
                device_id,
                problem,
            })),
            Either {
                done: true,
                created,
                existing,
                refused,
                ..
            } => Ok(Self::End(BulkEnd {
                done: true,
                created,
                existing,
                refused,
            })),
            Either {
                problem_type: Some(_),
                ..
            } => {
                let problem =
                    serde_json::from_slice(json).context("the server's answer can't be read")?;
                Ok(Self::Problem(problem))
            }
            _ => Err(garbage(
                "holds a line that is neither a result, nor the end, nor a problem",
            )),
        }
    }
}

/// Why a name was refused, in words.
pub fn reason(row: &BulkRow) -> String {
    match &row.problem {
        Some(problem) => format!("{} ({})", problem.detail, problem.slug()),
        None => "the server gives no reason".into(),
    }
}

impl Row for BulkRow {
    const COLUMNS: &'static [&'static str] = &["name", "result", "id", "reason"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.name.clone(),
            word(&self.result),
            self.device_id.map_or_else(String::new, |id| id.to_string()),
            self.problem
                .as_ref()
                .map_or_else(String::new, |_| reason(self)),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_result_or_the_end_and_nothing_else() {
        let row = br#"{"name":"a","result":"existing","device_id":"0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10"}"#;
        assert!(
            matches!(Line::read(row), Ok(Line::Row(row)) if row.result == BulkResult::Existing)
        );
        let end = br#"{"done":true,"created":1,"existing":2,"refused":0}"#;
        assert!(matches!(Line::read(end), Ok(Line::End(end)) if end.existing == 2));
        let problem = br#"{"type":"urn:enlist:problem:storage-full","title":"x","status":507}"#;
        assert!(
            matches!(Line::read(problem), Ok(Line::Problem(problem)) if problem.slug() == "storage-full")
        );
        for bad in ["", "{}", "[]", r#"{"done":false}"#, r#"{"name":"a"}"#] {
            assert!(Line::read(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
