//! What the stories are told with.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use enlist_pki::{Certificate, CertificateError, Crl};
use enlist_testkit::{FakeDevice, Product, Rig, produced};
use enlist_wire::DeviceAction;
use tempfile::TempDir;

pub const CRL: &str = "application/pkix-crl";
pub const RESPONSE: &str = "application/ocsp-response";
pub const REQUEST: &str = "application/ocsp-request";

pub fn act() -> DeviceAction {
    DeviceAction::default()
}

/// What came back over plain HTTP.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    head: String,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// Sends one request to a plain HTTP URL.
pub fn send(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    let patience = Some(Duration::from_secs(20));
    stream.set_read_timeout(patience).unwrap();
    let mut head = format!("{method} /{path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(&format!("content-length: {}\r\n\r\n", body.len()));
    stream.write_all(head.as_bytes()).unwrap();
    // Who refuses by the head may not read the rest.
    let _ = stream.write_all(body);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end = end.unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let answer = Answer {
        status: head[9..12].parse().unwrap(),
        body: answer[end + 4..].to_vec(),
        head,
    };
    match answer.header("content-type") {
        Some(CRL) if method == "GET" => produced(Product::Crl, &answer.body),
        Some(RESPONSE) => produced(Product::OcspAnswer, &answer.body),
        _ => {}
    }
    answer
}

pub fn get(url: &str) -> Answer {
    send("GET", url, &[], &[])
}

/// The list at a URL, believed: signed by the CA of this certificate.
pub fn list(url: &str, ca: &Certificate) -> Crl {
    let answer = get(url);
    assert_eq!(answer.status, 200, "{url}: {answer:?}");
    assert_eq!(answer.header("content-type"), Some(CRL));
    let list = Crl::from_der(&answer.body).unwrap();
    list.verify(&ca.public_key().unwrap()).unwrap();
    list
}

/// The serial numbers on a list.
pub fn serials(list: &Crl) -> Vec<Vec<u8>> {
    let mut all: Vec<_> = list.entries().map(|entry| entry.serial.to_vec()).collect();
    all.sort();
    all
}

pub fn issuing_ca(device: &FakeDevice) -> Result<Certificate, CertificateError> {
    Certificate::from_pem(&device.enrolled.as_ref().unwrap().issuing_ca)
}

/// Where a certificate says that its list is: openssl's word for it.
pub fn crl_url(device: &FakeDevice) -> String {
    let told = pointers(device);
    let url = told
        .lines()
        .find_map(|line| line.trim().strip_prefix("URI:"));
    url.unwrap_or_else(|| panic!("{told}")).to_owned()
}

/// What a certificate points to.
pub fn pointers(device: &FakeDevice) -> String {
    let (told, _) = openssl(
        &[
            "x509",
            "-noout",
            "-ext",
            "crlDistributionPoints,authorityInfoAccess",
        ],
        device.certificate().to_pem().as_bytes(),
    );
    told
}

/// Runs openssl; what it said, and whether it was content.
pub fn openssl(arguments: &[&str], input: &[u8]) -> (String, bool) {
    let mut child = Command::new("openssl")
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let done = child.wait_with_output().unwrap();
    let said = [done.stdout, done.stderr].concat();
    (
        String::from_utf8_lossy(&said).into_owned(),
        done.status.success(),
    )
}

/// Files of a device as openssl wants them.
pub struct Files {
    dir: TempDir,
    pub url: String,
}

impl Files {
    pub fn of(rig: &Rig, device: &FakeDevice) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let enrolled = device.enrolled.as_ref().unwrap();
        fs::write(dir.path().join("cert.pem"), &enrolled.certificate).unwrap();
        fs::write(dir.path().join("issuer.pem"), &enrolled.issuing_ca).unwrap();
        let chain = format!("{}{}", enrolled.issuing_ca, enrolled.root);
        fs::write(dir.path().join("chain.pem"), chain).unwrap();
        Self {
            dir,
            url: format!("{}/ocsp", rig.status_url()),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Asks with `openssl ocsp`, which checks the answer's signature and its responder.
    pub fn ask(&self, more: &[&str]) -> String {
        let path = |name| self.path(name).to_string_lossy().into_owned();
        let (issuer, cert, chain) = (path("issuer.pem"), path("cert.pem"), path("chain.pem"));
        let mut arguments = vec!["ocsp", "-issuer", &issuer];
        // Before the certificates that it is to count for.
        arguments.extend(more.iter().filter(|one| one.starts_with("-sha")));
        arguments.extend(["-cert", &cert, "-url", &self.url, "-CAfile", &chain]);
        arguments.extend(more.iter().filter(|one| !one.starts_with("-sha")));
        let (said, _) = openssl(&arguments, b"");
        said
    }
}
