//! As little of an HTTP/1.1 client as the load needs, so that the load costs little.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Longer than anything takes that goes well.
const PATIENCE: Duration = Duration::from_secs(300);

/// One connection, TLS included where the door has it.
pub(crate) struct Connection {
    stream: BufReader<Box<dyn Stream + Send>>,
}

/// What bytes go over.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) body: Vec<u8>,
}

impl Connection {
    /// Connects, and shakes hands.
    pub(crate) fn open(address: SocketAddr, tls: &Arc<ClientConfig>) -> Result<Self> {
        let name = ServerName::from(address.ip());
        let mut tls = ClientConnection::new(tls.clone(), name)?;
        let mut socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        while tls.is_handshaking() {
            tls.complete_io(&mut socket)?;
        }
        Ok(Self {
            stream: BufReader::new(Box::new(StreamOwned::new(tls, socket))),
        })
    }

    /// Connects to a door without TLS.
    pub(crate) fn plain(address: SocketAddr) -> Result<Self> {
        let socket = TcpStream::connect(address)?;
        socket.set_nodelay(true)?;
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Self {
            stream: BufReader::new(Box::new(socket)),
        })
    }

    /// Sends a whole request, and reads a whole reply.
    pub(crate) fn exchange(&mut self, request: &[u8]) -> Result<Reply> {
        self.send(request)?;
        let head = self.head()?;
        let mut body = vec![0; head.length.context("a reply without its length")?];
        self.stream.read_exact(&mut body)?;
        Ok(Reply {
            status: head.status,
            body,
        })
    }

    /// Sends a whole request, and hands the reply's body on in pieces as they come.
    pub(crate) fn stream(&mut self, request: &[u8], mut each: impl FnMut(&[u8])) -> Result<u16> {
        self.send(request)?;
        let head = self.head()?;
        if let Some(length) = head.length {
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body)?;
            each(&body);
            return Ok(head.status);
        }
        let mut piece = Vec::new();
        loop {
            let size = usize::from_str_radix(self.line()?.trim(), 16)
                .context("a chunk without its size")?;
            piece.resize(size + 2, 0);
            self.stream.read_exact(&mut piece)?;
            if size == 0 {
                return Ok(head.status);
            }
            each(&piece[..size]);
        }
    }

    fn send(&mut self, request: &[u8]) -> Result<()> {
        let stream = self.stream.get_mut();
        stream.write_all(request)?;
        Ok(stream.flush()?)
    }

    fn head(&mut self) -> Result<Head> {
        let line = self.line()?;
        let status = line
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .with_context(|| format!("not a status line: {line:?}"))?;
        let mut length = None;
        loop {
            let line = self.line()?.to_ascii_lowercase();
            if line.trim().is_empty() {
                return Ok(Head { status, length });
            }
            if let Some(value) = line.strip_prefix("content-length:") {
                length = Some(value.trim().parse()?);
            }
        }
    }

    fn line(&mut self) -> Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            bail!("the server closed the connection");
        }
        Ok(line)
    }
}

struct Head {
    status: u16,
    length: Option<usize>,
}

/// A whole request: head and JSON body.
pub(crate) fn post(path: &str, bearer: Option<&str>, body: &[u8]) -> Vec<u8> {
    let authorization = bearer.map_or_else(String::new, |token| {
        format!("authorization: Bearer {token}\r\n")
    });
    post_as(path, "application/json", &authorization, body)
}

/// A whole request with a body of this type, and whatever other lines its head is to have.
pub(crate) fn post_as(path: &str, media_type: &str, head: &str, body: &[u8]) -> Vec<u8> {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: {media_type}\r\n{head}content-length: {}\r\n\r\n",
        body.len()
    )
    .into_bytes();
    request.extend_from_slice(body);
    request
}

/// A whole request without a body.
pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n").into_bytes()
}
