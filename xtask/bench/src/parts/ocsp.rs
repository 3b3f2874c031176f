//! What an OCSP answer costs, beside another responder's and beside the signature alone.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use enlist_core::{Rng as _, SystemRng};
use enlist_pki::{CertId, OcspRequest};

use super::{Scale, median};
use crate::floor::crypto;
use crate::floor::responder::Responder;
use crate::http;
use crate::load::{Load, Over};
use crate::newcomers::Device;
use crate::served::Served;
use crate::table::{Aim, Table};

/// Certificates that are asked about.
const CERTIFICATES: usize = 64;
/// Connections at once; the other responder serves one after the other.
const CONNECTIONS: usize = 8;

pub(crate) fn measure(scale: &Scale, table: &mut Table) -> Result<()> {
    println!("OCSP");
    let server = Served::with_status()?;
    let devices = server.group("ocsp")?.enrolled(&server, CERTIFICATES)?;
    let ids: Result<Vec<_>> = devices.iter().map(Device::cert_id).collect();
    let ids = ids?;
    let other = Responder::start(CERTIFICATES)?;
    let signature = 1.0 / crypto::measure(5_000)?.sign.as_secs_f64();
    for (nonce, called) in [(true, "a nonce"), (false, "no nonce")] {
        let (mut new, mut kept, mut beside) = (Vec::new(), Vec::new(), Vec::new());
        // The first round warms up, and does not count.
        for round in 0..=scale.rounds {
            let asked = requests(&ids, nonce, scale.enrollments)?;
            let one = rate(server.status()?, Over::New, &asked, || server.cpu())?;
            let two = rate(server.status()?, Over::Kept, &asked, || server.cpu())?;
            let asked = requests(&other.ids, nonce, scale.enrollments)?;
            let three = rate(other.address, Over::New, &asked, || other.cpu())?;
            if round > 0 {
                new.push(one);
                kept.push(two);
                beside.push(three);
            }
        }
        table.row(
            &format!("OCSP answers a CPU second, {called}, new connection each"),
            "/s",
            median(new),
            Some(median(beside)),
            Aim::Least(1.0),
        );
        table.row(
            &format!("OCSP answers a CPU second, {called}, kept connections"),
            "/s",
            median(kept),
            Some(signature),
            Aim::None,
        );
    }
    table.note(format!(
        "OCSP: POST over plain HTTP about {CERTIFICATES} certificates in turn, keys of P-256, {CONNECTIONS} connections. In the place of a floor: with new connections, `openssl ocsp` as a responder with {CERTIFICATES} certificates in its index, which keeps no connection; with kept ones, the bare signatures that one core makes in a second. Answers without a nonce are signed once and remembered."
    ));
    Ok(())
}

/// Requests about one certificate each, ready to be sent.
fn requests(ids: &[CertId], nonce: bool, count: usize) -> Result<Vec<Vec<u8>>> {
    let ask = |id: &CertId| {
        let nonce = nonce.then(|| {
            let mut nonce = vec![0; 16];
            SystemRng.fill(&mut nonce);
            nonce
        });
        request(id, nonce)
    };
    ids.iter().cycle().take(count).map(ask).collect()
}

/// A request about one certificate, ready to be sent.
pub(super) fn request(id: &CertId, nonce: Option<Vec<u8>>) -> Result<Vec<u8>> {
    let certs = vec![id.clone()];
    let body = OcspRequest { certs, nonce }.to_der()?;
    let media_type = "application/ocsp-request";
    Ok(http::post_as("/ocsp", media_type, "", &body))
}

/// Answers for each second of CPU time that the responder takes.
fn rate(
    address: SocketAddr,
    over: Over,
    requests: &[Vec<u8>],
    cpu: impl Fn() -> Result<Duration>,
) -> Result<f64> {
    let load = Load {
        address,
        tls: None,
        connections: CONNECTIONS,
        over,
    };
    let before = cpu()?;
    load.run(requests)?;
    let used = cpu()? - before;
    Ok(requests.len() as f64 / used.as_secs_f64())
}
