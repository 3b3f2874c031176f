use enlist_core::Timestamp;
use enlist_signed::{Envelope, ErasedItem, Erasure, Receipt};

use super::{Journal, Planned, Thing, Who};
use crate::machine::Failure;

/// What to do next.
#[derive(Clone, Debug)]
pub enum Step {
    /// Tell the server that the device is about to be wiped. Answer: [`Outcome::Told`].
    Tell(Who),
    /// Look what there is to erase, user data first. Answer: [`Outcome::Surveyed`].
    Survey,
    /// Erase this. Answer: [`Outcome::Erased`], however it went.
    Erase(Thing),
    /// Sign the receipt with the key in this slot. Answer: [`Outcome::Signed`].
    Sign(Box<Receipt>, u64),
    /// Destroy every key, and with them everything but the journal and what it takes to hand in the
    /// receipt. Answer: [`Outcome::KeysGone`].
    DestroyKeys,
    /// Hand in the receipt. Answer: [`Outcome::Received`].
    HandIn(Box<Envelope>),
    /// Leave a copy of the receipt. Answer: [`Outcome::Copied`].
    Copy(Box<Envelope>),
    /// Erase what is left, the journal last. Answer: [`Outcome::Closed`].
    Close,
    /// Write the journal, durably. Answer: [`Outcome::Saved`].
    Save(Box<Journal>),
    /// Nothing before this time. No answer.
    Wait(Timestamp),
    /// The device is clean: there is nothing to do any more. No answer.
    Done,
}

/// What came of a step.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The server knows.
    Told,
    /// This is to be erased.
    Surveyed(Vec<Planned>),
    /// This came of it.
    Erased(Erasure),
    /// The receipt.
    Signed(Box<Envelope>),
    /// The keys are gone.
    KeysGone,
    /// The server has the receipt on record.
    Received,
    /// The copy is there.
    Copied,
    /// Nothing is left.
    Closed,
    /// The journal is written.
    Saved,
    /// It came to nothing.
    Failed(Failure),
}

/// What is worth telling a person.
#[derive(Clone, Debug)]
pub enum Note {
    /// The server knows that the device is about to be wiped.
    Told,
    /// The server could not be told; the receipt will tell it.
    NotTold(Failure),
    /// One thing was erased, or not.
    Erased(ErasedItem),
    /// The receipt is signed.
    Signed,
    /// There will be no receipt; why.
    NoReceipt(String),
    /// The keys are destroyed.
    KeysGone,
    /// The server has the receipt on record.
    Received,
    /// The server will never take the receipt; why. A copy is left.
    Refused(String),
    /// The device is clean.
    Clean,
    /// Something went wrong and is tried again.
    Trouble {
        /// What.
        failure: Failure,
        /// Whether it is the same as the last time.
        again: bool,
        /// When it is tried again.
        until: Timestamp,
    },
}
