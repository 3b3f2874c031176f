//! `openssl ocsp` as a responder: another's program that does the same.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use enlist_core::{Rng as _, SystemRng};
use enlist_pki::{CertId, Certificate, DigestKind, IssuerHash};
use tempfile::TempDir;

use crate::{process, scratch};

/// A CA, and a responder's certificate under it, both over P-256.
const CA: &str = r"set -e
printf '%s\n' keyUsage=critical,digitalSignature extendedKeyUsage=OCSPSigning > extensions
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=ca \
    -keyout ca.key -out ca.pem
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=responder \
    -keyout responder.key -out responder.csr
openssl x509 -req -in responder.csr -CA ca.pem -CAkey ca.key -set_serial 1 -days 1 \
    -extfile extensions -out responder.pem";

/// A running responder, killed when this is dropped.
pub(crate) struct Responder {
    child: Child,
    pub(crate) address: SocketAddr,
    /// The certificates that it says are good.
    pub(crate) ids: Vec<CertId>,
    _directory: TempDir,
}

impl Responder {
    /// Starts one that knows so many certificates.
    pub(crate) fn start(count: usize) -> Result<Self> {
        let directory = scratch::directory()?;
        let path = directory.path();
        let made = Command::new("sh")
            .args(["-c", CA])
            .current_dir(path)
            .output()?;
        let said = String::from_utf8_lossy(&made.stderr);
        ensure!(made.status.success(), "openssl makes no CA: {said}");
        let ids = index(path, count)?;
        let mut child = Command::new("openssl")
            .args(["ocsp", "-port", "0", "-index", "index", "-CA", "ca.pem"])
            .args(["-rsigner", "responder.pem", "-rkey", "responder.key"])
            .args(["-nmin", "10"])
            .current_dir(path)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // ACCEPT [::]:35353 PID=1234
        let mut line = String::new();
        BufReader::new(child.stdout.take().context("no standard output")?).read_line(&mut line)?;
        let port = line
            .split_whitespace()
            .nth(1)
            .and_then(|address| address.rsplit_once(':')?.1.parse().ok());
        let port: u16 = port.with_context(|| format!("openssl ocsp does not start: {line}"))?;
        Ok(Self {
            child,
            address: ([127, 0, 0, 1], port).into(),
            ids,
            _directory: directory,
        })
    }

    /// CPU time it has used.
    pub(crate) fn cpu(&self) -> Result<Duration> {
        process::cpu(self.child.id())
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes its index of certificates, all good.
fn index(directory: &Path, count: usize) -> Result<Vec<CertId>> {
    let ca = Certificate::from_pem(&std::fs::read_to_string(directory.join("ca.pem"))?)?;
    let issuer = IssuerHash::of(DigestKind::Sha1, &ca.subject(), &ca.public_key()?);
    let (mut index, mut ids) = (String::new(), Vec::new());
    for number in 0..count {
        let mut serial = [0; 16];
        SystemRng.fill(&mut serial);
        serial[0] = 0x11;
        let hex: String = serial.iter().map(|byte| format!("{byte:02X}")).collect();
        index.push_str(&format!(
            "V\t491231235959Z\t\t{hex}\tunknown\t/CN=device-{number}\n"
        ));
        ids.push(CertId::new(&issuer, &serial)?);
    }
    std::fs::write(directory.join("index"), index)?;
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::Responder;
    use crate::http::{Connection, post_as};

    #[test]
    fn it_says_that_its_certificates_are_good() {
        let there = std::process::Command::new("openssl")
            .arg("version")
            .output();
        if there.is_err() {
            let note = "openssl is not installed";
            assert!(std::env::var("CI").as_deref() != Ok("true"), "{note}");
            eprintln!("skipped: {note}");
            return;
        }
        let responder = Responder::start(2).unwrap();
        let certs = vec![responder.ids[1].clone()];
        let nonce = Some(vec![7; 16]);
        let body = enlist_pki::OcspRequest { certs, nonce }.to_der().unwrap();
        let request = post_as("/ocsp", "application/ocsp-request", "", &body);
        let mut connection = Connection::plain(responder.address).unwrap();
        let reply = connection.exchange(&request).unwrap();
        assert_eq!(reply.status, 200);
        // The CertID, and the status good: [0] IMPLICIT NULL.
        let id = responder.ids[1].der();
        let at = reply
            .body
            .windows(id.len())
            .position(|it| it == id)
            .unwrap();
        assert_eq!(reply.body[at + id.len()], 0x80);
    }
}
