//! Long lists on their way out, and how much of the memory they may hold.
//!
//! All who fetch one version of a list share it. Whoever takes it slowly keeps it in memory after a newer
//! one is there, so what is superseded has a budget: when that is spent, those who are at the oldest
//! version are cut off, and start again with the newest.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use enlist_core::CaId;
use enlist_ops::CrlServed;
use hyper::body::{Frame, SizeHint};

/// Bytes that are handed to a connection at once: all that it holds of a list by itself.
const CHUNK: usize = 32 * 1024;
/// Bytes of superseded lists that are held for those who are not done with them: a dozen lists of a million
/// entries.
const BUDGET: usize = 512 * 1024 * 1024;

/// Which list: of which CA, and which part of it.
pub(super) type Which = (CaId, Option<(u16, u16)>);

/// What is being sent through one door.
#[derive(Clone, Default)]
pub(super) struct Sending(Arc<Mutex<Versions<CrlServed>>>);

struct Versions<L> {
    newest: HashMap<Which, String>,
    /// Oldest first.
    under_way: Vec<Version<L>>,
}

/// A version of a list, and those who are being sent it.
struct Version<L> {
    which: Which,
    tag: String,
    bytes: usize,
    readers: Vec<Weak<Mutex<Option<L>>>>,
}

impl Sending {
    /// Begins to send a list, which is the newest of its kind.
    pub(super) fn body(&self, which: Which, list: CrlServed) -> Body {
        let bytes = list.as_ref();
        if bytes.len() <= CHUNK {
            return Body::from(Bytes::copy_from_slice(bytes));
        }
        let left = bytes.len();
        let tag = list.tag().to_owned();
        let list = Arc::new(Mutex::new(Some(list)));
        let reader = Arc::downgrade(&list);
        self.versions().begin(which, tag, left, reader, BUDGET);
        Body::new(Rest { list, left })
    }

    fn versions(&self) -> MutexGuard<'_, Versions<CrlServed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L> Default for Versions<L> {
    fn default() -> Self {
        Self {
            newest: HashMap::new(),
            under_way: Vec::new(),
        }
    }
}

impl<L> Versions<L> {
    fn begin(
        &mut self,
        which: Which,
        tag: String,
        bytes: usize,
        reader: Weak<Mutex<Option<L>>>,
        budget: usize,
    ) {
        let under_way = &mut self.under_way;
        for version in under_way.iter_mut() {
            version.readers.retain(|reader| reader.strong_count() > 0);
        }
        under_way.retain(|version| !version.readers.is_empty());
        let same = |version: &&mut Version<L>| version.which == which && version.tag == tag;
        match under_way.iter_mut().find(same) {
            Some(version) => version.readers.push(reader),
            None => under_way.push(Version {
                which,
                tag: tag.clone(),
                bytes,
                readers: vec![reader],
            }),
        }
        self.newest.insert(which, tag);
        self.keep_to(budget);
    }

    /// Cuts off those who are at the oldest versions, until the superseded ones are within the budget.
    fn keep_to(&mut self, budget: usize) {
        let Self { newest, under_way } = self;
        let is_old = |version: &Version<L>| newest.get(&version.which) != Some(&version.tag);
        let old = under_way.iter().filter(|version| is_old(version));
        let mut held: usize = old.map(|version| version.bytes).sum();
        under_way.retain(|version| {
            if held <= budget || !is_old(version) {
                return true;
            }
            held -= version.bytes;
            for reader in version.readers.iter().filter_map(Weak::upgrade) {
                *reader.lock().unwrap_or_else(PoisonError::into_inner) = None;
            }
            false
        });
        newest.retain(|which, _| under_way.iter().any(|version| version.which == *which));
    }
}

/// What is still to be sent of a list.
struct Rest<L> {
    /// `None` when it was cut off.
    list: Arc<Mutex<Option<L>>>,
    left: usize,
}

impl<L: AsRef<[u8]>> HttpBody for Rest<L> {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let chunk = {
            let list = self.list.lock().unwrap_or_else(PoisonError::into_inner);
            let rest = list.as_ref().and_then(|list| {
                let list = list.as_ref();
                list.get(list.len().checked_sub(self.left)?..)
            });
            // A copy: a part of the list itself would keep the whole of it.
            rest.map(|rest| Bytes::copy_from_slice(&rest[..rest.len().min(CHUNK)]))
        };
        let Some(chunk) = chunk else {
            return Poll::Ready(Some(Err(io::Error::other(
                "superseded, and sent too slowly",
            ))));
        };
        self.left -= chunk.len();
        Poll::Ready(Some(Ok(Frame::data(chunk))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left as u64)
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    type Reader = Arc<Mutex<Option<u32>>>;

    fn fetch(versions: &mut Versions<u32>, which: Which, tag: u32) -> Reader {
        let reader = Arc::new(Mutex::new(Some(tag)));
        versions.begin(which, tag.to_string(), 100, Arc::downgrade(&reader), 250);
        reader
    }

    fn goes_on(reader: &Reader) -> bool {
        reader.lock().unwrap().is_some()
    }

    #[test]
    fn slow_readers_of_the_oldest_versions_are_cut_off_when_the_budget_is_spent() {
        let mut versions = Versions::default();
        let (list, other) = (
            (CaId::from_bytes([1; 16]), None),
            (CaId::from_bytes([2; 16]), None),
        );
        let elsewhere = fetch(&mut versions, other, 0);
        // Many at one version hold no more than one does.
        let first: Vec<_> = (0..10).map(|_| fetch(&mut versions, list, 1)).collect();
        let second = fetch(&mut versions, list, 2);
        let third = fetch(&mut versions, list, 3);
        assert!(first.iter().chain([&second]).all(goes_on));
        let fourth = fetch(&mut versions, list, 4);
        assert!(!first.iter().any(goes_on), "three old ones are too many");
        assert!([&second, &third, &fourth].into_iter().all(goes_on));
        // Those who are done hold nothing.
        drop((second, third));
        let fifth = fetch(&mut versions, list, 5);
        assert!([&fourth, &fifth, &elsewhere].into_iter().all(goes_on));
        let left: Vec<_> = versions.under_way.iter().map(|it| &it.tag[..]).collect();
        assert_eq!(left, ["0", "4", "5"]);
    }

    #[tokio::test]
    async fn a_list_goes_out_in_chunks_until_it_is_cut_off() {
        let bytes: Vec<u8> = (0..2 * CHUNK + 7).map(|at| at as u8).collect();
        let rest = || {
            let list = Arc::new(Mutex::new(Some(bytes.clone())));
            (list.clone(), bytes.len())
        };
        let (list, left) = rest();
        let body = Body::new(Rest { list, left });
        assert_eq!(body.size_hint().exact(), Some(left as u64));
        let sent = axum::body::to_bytes(body, usize::MAX).await.unwrap();
        assert!(sent == bytes);

        let (list, left) = rest();
        let mut body = Body::new(Rest {
            list: list.clone(),
            left,
        })
        .into_data_stream();
        assert_eq!(body.next().await.unwrap().unwrap().len(), CHUNK);
        *list.lock().unwrap() = None;
        assert!(body.next().await.unwrap().is_err());
    }
}
