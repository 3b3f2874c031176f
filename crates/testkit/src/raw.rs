//! HTTP without a client that minds its manners.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use enlist_wire::Problem;
use rustls::pki_types::ServerName;
use rustls::{ClientConnection, StreamOwned};

use crate::sweep::keep_answer;
use crate::{Product, Rig, produced, produced_text};

/// What came back.
#[derive(Debug)]
pub struct RawAnswer {
    /// The status.
    pub status: u16,
    /// The media type.
    pub content_type: String,
    /// The body, as it is after de-chunking.
    pub body: Vec<u8>,
}

impl RawAnswer {
    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// Keeps what the linter is to see of it.
    fn keep_produced(&self) {
        match self.content_type.as_str() {
            "application/pkix-cert" => produced(Product::Certificate, &self.body),
            "application/pkix-crl" => produced(Product::Crl, &self.body),
            "application/ocsp-response" => keep_answer(&self.body),
            _ => produced_text(&self.text()),
        }
    }

    /// The slug of the problem in it.
    pub fn slug(&self) -> String {
        let problem: Problem = serde_json::from_slice(&self.body).expect("a problem");
        problem.slug().to_owned()
    }
}

impl Rig {
    /// Sends one HTTP/1.1 request over a connection of its own.
    pub fn raw(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> RawAnswer {
        let name = ServerName::try_from("localhost").expect("a name");
        let tls = ClientConnection::new(Arc::new(self.tls()), name).expect("TLS");
        let tcp = TcpStream::connect(self.address()).expect("a connection");
        tcp.set_read_timeout(Some(Duration::from_secs(20)))
            .expect("a timeout");
        let mut stream = StreamOwned::new(tls, tcp);
        let mut head = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
        for (key, value) in headers {
            head.push_str(&format!("{key}: {value}\r\n"));
        }
        head.push_str(&format!(
            "connection: close\r\ncontent-length: {}\r\n\r\n",
            body.len()
        ));
        stream.write_all(head.as_bytes()).expect("a request");
        // A server that refuses by the head may not read the rest.
        let _ = stream.write_all(body).and_then(|()| stream.flush());
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        for certificate in stream.conn.peer_certificates().unwrap_or_default() {
            produced(Product::Certificate, certificate);
        }
        let answer = parse(&answer);
        answer.keep_produced();
        answer
    }
}

fn parse(answer: &[u8]) -> RawAnswer {
    let end = answer
        .windows(4)
        .position(|window| window == b"\r\n\r\n")
        .unwrap_or_else(|| panic!("no answer: {}", String::from_utf8_lossy(answer)));
    let head = String::from_utf8_lossy(&answer[..end]).to_ascii_lowercase();
    let header = |name: &str| {
        let prefix = format!("{name}: ");
        head.lines()
            .find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
    };
    let body = &answer[end + 4..];
    let chunked = header("transfer-encoding").is_some_and(|kind| kind == "chunked");
    RawAnswer {
        status: head[9..12].parse().expect("a status"),
        content_type: header("content-type").unwrap_or_default(),
        body: if chunked {
            dechunk(body)
        } else {
            body.to_vec()
        },
    }
}

fn dechunk(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let line = rest
            .windows(2)
            .position(|two| two == b"\r\n")
            .expect("a chunk's length");
        let text = std::str::from_utf8(&rest[..line]).expect("a chunk's length");
        let length = usize::from_str_radix(text.trim(), 16).expect("a chunk's length");
        if length == 0 {
            return body;
        }
        let start = line + 2;
        body.extend_from_slice(&rest[start..start + length]);
        rest = &rest[start + length + 2..];
    }
}
