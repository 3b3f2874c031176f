//! The plain HTTP door against those who mean no good.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use enlist_testkit::Rig;

use crate::bench::{get, send};

fn connect(rig: &Rig) -> TcpStream {
    let url = rig.status_url();
    let stream = TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
    let patience = Some(Duration::from_secs(40));
    stream.set_read_timeout(patience).unwrap();
    stream
}

#[test]
fn nothing_but_what_is_signed_is_served_there() {
    let rig = Rig::new();
    let url = rig.status_url();
    for path in [
        "/",
        "/v1/root.pem",
        "/v1/openapi.json",
        "/.well-known/est/cacerts",
        "/health",
    ] {
        assert_eq!(get(&format!("{url}{path}")).status, 404, "{path}");
    }
    let post = send("POST", &format!("{url}/v1/enroll"), &[], b"{}");
    assert_eq!(post.status, 404);
    assert_eq!(send("DELETE", &format!("{url}/ocsp"), &[], b"").status, 405);
}

#[test]
fn a_head_that_never_ends_is_cut_off_and_keeps_nobody_out() {
    let rig = Rig::new();
    let mut slow: Vec<_> = (0..20).map(|_| connect(&rig)).collect();
    for stream in &mut slow {
        stream
            .write_all(b"GET /ocsp/x HTTP/1.1\r\nhost: a\r\nx: ")
            .unwrap();
    }
    let mut endless = connect(&rig);
    let line = [b'x'; 1024];
    let mut sent = 0;
    endless.write_all(b"GET / HTTP/1.1\r\nx: ").unwrap();
    while sent < 1_000_000 && endless.write_all(&line).is_ok() {
        sent += line.len();
    }
    let mut rest = Vec::new();
    let _ = endless.read_to_end(&mut rest);
    let said = String::from_utf8_lossy(&rest);
    assert!(
        said.is_empty() || said.starts_with("HTTP/1.1 431"),
        "{said}"
    );
    let began = Instant::now();
    let answer = get(&format!("{}/crl/x.crl", rig.status_url()));
    assert_eq!(answer.status, 404);
    assert!(began.elapsed() < Duration::from_secs(5));
    let mut answer = String::new();
    let _ = slow[0].read_to_string(&mut answer);
    assert!(began.elapsed() < Duration::from_secs(30), "it is cut off");
}

#[test]
fn a_body_that_nobody_wants_is_read_and_the_connection_stays() {
    let rig = Rig::new();
    let mut stream = connect(&rig);
    for (request, status) in [
        ("POST /v1/device/enroll", "404"),
        ("DELETE /ocsp", "405"),
        ("POST /ocsp", "415"),
    ] {
        let body = vec![b'x'; 3000];
        let head = format!("{request} HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        // A refusal that does not wait for it would be on its way by now.
        std::thread::sleep(Duration::from_millis(200));
        stream.write_all(&body).unwrap();
        let mut answer = [0; 4096];
        let read = stream.read(&mut answer).unwrap();
        let said = String::from_utf8_lossy(&answer[..read]);
        assert_eq!(said.get(9..12), Some(status), "{request}: {said}");
        assert!(!said.contains("connection: close"), "{said}");
    }
    // One that never comes is not waited for.
    let began = Instant::now();
    let head = b"POST /x HTTP/1.1\r\nhost: a\r\ncontent-length: 3000\r\n\r\n";
    stream.write_all(head).unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest);
    assert!(rest.starts_with(b"HTTP/1.1 404"));
    assert!(began.elapsed() < Duration::from_secs(8));
}

#[test]
fn one_source_has_so_many_connections() {
    let rig = Rig::new();
    let is_open = |stream: &mut TcpStream| {
        let head = b"GET /x HTTP/1.1\r\nhost: a\r\n\r\n";
        let mut answer = [0; 16];
        stream.write_all(head).is_ok() && stream.read(&mut answer).is_ok_and(|read| read > 0)
    };
    let mut held: Vec<_> = (0..64).map(|_| connect(&rig)).collect();
    assert!(held.iter_mut().all(is_open));
    assert!(!is_open(&mut connect(&rig)), "one too many");
    drop(held);
    let began = Instant::now();
    while !is_open(&mut connect(&rig)) {
        assert!(began.elapsed() < Duration::from_secs(10));
        std::thread::sleep(Duration::from_millis(50));
    }
}
