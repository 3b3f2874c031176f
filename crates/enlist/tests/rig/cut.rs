//! A way to the server that breaks after so many bytes of its answers.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Where to connect to: `https://127.0.0.1:port`, which leads to `server` until `bytes` have come
/// back from it, over all connections.
pub fn after(server: &str, bytes: usize) -> String {
    let target = server.trim_start_matches("https://").to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let left = Arc::new(AtomicUsize::new(bytes));
    thread::spawn(move || {
        for client in listener.incoming() {
            let (Ok(client), Ok(server)) = (client, TcpStream::connect(&target)) else {
                return;
            };
            let (from_client, to_server) =
                (client.try_clone().unwrap(), server.try_clone().unwrap());
            thread::spawn(move || up(from_client, to_server));
            let left = left.clone();
            thread::spawn(move || down(server, client, &left));
        }
    });
    format!("https://{address}")
}

fn up(mut client: TcpStream, mut server: TcpStream) {
    let _ = std::io::copy(&mut client, &mut server);
    let _ = server.shutdown(Shutdown::Both);
}

fn down(mut server: TcpStream, mut client: TcpStream, left: &AtomicUsize) {
    let mut buffer = [0; 256];
    while let Ok(read @ 1..) = server.read(&mut buffer) {
        let had = left.load(Ordering::SeqCst);
        let passed = read.min(had);
        left.store(had - passed, Ordering::SeqCst);
        if client.write_all(&buffer[..passed]).is_err() || passed < read {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}
