//! `enlist import manifest`.

use std::path::PathBuf;

use enlist_core::{HardwareKind, Name};

use crate::bulk::{self, Items, Source};
use crate::cli::Global;

/// Add a list of hardware identities to a manifest, which is made where there is none
///
/// A manifest is a batch that is known ahead: each of its entries lets one device in, where a
/// provisioning secret or a group is bounded by it.
///
/// The file is CSV with a header that names the columns: serial, mac, uuid, soc, machine, random, named,
/// tpm-ek, idevid, with one identity a row, or kind and value; other columns are passed over. Or it is JSON: an array, or a
/// value on each line, each "kind:value", {"kind": …, "value": …} or {"serial": …}.
///
/// Rows that make no sense are told on standard error with their number and the reason, and the rest goes
/// in. What is there already is counted as existing: started again, the command finishes the rest.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Manifest {
    /// The manifest
    #[arg(value_name = "NAME")]
    name: Name,
    /// The file; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What the file is; by default what its name ends with says, and CSV where that says nothing
    #[arg(long, value_name = "FORMAT")]
    format: Option<Format>,
    /// Take this kind of identity alone, where rows have several
    #[arg(long, value_name = "KIND", value_parser = kind)]
    kind: Option<HardwareKind>,
    /// Tell of each entry, not only of those that were refused
    #[arg(short = 'v', long)]
    verbose: bool,
}

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// Comma-separated values
    Csv,
    /// JSON
    Json,
}

const EXAMPLES: &str = "\
Examples:
  enlist import manifest batch-7 batch-7.csv
  enlist import manifest batch-7 serials.csv --kind serial
  enlist import manifest batch-7 - --format json -o json";

impl Manifest {
    /// Sends the file.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        let query = self.kind.map(|kind| format!("?kind={}", kind.as_str()));
        let call = bulk::Call {
            items: Items::Entries,
            path: format!(
                "manifests/{}/entries{}",
                self.name,
                query.unwrap_or_default()
            ),
            source: Source::File {
                media_type: match self.format() {
                    Format::Csv => "text/csv",
                    Format::Json => "application/json",
                },
                path: self.file,
            },
            names_file: None,
            format: global.output,
            verbose: self.verbose,
        };
        bulk::run(&global.settings()?, call)
    }

    fn format(&self) -> Format {
        let ending = self.file.extension().and_then(|ending| ending.to_str());
        let ending = ending.map(str::to_ascii_lowercase);
        match (self.format, ending.as_deref()) {
            (Some(format), _) => format,
            (None, Some("json" | "jsonl" | "ndjson")) => Format::Json,
            (None, _) => Format::Csv,
        }
    }
}

fn kind(text: &str) -> Result<HardwareKind, String> {
    let known = HardwareKind::ALL.map(HardwareKind::as_str).join(", ");
    text.parse().map_err(|_| format!("one of {known}"))
}
