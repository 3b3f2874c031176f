//! A collector of traces: takes OTLP over HTTP, and reads it strictly.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::Value;

/// Takes what it is sent for as long as the test runs, on a thread that nobody waits for.
pub struct Collector {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

/// A span that it was sent.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: Option<String>,
    pub name: String,
    pub kind: u64,
    pub started: u128,
    pub ended: u128,
    attributes: Vec<(String, Value)>,
}

impl Span {
    pub fn text(&self, key: &str) -> Option<&str> {
        let (_, value) = self.attributes.iter().find(|(one, _)| one == key)?;
        value["stringValue"].as_str()
    }

    pub fn has(&self, key: &str) -> bool {
        self.attributes.iter().any(|(one, _)| one == key)
    }

    fn read(json: &Value) -> Self {
        let text = |key: &str| {
            json[key]
                .as_str()
                .unwrap_or_else(|| panic!("{key}: {json}"))
        };
        let hex = |key: &str, digits: usize| {
            let text = text(key).to_owned();
            let is_hex = text.bytes().all(|byte| byte.is_ascii_hexdigit());
            assert!(text.len() == digits && is_hex, "{key}: {json}");
            text
        };
        let attributes = json["attributes"].as_array().unwrap();
        Self {
            trace: hex("traceId", 32),
            id: hex("spanId", 16),
            parent: json.get("parentSpanId").map(|_| hex("parentSpanId", 16)),
            name: text("name").to_owned(),
            kind: json["kind"].as_u64().unwrap(),
            started: text("startTimeUnixNano").parse().unwrap(),
            ended: text("endTimeUnixNano").parse().unwrap(),
            attributes: attributes
                .iter()
                .map(|one| {
                    (
                        one["key"].as_str().unwrap().to_owned(),
                        one["value"].clone(),
                    )
                })
                .collect(),
        }
    }
}

impl Collector {
    /// Starts one that answers with a status.
    pub fn start(status: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let taken: Arc<Mutex<Vec<String>>> = Arc::default();
        let takes = taken.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                if let Some(body) = take(stream, status) {
                    takes.lock().unwrap().push(body);
                }
            }
        });
        Self { port, taken }
    }

    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/v1/traces", self.port)
    }

    /// All that it was sent, as it came.
    pub fn everything(&self) -> String {
        self.taken.lock().unwrap().join("\n")
    }

    /// All spans, once they are as they should be.
    pub fn until(&self, is_good: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let spans = self.spans();
            if is_good(&spans) {
                return spans;
            }
            assert!(Instant::now() < until, "{spans:?}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn spans(&self) -> Vec<Span> {
        let mut spans = Vec::new();
        for body in self.taken.lock().unwrap().iter() {
            let json: Value = serde_json::from_str(body).unwrap();
            for resource in json["resourceSpans"].as_array().unwrap() {
                let of = resource["resource"]["attributes"].to_string();
                assert!(of.contains("service.name") && of.contains("enlist"), "{of}");
                for scope in resource["scopeSpans"].as_array().unwrap() {
                    spans.extend(scope["spans"].as_array().unwrap().iter().map(Span::read));
                }
            }
        }
        spans
    }
}

fn take(stream: TcpStream, status: u16) -> Option<String> {
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .ok()?;
    let mut reader = BufReader::new(stream);
    let (mut line, mut length, mut is_json) = (String::new(), 0, false);
    reader.read_line(&mut line).ok()?;
    assert_eq!(line.trim(), "POST /v1/traces HTTP/1.1");
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        is_json |= header == "content-type: application/json";
    }
    assert!(is_json && length < 10_000_000);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let mut stream = reader.into_inner();
    let _ = write!(
        stream,
        "HTTP/1.1 {status} Said\r\nContent-Length: 2\r\n\r\n{{}}"
    );
    (status == 200)
        .then(|| String::from_utf8(body).ok())
        .flatten()
}
