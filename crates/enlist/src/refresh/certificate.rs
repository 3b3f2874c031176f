//! `enlist refresh certificate`: renews what `enlist provision` made.

use std::path::PathBuf;

use anyhow::Context as _;
use enlist_core::renewal_message;
use enlist_keys::FileKey;
use enlist_pki::Signer;
use enlist_wire::{
    Binary, Client, ClientError, Enrolled, NonceRequest, Order, RenewProof, RenewRequest, Uuid,
};
use serde::Serialize;

use super::journal::{Journal, Pending};
use crate::cli::Global;
use crate::context::device_client;
use crate::credentials::{self, Answer, Owner, Paths, device_id};
use crate::failure::refused;
use crate::group_arg::DeviceArg;
use crate::orders;
use crate::output::{self, Row};
use crate::say::say;

/// Renew a certificate: of a device with an agent by an order, or of one that `enlist provision` enrolled
///
/// With --rekey, the server orders the device's agent to renew onto a new key, wherever it is.
///
/// Without, what `enlist provision` has left in a directory here is renewed, onto a new key.
/// Needs no API token: the device's own token and key prove it, even when its certificate has expired,
/// as long as the group's recovery window says. The files that `provision` left are replaced when the
/// new certificate is there. NAME_renewal.json (0600) keeps counter and request, so that the command
/// can be run again after an interruption; without that file the server takes the next renewal for a
/// copy of the device.
#[derive(Debug, clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct RefreshCertificate {
    #[command(flatten)]
    device: DeviceArg,
    /// Order the device's agent to renew onto a new key now
    #[arg(long, conflicts_with_all = ["ttl", "out"])]
    rekey: bool,
    /// Hours that the certificate is to last [default: the group's]
    #[arg(long, value_name = "HOURS", value_parser = clap::value_parser!(u32).range(1..))]
    ttl: Option<u32>,
    /// The directory with the files
    #[arg(long, value_name = "DIR", default_value = ".")]
    out: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  enlist refresh certificate test-device-123 -g room2-lights --rekey
  enlist refresh certificate test-device-123 -g room2-lights
  enlist refresh certificate test-device-123 -g room2-lights --out certs --ttl 168";

#[derive(Serialize)]
struct Renewed(Enrolled);

impl RefreshCertificate {
    /// Renews the certificate.
    pub fn run(self, global: &Global) -> anyhow::Result<()> {
        if self.rekey {
            return orders::give(global, &self.device, Order::RotateKey);
        }
        let settings = global.settings()?;
        let owner = Owner {
            tenant: settings.tenant.clone(),
            group: self.device.group.group,
            name: self.device.name,
        };
        let paths = Paths::of(&self.out, &owner.name);
        let _lock = paths.lock()?;
        let mut journal = Journal::load(&paths)?;
        journal.finish(&paths)?;
        let held = paths.enrolled(&owner, journal.came_by())?.ok_or_else(|| {
            refused(
                "not-provisioned",
                format!(
                    "`{}` does not exist: if an agent runs on the device, --rekey orders it to renew; else run `enlist provision {}` first, or name its directory with --out",
                    paths.certificate.display(),
                    owner.name
                ),
            )
        })?;
        let kind = held.own.key.public_key().kind();
        let (counter, pending) = journal.pending(&paths, kind, self.ttl)?;
        let key = FileKey::from_pkcs8_pem(pending.key_pem.expose())
            .with_context(|| format!("the key in `{}` can't be used", paths.renewal.display()))?;
        let client = device_client(&settings, None)?;
        let request = Request {
            held: &held,
            key: &key,
            counter,
            pending: &pending,
        };
        let reply = match request.send(&client) {
            Ok(reply) => reply,
            Err(error) => {
                if is_final(&error) {
                    journal.refused(&paths)?;
                }
                return Err(error);
            }
        };
        let answer = Answer::checked(&reply, &held.owner, key.public_key())?;
        journal.answered(&paths, answer)?;
        say!(
            "Device `{}` has a new certificate: `{}` is valid until {}.",
            held.owner.name,
            paths.certificate.display(),
            reply.not_after
        );
        // The first use retires the certificate before; a later use would do as well.
        if let Some(renewed) = paths.enrolled(&owner, journal.came_by())? {
            let client = device_client(&settings, Some(renewed.identity()))?;
            if let Err(error) = client.device_self() {
                say!(
                    "The certificate before stays good until this one is used; trying it failed: {error}"
                );
            }
        }
        match global.output {
            Some(format) => output::one(format, &Renewed(reply)),
            None => Ok(()),
        }
    }
}

struct Request<'a> {
    held: &'a credentials::Enrolled,
    key: &'a FileKey,
    counter: u64,
    pending: &'a Pending,
}

impl Request<'_> {
    /// Proves the device by its token and its present key, and asks.
    fn send(&self, client: &Client) -> anyhow::Result<Enrolled> {
        let device = device_id(self.held.leaf()).ok_or_else(|| {
            refused(
                "not-a-device-certificate",
                "the certificate names no device id; provision the device again",
            )
        })?;
        let wire_id = Uuid::from_bytes(*device.as_bytes());
        let csr = enlist_pki::csr::build(self.key, self.held.owner.name.as_str())
            .context("the certificate request can't be made")?;
        let nonce = client.nonce(&NonceRequest { device_id: wire_id })?.nonce;
        let message = renewal_message(device, self.counter, self.pending.request, &nonce.0, &csr);
        let signature = self.held.own.key.sign(&message)?;
        let request = RenewRequest {
            device_id: wire_id,
            csr: Binary(csr),
            counter: self.counter,
            request_id: Uuid::from_bytes(*self.pending.request.as_bytes()),
            certificate_ttl_h: self.pending.ttl_h,
            proof: Some(RenewProof {
                device_token: self.held.own.token.expose().to_owned().into(),
                nonce,
                signature: Binary(signature),
            }),
        };
        Ok(client.renew(&request)?)
    }
}

/// Whether the server has refused this renewal as such, so that asking again is of no use.
fn is_final(error: &anyhow::Error) -> bool {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Problem(problem)) => {
            (400..500).contains(&problem.status) && problem.retry_after_s.is_none()
        }
        _ => false,
    }
}

impl Row for Renewed {
    const COLUMNS: &'static [&'static str] = &["name", "group", "serial", "not after", "id"];

    fn cells(&self) -> Vec<String> {
        vec![
            self.0.name.clone(),
            self.0.group.clone(),
            self.0.serial.clone(),
            self.0.not_after.to_string(),
            self.0.device_id.to_string(),
        ]
    }
}
