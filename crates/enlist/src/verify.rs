//! `enlist verify backup`, `enlist verify receipt` and `enlist verify events`: without a server.

mod backup;
mod events;
mod lines;

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use enlist_pki::path::verify;
use enlist_pki::{Anchors, Certificate, Usage, chain_from_pem};
use enlist_signed::{Envelope, Erasure, Receipt};
use enlist_wire::DeviceReceipt;

use crate::cli::Global;
use crate::credentials::device_id;
use crate::failure::refused;
use crate::files;
use crate::output::{self, Format};
use crate::receipt::ReceiptShown;
use crate::say::say;

pub use backup::BackupShown;

/// Check something that proves itself, without asking a server
#[derive(Debug, clap::Args)]
#[command(after_help = EACH)]
pub struct Verify {
    #[command(subcommand)]
    noun: Noun,
}

const EACH: &str = "\
Examples:
  enlist verify backup /backup/enlist-monday.backup
  enlist verify events events.jsonl --key audit.pem --save-head head.json
  enlist verify receipt receipt.json --ca tenant-anchor.pem";

#[derive(Debug, clap::Subcommand)]
enum Noun {
    Backup(backup::VerifyBackup),
    Events(events::VerifyEvents),
    Receipt(VerifyReceipt),
}

/// Check the receipt of a wiped device, without asking a server
///
/// It proves that whoever held the key of the device's certificate has signed what it says. It can't
/// prove that a device whose software was replaced has told the truth.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
struct VerifyReceipt {
    /// The receipt, as `enlist get receipt -o json` prints it, or the bare signed statement
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// The tenant's anchor, PEM (`enlist get anchor`): the device's certificate has to be issued under it
    #[arg(long, value_name = "FILE", required_unless_present = "certificate")]
    ca: Option<PathBuf>,
    /// The device's certificate, PEM, where it is not in FILE; without --ca, it is believed as it is
    #[arg(long, value_name = "FILE")]
    certificate: Option<PathBuf>,
}

const EXAMPLES: &str = "\
Examples:
  enlist get anchor > tenant-anchor.pem
  enlist get receipt test-device-123 -g room2-lights -o json > receipt.json
  enlist verify receipt receipt.json --ca tenant-anchor.pem
  enlist verify receipt statement.json --certificate test-device-123_crt.pem";

impl Verify {
    /// Checks it.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        match self.noun {
            Noun::Backup(noun) => noun.run(global),
            Noun::Events(noun) => noun.run(global),
            Noun::Receipt(noun) => noun.run(global),
        }
    }
}

impl VerifyReceipt {
    fn run(self, global: &Global) -> anyhow::Result<()> {
        let (envelope, inside) = read(&self.file)?;
        let pem = match &self.certificate {
            Some(path) => files::read_needed(path)?,
            None => inside.ok_or_else(|| {
                refused(
                    "no-certificate",
                    "the device's certificate is not in the file: name it with --certificate",
                )
            })?,
        };
        let chain = chain_from_pem(&pem).context("the device's certificate does not read")?;
        let leaf = chain
            .first()
            .context("there is no certificate of the device")?;
        if let Some(ca) = &self.ca {
            believe(&chain, ca)?;
        }
        let receipt = open(&envelope, leaf)?;
        let failed = receipt
            .erased
            .iter()
            .filter(|item| matches!(item.result, Erasure::Failed(_)))
            .count();
        say!(
            "The receipt is signed with the key of device `{}` of group `{}`.",
            receipt.name,
            receipt.group
        );
        if failed > 0 {
            say!("By its own account, {failed} of its items could not be erased.");
        }
        output::one(
            global.output.unwrap_or(Format::Table),
            &ReceiptShown(receipt),
        )
    }
}

/// The signed statement, and the certificate (PEM) where that is with it.
fn read(path: &Path) -> anyhow::Result<(Envelope, Option<String>)> {
    let text = files::read_needed(path)?;
    let whole: Option<DeviceReceipt> = serde_json::from_str(&text).ok();
    let (envelope, certificate) = match whole {
        Some(whole) => (
            Envelope::from_value(&whole.receipt.0),
            Some(whole.certificate),
        ),
        None => (Envelope::from_json(text.as_bytes()), None),
    };
    let envelope = envelope.with_context(|| format!("`{}` is no receipt", path.display()))?;
    Ok((envelope, certificate))
}

/// A receipt is often signed when the certificate has long expired: what counts is that it was issued,
/// so it is looked at as of its own time.
fn believe(chain: &[Certificate], ca: &Path) -> anyhow::Result<()> {
    let anchors = Anchors::from_pem(&files::read_needed(ca)?)
        .with_context(|| format!("the certificates in `{}` do not read", ca.display()))?;
    let (leaf, others) = chain.split_first().context("there is no certificate")?;
    let others: Vec<_> = others.iter().map(Certificate::to_rustls).collect();
    verify(leaf.der(), &others, &anchors, leaf.not_after(), Usage::Any).map_err(|error| {
        refused(
            "untrusted-certificate",
            format!(
                "the device's certificate was not issued under `{}`: {error}",
                ca.display()
            ),
        )
    })
}

fn open(envelope: &Envelope, leaf: &Certificate) -> anyhow::Result<Receipt> {
    let key = leaf
        .public_key()
        .context("the key of the device's certificate can't be used")?;
    let receipt: Receipt = envelope.open([&key]).map_err(|error| {
        refused(
            "receipt-refused",
            format!("the receipt is refused: {error}"),
        )
    })?;
    if receipt.serial != leaf.serial_hex() || device_id(leaf) != Some(receipt.device) {
        return Err(refused(
            "another-device",
            "the receipt speaks of another device than the certificate whose key has signed it",
        ));
    }
    Ok(receipt)
}
