//! A connection that is kept, request after request, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// A TLS connection to a server, over which requests of HTTP/1.1 are sent one after another.
pub struct Kept(StreamOwned<ClientConnection, TcpStream>);

impl Kept {
    /// Connects; the handshake is made with the first bytes, or by [`Kept::greet`].
    pub fn open(tls: ClientConfig, address: SocketAddr) -> Self {
        let name = ServerName::try_from("localhost").unwrap();
        let tls = ClientConnection::new(Arc::new(tls), name).unwrap();
        let tcp = TcpStream::connect(address).unwrap();
        tcp.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Self(StreamOwned::new(tls, tcp))
    }

    /// Makes the handshake.
    pub fn greet(&mut self) {
        self.0.conn.complete_io(&mut self.0.sock).unwrap();
    }

    /// Asks; the whole answer, its head in lower case.
    pub fn ask(&mut self, path: &str) -> String {
        self.send(&Self::request(path));
        self.answer()
    }

    /// The request that [`Kept::ask`] sends.
    pub fn request(path: &str) -> String {
        format!("GET {path} HTTP/1.1\r\nhost: localhost\r\n\r\n")
    }

    /// Sends this, whatever it is.
    pub fn send(&mut self, text: &str) {
        self.0.write_all(text.as_bytes()).unwrap();
    }

    /// The next whole answer, its head in lower case.
    pub fn answer(&mut self) -> String {
        let mut answer = Vec::new();
        let mut byte = [0];
        while !answer.ends_with(b"\r\n\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        let head = String::from_utf8(answer).unwrap().to_ascii_lowercase();
        let length = head.split("content-length: ").nth(1).unwrap();
        let length = length.lines().next().unwrap().parse().unwrap();
        let mut body = vec![0; length];
        self.0.read_exact(&mut body).unwrap();
        head + &String::from_utf8(body).unwrap()
    }

    /// Waits for the other side to end it, in good order.
    pub fn expect_end(&mut self) {
        assert_eq!(self.0.read(&mut [0]).unwrap(), 0, "nothing more is said");
    }
}
