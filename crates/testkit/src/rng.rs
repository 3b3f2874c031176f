//! Randomness that is the same at every run.

use std::sync::Mutex;

use enlist_core::{Digest, Rng};

/// SHA-256 over a seed and a counter: fit for tests and for nothing else.
#[derive(Debug)]
pub struct SeededRng(Mutex<(u64, u64)>);

impl SeededRng {
    /// Starts from `seed`.
    pub fn new(seed: u64) -> Self {
        Self(Mutex::new((seed, 0)))
    }
}

impl Rng for SeededRng {
    fn fill(&self, bytes: &mut [u8]) {
        let mut state = self.0.lock().expect("no test panics in here");
        for piece in bytes.chunks_mut(32) {
            state.1 += 1;
            let block = Digest::of(format!("{}/{}", state.0, state.1).as_bytes());
            piece.copy_from_slice(&block.as_bytes()[..piece.len()]);
        }
    }
}
