//! Asks a server for its metrics, and reads them.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::{Duration, Instant};

/// A page of metrics.
pub struct Scrape {
    pub text: String,
}

impl Scrape {
    pub fn of(port: u16) -> Self {
        let answer = get(port, "GET", "/metrics");
        let (head, text) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(head.contains("text/plain; version=0.0.4"), "{head}");
        Self {
            text: text.to_owned(),
        }
    }

    /// The first that is as it should be; what there is at the end of patience.
    pub fn until(port: u16, is_good: impl Fn(&Self) -> bool) -> Self {
        let until = Instant::now() + Duration::from_secs(30);
        loop {
            let scrape = Self::of(port);
            if is_good(&scrape) {
                return scrape;
            }
            assert!(Instant::now() < until, "{}", scrape.text);
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    /// The values of a metric's samples that have these labels among theirs.
    pub fn values(&self, name: &str, labels: &str) -> Vec<f64> {
        let samples = self.text.lines().filter(|line| !line.starts_with('#'));
        let found = samples.filter(|line| {
            let end = line.find(['{', ' ']).unwrap_or(line.len());
            &line[..end] == name && line.contains(labels)
        });
        found
            .map(|line| line.rsplit_once(' ').unwrap().1.parse().unwrap())
            .collect()
    }

    pub fn value(&self, name: &str, labels: &str) -> Option<f64> {
        self.values(name, labels).first().copied()
    }

    /// All names of samples, and of metrics that have none.
    pub fn names(&self) -> BTreeSet<String> {
        let mut names = BTreeSet::new();
        for line in self.text.lines() {
            let name = match line.strip_prefix("# TYPE ") {
                Some(rest) => rest.split(' ').next(),
                None if line.starts_with('#') => None,
                None => line.split(['{', ' ']).next(),
            };
            names.extend(name.map(str::to_owned));
        }
        names
    }
}

/// The names of our metrics in a text.
pub fn names_in(text: &str) -> BTreeSet<String> {
    let is_letter = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let words = text.split(|c| !is_letter(c));
    let ours = |word: &&str| word.starts_with("enlist_") || word.starts_with("process_");
    words.filter(ours).map(str::to_owned).collect()
}

/// A file of those that come with the program.
pub fn packaged(file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging");
    std::fs::read_to_string(path.join(file)).unwrap()
}

/// A whole exchange over plain HTTP.
pub fn get(port: u16, method: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Seconds since the epoch.
#[allow(
    clippy::disallowed_methods,
    reason = "the real time is what is compared with"
)]
pub fn now() -> f64 {
    let now = std::time::SystemTime::now();
    now.duration_since(std::time::UNIX_EPOCH)
        .unwrap()
        .as_secs_f64()
}
