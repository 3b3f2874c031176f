use std::io::{self, Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what goes over the connections of all clients that were made with it, at the socket: TLS with
/// everything that it adds, and nothing of TCP.
#[derive(Debug, Default)]
pub struct Meter {
    sent: AtomicU64,
    received: AtomicU64,
    connections: AtomicU64,
    resumed: AtomicU64,
}

/// What a [`Meter`] has counted so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// Bytes sent.
    pub sent: u64,
    /// Bytes received.
    pub received: u64,
    /// Connections whose handshake went through.
    pub connections: u64,
    /// Those among them that went on with an earlier TLS session.
    pub resumed: u64,
}

impl Meter {
    /// What was counted so far.
    #[must_use]
    pub fn reading(&self) -> Reading {
        Reading {
            sent: self.sent.load(Ordering::Relaxed),
            received: self.received.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            resumed: self.resumed.load(Ordering::Relaxed),
        }
    }

    pub(super) fn connected(&self, resumed: bool) {
        self.connections.fetch_add(1, Ordering::Relaxed);
        self.resumed.fetch_add(resumed.into(), Ordering::Relaxed);
    }
}

/// A stream whose bytes are counted, where somebody wants to know.
pub(super) struct Metered<S> {
    pub(super) inner: S,
    pub(super) meter: Option<Arc<Meter>>,
}

impl<S: Read> Read for Metered<S> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let amount = self.inner.read(buffer)?;
        if let Some(meter) = &self.meter {
            meter.received.fetch_add(amount as u64, Ordering::Relaxed);
        }
        Ok(amount)
    }
}

impl<S: Write> Write for Metered<S> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let amount = self.inner.write(bytes)?;
        if let Some(meter) = &self.meter {
            meter.sent.fetch_add(amount as u64, Ordering::Relaxed);
        }
        Ok(amount)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_and_out_is_counted_once() {
        let meter = Arc::new(Meter::default());
        let mut stream = Metered {
            inner: io::Cursor::new(vec![0; 8]),
            meter: Some(meter.clone()),
        };
        stream.write_all(b"hello").unwrap();
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        meter.connected(true);
        let counted = Reading {
            sent: 5,
            received: 3,
            connections: 1,
            resumed: 1,
        };
        assert_eq!(meter.reading(), counted);
    }
}
