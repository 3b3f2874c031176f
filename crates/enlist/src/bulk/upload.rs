//! Sending names while results come back.

use std::io::{BufRead, BufReader, Error, ErrorKind, Read};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::Frame;
use tokio::sync::mpsc;

/// Bytes that are sent at once.
const CHUNK: usize = 32 * 1024;
/// The longest line that is taken for a name. A longer one is no list of names.
const MAX_LINE: u64 = 4096;

/// The body of the request: whole, or line by line.
pub enum Body {
    /// All of it at once.
    Whole(Option<Bytes>),
    /// As the reader gives it.
    Lines(mpsc::Receiver<Result<Bytes, Error>>),
}

/// How far the upload has come.
#[derive(Clone)]
pub struct Uploading(Arc<Mutex<State>>);

/// Where what was read goes to.
type Pieces = mpsc::Sender<Result<Bytes, Error>>;

enum State {
    UnderWay,
    Done,
    Failed(Option<Error>),
}

impl Body {
    /// A body that is there already.
    pub fn whole(bytes: Vec<u8>) -> Self {
        Self::Whole(Some(bytes.into()))
    }

    /// A body of JSON strings, one for each line of `input` that is not empty. Reading may block,
    /// so that it has a thread of its own.
    pub fn lines(input: Box<dyn Read + Send>) -> (Self, Uploading) {
        Self::of(input, read)
    }

    /// A body of all that `input` has, as it is.
    pub fn file(input: Box<dyn Read + Send>) -> (Self, Uploading) {
        Self::of(input, copy)
    }

    fn of(
        input: Box<dyn Read + Send>,
        pass: fn(Box<dyn Read + Send>, &Pieces) -> Result<(), Error>,
    ) -> (Self, Uploading) {
        // The bound is what keeps memory constant: the reader waits for the network.
        let (sender, receiver) = mpsc::channel(4);
        let uploading = Uploading(Arc::new(Mutex::new(State::UnderWay)));
        let told = uploading.clone();
        tokio::task::spawn_blocking(move || match pass(input, &sender) {
            Ok(()) => told.set(State::Done),
            Err(error) => {
                told.set(State::Failed(Some(error)));
                let broken = Error::from(ErrorKind::Other);
                let _ = sender.blocking_send(Err(broken));
            }
        });
        (Self::Lines(receiver), uploading)
    }
}

impl Uploading {
    /// An upload that needs no time.
    pub fn done() -> Self {
        Self(Arc::new(Mutex::new(State::Done)))
    }

    /// Whether there is more to send.
    pub fn is_under_way(&self) -> bool {
        matches!(*self.state(), State::UnderWay)
    }

    /// Why the names could not be read to their end.
    pub fn failure(&self) -> Option<Error> {
        match &mut *self.state() {
            State::Failed(error) => error.take(),
            _ => None,
        }
    }

    fn set(&self, state: State) {
        *self.state() = state;
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Lines(receiver) => receiver
                .poll_recv(context)
                .map(|chunk| chunk.map(|chunk| chunk.map(Frame::data))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }
}

/// Reads lines and passes them on until there are none, or nobody takes them any more.
fn read(input: Box<dyn Read + Send>, sender: &Pieces) -> Result<(), Error> {
    let mut input = BufReader::with_capacity(CHUNK, input);
    let mut chunk = Vec::with_capacity(CHUNK + 2 * MAX_LINE as usize);
    let mut line = String::new();
    for number in 1_u64.. {
        line.clear();
        if input.by_ref().take(MAX_LINE + 1).read_line(&mut line)? == 0 {
            break;
        }
        if line.len() as u64 > MAX_LINE {
            let what = format!("line {number} is over {MAX_LINE} bytes: this is no list of names");
            return Err(Error::new(ErrorKind::InvalidData, what));
        }
        let name = line.trim();
        if name.is_empty() {
            continue;
        }
        serde_json::to_writer(&mut chunk, name)?;
        chunk.push(b'\n');
        // Whoever types names wants to see them taken, so that what has come is not held back.
        if chunk.len() >= CHUNK || input.buffer().is_empty() {
            let full = std::mem::take(&mut chunk);
            if sender.blocking_send(Ok(full.into())).is_err() {
                return Ok(());
            }
        }
    }
    if !chunk.is_empty() {
        let _ = sender.blocking_send(Ok(chunk.into()));
    }
    Ok(())
}

/// Passes on all that there is, until nobody takes it any more.
fn copy(mut input: Box<dyn Read + Send>, sender: &Pieces) -> Result<(), Error> {
    let mut chunk = vec![0; CHUNK];
    loop {
        let read = match input.read(&mut chunk) {
            Ok(0) => return Ok(()),
            Ok(read) => read,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = Bytes::copy_from_slice(&chunk[..read]);
        if sender.blocking_send(Ok(piece)).is_err() {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;

    use super::*;

    async fn sent(text: &str) -> (Result<String, Error>, Uploading) {
        let input = Box::new(std::io::Cursor::new(text.to_owned().into_bytes()));
        let (body, uploading) = Body::lines(input);
        let bytes = body
            .collect()
            .await
            .map(http_body_util::Collected::to_bytes);
        let text = bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
        (text, uploading)
    }

    #[tokio::test]
    async fn names_are_sent_as_json_strings_whatever_they_hold() {
        let (text, uploading) = sent("a\r\n\n  b \n\"c\\\nlast").await;
        assert_eq!(text.unwrap(), "\"a\"\n\"b\"\n\"\\\"c\\\\\"\n\"last\"\n");
        assert!(uploading.failure().is_none());
    }

    #[tokio::test]
    async fn what_is_no_list_of_names_is_told_by_its_line() {
        let (text, uploading) = sent(&format!("a\n{}", "x".repeat(5000))).await;
        assert!(text.is_err());
        let failure = uploading.failure().unwrap().to_string();
        assert!(failure.contains("line 2"), "{failure}");
    }
}
