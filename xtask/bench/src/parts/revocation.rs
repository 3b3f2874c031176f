//! From revoking a certificate to its refusal, with very many revoked before.

mod rows;

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use enlist_ca::Partition;
use enlist_core::Serial;
use enlist_wire::DeviceAction;

use super::bulk::thousands;
use super::{Scale, mebibytes, ocsp};
use crate::http::{self, Connection, Reply};
use crate::newcomers::Device;
use crate::served::{Served, tls_as};
use crate::table::{Aim, Table};

/// Into how many parts a CRL of a million entries would be divided.
const PARTS: u16 = 16;
/// Longer than any of it may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    let with = format!(
        "with {} revoked",
        thousands(usize::try_from(scale.revoked)?)
    );
    println!("revocation, {with}");
    let server = Served::with_status()?;
    let mut newcomers = server.group("revocation")?;
    newcomers.enrolled(&server, 1)?;
    let server = server.again(|data| rows::revoke(data, scale.revoked))?;
    let begun = Instant::now();
    let mut devices = newcomers.enrolled(&server, 4 * scale.rounds)?.into_iter();
    let mut size = [0; 2];
    let mut worst = [Duration::ZERO; 4];
    let started = until_known(
        &server,
        devices.as_slice().first().context("no device")?,
        begun,
    )?;
    for _ in 0..scale.rounds {
        for (at, worst) in worst.iter_mut().enumerate() {
            let device = devices.next().context("too few devices")?;
            let took = match at {
                0 => by_itself(&server, device)?,
                1 => by_ocsp(&server, &device)?,
                _ => by_crl(&server, &device, at == 3, &mut size[at - 2])?,
            };
            *worst = took.max(*worst);
        }
    }
    let ways = [
        "by the server itself",
        "by OCSP",
        "by the full CRL",
        "by a part of it",
    ];
    for (way, worst) in ways.into_iter().zip(worst) {
        table.row(
            &format!("revoked to refused {way}, {with}"),
            "ms",
            worst.as_secs_f64() * 1e3,
            None,
            Aim::Most(1000.0),
        );
    }
    for (what, size) in ["full CRL".to_owned(), format!("one part of {PARTS}")]
        .iter()
        .zip(size)
    {
        table.row(
            &format!("{what}, {with}"),
            "KiB",
            size as f64 / 1024.0,
            None,
            Aim::None,
        );
    }
    table.row(
        &format!("server start {with}"),
        "s",
        started.as_secs_f64(),
        None,
        Aim::None,
    );
    table.row(
        &format!("server memory {with}, CRLs made"),
        "MiB",
        mebibytes(server.resident()?.now),
        None,
        Aim::None,
    );
    table.note(format!(
        "Revoked to refused: from sending `deprovision` until a poll that follows it is answered with a refusal (or the CRL that came has the serial number; reading it included), one way after the other; the longest of {} rounds. Start: from the first word to the first OCSP answer. The revoked certificates were put into SQLite while the server was down.",
        scale.rounds
    ));
    Ok(())
}

/// When OCSP says of a certificate that is good that it is.
fn until_known(server: &Served, device: &Device, begun: Instant) -> Result<Duration> {
    let (serial, request) = (serial(device)?, ocsp::request(&device.cert_id()?, None)?);
    let mut connection = Connection::plain(server.status()?)?;
    until(begun, || {
        Ok(stands(&connection.exchange(&request)?, serial) == Some(GOOD))
    })
}

/// The server refuses it over a connection that was there before.
fn by_itself(server: &Served, device: Device) -> Result<Duration> {
    let name = device.enrolled.name.clone();
    let root = device.enrolled.root.clone();
    let tls = tls_as(&root, Some(device.identity()?))?;
    let mut connection = Connection::open(server.address, &Arc::new(tls))?;
    let request = http::get("/v1/device");
    ensure!(
        connection.exchange(&request)?.status == 200,
        "it is not let in"
    );
    let begun = revoke(server, &name)?;
    until(begun, || Ok(connection.exchange(&request)?.status != 200))
}

/// An OCSP answer says that it is revoked. The one before, that it is good, was remembered.
fn by_ocsp(server: &Served, device: &Device) -> Result<Duration> {
    let (serial, request) = (serial(device)?, ocsp::request(&device.cert_id()?, None)?);
    let mut connection = Connection::plain(server.status()?)?;
    let standing = stands(&connection.exchange(&request)?, serial);
    ensure!(standing == Some(GOOD), "OCSP does not say that it is good");
    let begun = revoke(server, &device.enrolled.name)?;
    until(begun, || {
        Ok(stands(&connection.exchange(&request)?, serial) == Some(REVOKED))
    })
}

/// A CRL has it; the one before was made when it was not in there.
fn by_crl(server: &Served, device: &Device, part: bool, size: &mut usize) -> Result<Duration> {
    let serial = serial(device)?;
    let ca = ca_id(device)?;
    let path = match Partition::of_serial(serial, PARTS).filter(|_| part) {
        Some(part) => format!("/crl/{ca}/{}/{}.crl", part.of(), part.index()),
        None => format!("/crl/{ca}.crl"),
    };
    let mut connection = Connection::plain(server.status()?)?;
    let request = http::get(&path);
    let mut has_it = || {
        let reply = connection.exchange(&request)?;
        ensure!(reply.status == 200, "{path}: status {}", reply.status);
        *size = reply.body.len();
        Ok(reply
            .body
            .windows(16)
            .any(|bytes| bytes == serial.as_bytes()))
    };
    ensure!(!has_it()?, "it is revoked already");
    let begun = revoke(server, &device.enrolled.name)?;
    until(begun, has_it)
}

/// Says when it was begun.
fn revoke(server: &Served, device: &str) -> Result<Instant> {
    let operator = server.operator()?;
    let begun = Instant::now();
    operator.deprovision("default", "revocation", device, &DeviceAction::default())?;
    Ok(begun)
}

fn until(begun: Instant, mut is_so: impl FnMut() -> Result<bool>) -> Result<Duration> {
    while !is_so()? {
        ensure!(begun.elapsed() < PATIENCE, "it takes too long");
    }
    Ok(begun.elapsed())
}

/// The tags of `CertStatus` (RFC 6960, section 4.2.1).
const GOOD: u8 = 0x80;
const REVOKED: u8 = 0xa1;

/// How the certificate stands in an answer about it.
fn stands(reply: &Reply, serial: Serial) -> Option<u8> {
    // It follows the serial number, which is the last part of the CertID.
    let mut bytes = reply.body.windows(16);
    let at = bytes.position(|bytes| bytes == serial.as_bytes())?;
    let tag = reply.body.get(at + 16).copied()?;
    (reply.status == 200).then_some(tag)
}

fn serial(device: &Device) -> Result<Serial> {
    Ok(device.enrolled.serial.parse()?)
}

/// Which CA has issued it, from where its certificate says that the CRL is.
fn ca_id(device: &Device) -> Result<String> {
    let certificate = enlist_pki::Certificate::from_pem(&device.enrolled.certificate)?;
    let text = String::from_utf8_lossy(certificate.der()).into_owned();
    let (_, id) = text.split_once("/crl/").context("no CRL is named")?;
    Ok(id.chars().take(36).collect())
}
