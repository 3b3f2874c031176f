//! A job on its way to a thread and back.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use tokio::sync::oneshot::Sender;
use tracing::Span;
use tracing::field::Empty;

use crate::StoreError;
use crate::stats::Fared;
use crate::tx::Tx;

/// A job, whatever it returns.
pub(crate) trait Job: Send {
    /// Its name, for logs.
    fn name(&self) -> &'static str;

    /// Whether it only reads.
    fn reads(&self) -> bool;

    /// When it was asked for.
    fn asked(&self) -> Instant;

    /// Whether its caller still waits for it.
    fn is_wanted(&self) -> bool;

    /// Runs it and keeps what it returns. Says whether that is a success.
    fn run(&mut self, tx: &mut Tx<'_>) -> bool;

    /// Tells whoever traces the request how it fared.
    fn trace(&self, fared: &Fared);

    /// Answers the caller with what the last run returned.
    fn answer(self: Box<Self>);

    /// Answers the caller that it was not done.
    fn refuse(self: Box<Self>, why: StoreError);
}

pub(crate) struct Named<T, E, F> {
    pub(crate) name: &'static str,
    pub(crate) reads: bool,
    pub(crate) work: F,
    pub(crate) result: Option<Result<T, E>>,
    pub(crate) reply: Sender<Result<T, E>>,
    pub(crate) asked: Instant,
    /// Of the request's trace, where it has one; it ends with the answer.
    pub(crate) span: Span,
}

/// The part of a request's trace that a job is. Without a trace, or nobody who takes it down, it is none.
pub(crate) fn span(name: &'static str, reads: bool) -> Span {
    tracing::trace_span!(
        target: "enlist_trace",
        "transaction",
        transaction = name,
        reads,
        wait_us = Empty,
        run_us = Empty,
        success = Empty,
    )
}

impl<T, E, F> Job for Named<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&mut Tx<'_>) -> Result<T, E> + Send,
{
    fn name(&self) -> &'static str {
        self.name
    }

    fn reads(&self) -> bool {
        self.reads
    }

    fn asked(&self) -> Instant {
        self.asked
    }

    fn is_wanted(&self) -> bool {
        !self.reply.is_closed()
    }

    fn trace(&self, fared: &Fared) {
        if !self.span.is_disabled() {
            let micros = |duration: std::time::Duration| duration.as_micros() as u64;
            self.span.record("wait_us", micros(fared.waited));
            self.span.record("run_us", micros(fared.ran));
            self.span.record("success", fared.success);
        }
    }

    fn run(&mut self, tx: &mut Tx<'_>) -> bool {
        // A job that panics must not take the thread and the other jobs with it. What it left
        // behind in the database is undone, and its own variables are never used again.
        let result = catch_unwind(AssertUnwindSafe(|| (self.work)(tx))).unwrap_or_else(|panic| {
            tracing::error!(job = self.name, panic = said(&*panic), "a job panicked");
            Err(StoreError::Panicked { job: self.name }.into())
        });
        let success = result.is_ok();
        self.result = Some(result);
        success
    }

    fn answer(self: Box<Self>) {
        let result = self
            .result
            .unwrap_or_else(|| Err(StoreError::Panicked { job: self.name }.into()));
        // A caller that has gone needs no answer.
        let _ = self.reply.send(result);
    }

    fn refuse(self: Box<Self>, why: StoreError) {
        let _ = self.reply.send(Err(why.into()));
    }
}

fn said(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("something that is no text")
}
