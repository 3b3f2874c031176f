use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use gpiocdev::Request;
use gpiocdev::line::{EdgeDetection, EdgeKind};

use super::held::Edge;
use super::watch::Source;
use crate::config::GpioLine;

/// Contacts bounce for a few milliseconds.
const DEBOUNCE: Duration = Duration::from_millis(10);

/// A GPIO line, through the kernel's character device.
pub(super) struct Line(Request);

impl Line {
    pub(super) fn open(line: &GpioLine) -> io::Result<Self> {
        let mut builder = Request::builder();
        builder
            .on_chip(&line.gpio)
            .with_consumer("enlist-agent")
            .with_line(line.line)
            .as_input();
        if line.active_low {
            builder.as_active_low();
        }
        builder
            .with_edge_detection(EdgeDetection::BothEdges)
            .with_debounce_period(DEBOUNCE);
        builder.request().map(Self).map_err(io::Error::other)
    }
}

impl Source for Line {
    fn fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    fn read(&mut self) -> io::Result<Vec<Edge>> {
        let mut edges = Vec::new();
        while self.0.has_edge_event().map_err(io::Error::other)? {
            let event = self.0.read_edge_event().map_err(io::Error::other)?;
            // Rising is towards active, whichever level that is.
            edges.push(match event.kind {
                EdgeKind::Rising => Edge::Down,
                EdgeKind::Falling => Edge::Up,
            });
        }
        Ok(edges)
    }
}
