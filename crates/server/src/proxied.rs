//! Whom a load balancer passes on: the head that it puts before a connection, by the PROXY protocol of
//! HAProxy, version 1 (text) or 2 (binary).
//!
//! It is read from addresses that were named as trusted, and from these it is asked for: a balancer that
//! passes it on from some clients and not from others would let these say what they like.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt};

/// What version 2 begins with.
const SIGNATURE: [u8; 12] = *b"\r\n\r\n\0\r\nQUIT\n";
/// Signature, version and command, family, length.
const HEAD: usize = 16;
/// The longest line of version 1, its end included.
const LONGEST_LINE: usize = 107;
/// The longest rest of version 2 that is taken: addresses, and what else the balancer tells.
const LONGEST_REST: usize = 2048;

/// A head that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no head of the PROXY protocol, which this address is trusted to send: {0}")]
pub(crate) struct NoHead(&'static str);

impl From<NoHead> for io::Error {
    fn from(error: NoHead) -> Self {
        Self::new(io::ErrorKind::InvalidData, error)
    }
}

/// Reads the head, and not a byte more. `None` where the balancer speaks for itself, as in a check of its
/// own, or for a client without an IP address.
pub(crate) async fn client(
    stream: &mut (impl AsyncRead + Unpin),
) -> io::Result<Option<SocketAddr>> {
    let mut head = [0; HEAD];
    let (start, rest) = head.split_at_mut(SIGNATURE.len());
    stream.read_exact(start).await?;
    if *start == SIGNATURE {
        stream.read_exact(rest).await?;
        let [version, family, high, low] = [rest[0], rest[1], rest[2], rest[3]];
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length > LONGEST_REST {
            return Err(NoHead("it is too long").into());
        }
        let mut addresses = vec![0; length];
        stream.read_exact(&mut addresses).await?;
        return Ok(binary(version, family, &addresses)?);
    }
    let mut line = start.to_vec();
    if !line.starts_with(b"PROXY ") {
        return Err(NoHead("it begins otherwise").into());
    }
    // Byte by byte, so that nothing of the handshake behind it is taken; a line is short.
    while !line.ends_with(b"\n") {
        if line.len() == LONGEST_LINE {
            return Err(NoHead("its line has no end").into());
        }
        line.push(stream.read_u8().await?);
    }
    Ok(text(&line)?)
}

/// Version 2.
fn binary(version: u8, family: u8, addresses: &[u8]) -> Result<Option<SocketAddr>, NoHead> {
    match version {
        // LOCAL: whatever stands in the addresses does not count.
        0x20 => return Ok(None),
        0x21 => {}
        _ => return Err(NoHead("its version is another one")),
    }
    let short = NoHead("its addresses are cut short");
    // TCP is the only transport that there is here.
    match family {
        0x11 => {
            let fields: &[u8; 12] = addresses.first_chunk().ok_or(short)?;
            let [a, b, c, d, _, _, _, _, high, low, _, _] = *fields;
            Ok(Some(at(Ipv4Addr::new(a, b, c, d), [high, low])))
        }
        0x21 => {
            let fields: &[u8; 36] = addresses.first_chunk().ok_or(short)?;
            let mut source = [0; 16];
            source.copy_from_slice(&fields[..16]);
            let port = [fields[32], fields[33]];
            Ok(Some(at(Ipv6Addr::from(source), port)))
        }
        // UNSPEC, or a socket of the balancer's machine.
        0x00 | 0x31 => Ok(None),
        _ => Err(NoHead("its transport is none that there is here")),
    }
}

fn at(address: impl Into<IpAddr>, port: [u8; 2]) -> SocketAddr {
    SocketAddr::new(address.into(), u16::from_be_bytes(port))
}

/// Version 1: `PROXY TCP4 192.0.2.1 198.51.100.1 56324 443`.
fn text(line: &[u8]) -> Result<Option<SocketAddr>, NoHead> {
    let malformed = NoHead("its line is malformed");
    let line = line.strip_suffix(b"\r\n").ok_or(malformed)?;
    let line = std::str::from_utf8(line).map_err(|_| malformed)?;
    let words: Vec<_> = line.split(' ').collect();
    let [_, family, fields @ ..] = words.as_slice() else {
        return Err(malformed);
    };
    let [source, destination, from, to] = match (*family, fields) {
        // Whatever follows does not count.
        ("UNKNOWN", _) => return Ok(None),
        ("TCP4" | "TCP6", [source, destination, from, to]) => [*source, *destination, *from, *to],
        _ => return Err(malformed),
    };
    let address = |word: &str| -> Result<IpAddr, NoHead> {
        let address = match *family {
            "TCP4" => word.parse().map(IpAddr::V4),
            _ => word.parse().map(IpAddr::V6),
        };
        address.map_err(|_| malformed)
    };
    let (source, _) = (address(source)?, address(destination)?);
    let (port, _) = (port(from)?, port(to)?);
    Ok(Some(SocketAddr::new(source, port)))
}

/// Digits alone, without a sign or leading zeros.
fn port(word: &str) -> Result<u16, NoHead> {
    let malformed = NoHead("a port of its line is malformed");
    let port: u16 = word.parse().map_err(|_| malformed)?;
    if port.to_string() == word {
        Ok(port)
    } else {
        Err(malformed)
    }
}

#[cfg(test)]
mod tests;
