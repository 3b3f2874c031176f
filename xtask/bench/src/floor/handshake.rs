//! The server's half of a TLS 1.3 handshake, in memory.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, ServerConnection};

use super::exchange;
use crate::process::thread_cpu;
use crate::served::tls;

/// CPU time of one, on the server's side alone.
pub(crate) fn measure(rounds: u32) -> Result<Duration> {
    let (server, root) = exchange::config()?;
    let (server, client) = (Arc::new(server), Arc::new(tls(&root)?));
    let mut used = Duration::ZERO;
    for _ in 0..rounds {
        used += one(&client, ServerConnection::new(server.clone())?)?;
    }
    Ok(used / rounds)
}

fn one(client: &Arc<ClientConfig>, mut server: ServerConnection) -> Result<Duration> {
    let name = ServerName::try_from("localhost")?;
    let mut client = ClientConnection::new(client.clone(), name)?;
    let mut used = Duration::ZERO;
    while client.is_handshaking() || server.is_handshaking() {
        let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut to_server)?;
        }
        let start = thread_cpu();
        server.read_tls(&mut to_server.as_slice())?;
        server.process_new_packets()?;
        while server.wants_write() {
            server.write_tls(&mut to_client)?;
        }
        used += thread_cpu() - start;
        let mut arrived = to_client.as_slice();
        while !arrived.is_empty() {
            client.read_tls(&mut arrived)?;
            client.process_new_packets()?;
        }
    }
    Ok(used)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_handshake_in_memory_comes_to_its_end() {
        assert!(super::measure(2).unwrap() > std::time::Duration::ZERO);
    }
}
