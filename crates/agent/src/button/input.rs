use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use rustix::fs::OFlags;

use super::held::Edge;
use super::watch::Source;
use crate::config::InputKey;

/// One `struct input_event` of the kernel: a time of two machine words, type, code, value.
const EVENT: usize = 2 * size_of::<usize>() + 8;
const EV_SYN: u16 = 0;
const EV_KEY: u16 = 1;
const SYN_DROPPED: u16 = 3;

/// A key of an input device.
pub(super) struct Input {
    file: File,
    key: u16,
    /// The beginning of an event that has not come whole yet.
    rest: Vec<u8>,
}

impl Input {
    pub(super) fn open(key: &InputKey) -> io::Result<Self> {
        let flags = (OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC).bits();
        let file = OpenOptions::new()
            .read(true)
            .custom_flags(i32::from_ne_bytes(flags.to_ne_bytes()))
            .open(&key.input)?;
        Ok(Self {
            file,
            key: key.key,
            rest: Vec::new(),
        })
    }

    fn edge(&self, event: &[u8]) -> Option<Edge> {
        let (kind, code, value) = parts(event)?;
        match (kind, code, value) {
            (EV_KEY, code, 0) if code == self.key => Some(Edge::Up),
            (EV_KEY, code, 1) if code == self.key => Some(Edge::Down),
            // The kernel had no room for what happened: it may have come up.
            (EV_SYN, SYN_DROPPED, _) => Some(Edge::Up),
            _ => None,
        }
    }
}

impl Source for Input {
    fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    fn read(&mut self) -> io::Result<Vec<Edge>> {
        let mut buffer = [0; 64 * EVENT];
        match self.file.read(&mut buffer) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => self.rest.extend_from_slice(&buffer[..len]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        let whole = self.rest.len() / EVENT * EVENT;
        let events: Vec<u8> = self.rest.drain(..whole).collect();
        let edges = events
            .chunks_exact(EVENT)
            .filter_map(|event| self.edge(event));
        Ok(edges.collect())
    }
}

fn parts(event: &[u8]) -> Option<(u16, u16, i32)> {
    let after_time = event.get(2 * size_of::<usize>()..)?;
    let [a, b, c, d, v @ ..] = after_time else {
        return None;
    };
    let value = i32::from_ne_bytes(v.try_into().ok()?);
    Some((
        u16::from_ne_bytes([*a, *b]),
        u16::from_ne_bytes([*c, *d]),
        value,
    ))
}
