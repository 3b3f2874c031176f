//! Keeping what is in memory no older than a moment.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use enlist_core::{Serial, Timestamp, explain};
use enlist_store::{StandingChange, Tx};
use tracing::{Instrument, warn};

use super::Revocation;
use crate::{Error, Ops};

/// How old what is told may be.
const A_MOMENT: Duration = Duration::from_millis(250);
/// Looking takes a fifth of a reader's time at most, where a great deal changes; up to this.
const LONGEST_MOMENT: Duration = Duration::from_secs(1);
/// How far back each look goes: a change bears the time of its server's clock, and is recorded a little
/// later.
const LOOK_BACK: Duration = Duration::from_secs(10);
/// How far back one goes every now and then: another server may have been slow to record, or its clock be
/// behind.
const LOOK_FAR_BACK: Duration = Duration::from_secs(120);
/// How often that is, where it takes no time.
const FAR_LOOK: Duration = Duration::from_secs(4);
/// After this long the next one begins, whatever became of the last.
const LONGEST_FAR_LOOK: Duration = Duration::from_secs(120);
/// How often all there is is looked at anew, for what a clock further off has hidden.
const SWEEP: Duration = Duration::from_secs(300);
/// The same, where that is a great deal.
const LONG_SWEEP: Duration = Duration::from_secs(3600);
/// Entries that are soon looked at.
const A_FEW: usize = 100_000;
/// How often it is decided in how many parts lists come.
const COUNT: Duration = Duration::from_secs(3600);
/// What was true by a clock that has been turned this far since was not true a moment ago.
const TURNED: Duration = Duration::from_secs(5);
/// A certificate stays on the lists a little longer than it is valid (RFC 5280, section 3.3).
const KEPT: Duration = Duration::from_secs(3600);
/// What one look reads at once.
const A_PAGE: usize = 10_000;

/// How far this server has followed what is recorded.
#[derive(Debug)]
pub(super) struct Following {
    /// The latest change that was seen; at most the time at which it was looked for.
    seen: Timestamp,
    /// When all there is was looked at; `None` before the first time.
    swept_at: Option<Timestamp>,
    /// How much that was.
    entries: usize,
    /// When the parts of lists were counted.
    counted_at: Option<Timestamp>,
    /// When a look is to go far back again.
    look_far_at: Option<Instant>,
}

impl Default for Following {
    fn default() -> Self {
        Self {
            seen: Timestamp::from_millis(i64::MIN),
            swept_at: None,
            entries: 0,
            counted_at: None,
            look_far_at: None,
        }
    }
}

/// The last look.
#[derive(Debug, Clone, Copy)]
pub(super) struct Looked {
    /// When it began.
    at: Instant,
    /// The same, by the clock.
    time: Timestamp,
    /// For how long it is good.
    good_for: Duration,
    /// What this server itself had changed by then.
    nudges: u64,
}

impl Following {
    fn is_due(&self, now: Timestamp) -> bool {
        let every = if self.entries > A_FEW {
            LONG_SWEEP
        } else {
            SWEEP
        };
        self.swept_at.is_none_or(|at| now >= at + every)
    }
}

impl Revocation {
    /// When what is in memory was true, where that is but a moment ago.
    fn fresh(&self, now: Timestamp) -> Option<Timestamp> {
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked
            .filter(|looked| {
                looked.nudges == self.nudges.count()
                    && looked.at.elapsed() < looked.good_for
                    && looked.time <= now
                    && now < looked.time + TURNED
            })
            .map(|looked| looked.time)
    }

    fn has_looked(&self, at: Instant, time: Timestamp, nudges: u64) {
        let good_for = (at.elapsed() * 4).clamp(A_MOMENT, LONGEST_MOMENT);
        let looked = Looked {
            at,
            time,
            good_for,
            nudges,
        };
        self.nudges.seen(nudges);
        *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(looked);
    }
}

impl Ops {
    /// Runs a writing job after which certificates stand otherwise than before: whoever asks this server
    /// next is told so.
    pub(crate) async fn change_standing<T: Send + 'static>(
        &self,
        name: &'static str,
        job: impl FnMut(&mut Tx<'_>) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        // However long it waits for its turn to be recorded, it does not bear an earlier time than this.
        let since = self.now() - LOOK_BACK;
        let ops = self.clone();
        // Where the one who asked goes away, it may be recorded all the same.
        let recording = async move {
            let done = ops.inner.store.write(name, job).await;
            ops.inner.revocation.nudges.add(since);
            done
        };
        tokio::spawn(recording.in_current_span())
            .await
            .map_err(|_| Error::Inconsistent("recording a change of standing panicked"))?
    }

    /// Makes sure that what is in memory was true a moment ago. Returns when that was.
    ///
    /// # Errors
    /// When the store can't be read: then nothing can be told.
    pub(super) async fn follow_revocations(&self) -> Result<Timestamp, Error> {
        let revocation = &self.inner.revocation;
        if let Some(time) = revocation.fresh(self.now()) {
            return Ok(time);
        }
        let mut following = revocation.following.lock().await;
        let now = self.now();
        if let Some(time) = revocation.fresh(now) {
            return Ok(time);
        }
        let (nudges, changed) = revocation.nudges.open();
        let started = Instant::now();
        if following.swept_at.is_none() {
            // Whoever asks meanwhile waits: before this nothing is known.
            let mut from = Some(first_page(now));
            while let Some(page) = from {
                from = self.sweep_page(&mut following, page, now).await?;
            }
            following.swept_at = Some(now);
        }
        let (far, since) = (following.seen - LOOK_FAR_BACK, following.seen - LOOK_BACK);
        let since = changed.map_or(since, |changed| since.min(changed));
        self.catch_up(&mut following, since).await?;
        if following.look_far_at.is_none_or(|at| started >= at) {
            following.look_far_at = Some(started + LONGEST_FAR_LOOK);
            tokio::spawn(self.clone().look_far_back(far));
        }
        revocation.has_looked(started, now, nudges);
        Ok(now)
    }

    /// How long ago this server last knew all that was revoked; `None` before the first time. It looks about
    /// once a minute, and whenever it is asked.
    pub fn revocations_known_for(&self) -> Option<Duration> {
        let looked = self.inner.revocation.looked.lock();
        let looked = looked.unwrap_or_else(PoisonError::into_inner);
        looked.as_ref().map(|looked| looked.at.elapsed())
    }

    /// Looks at all there is anew, where it is time; also drops what has expired. Returns how many entries
    /// there are, where it was.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn look_after_revocations(&self) -> Result<Option<usize>, Error> {
        let revocation = &self.inner.revocation;
        let now = self.now();
        let _sweeping = revocation.sweeping.lock().await;
        let counted_at = revocation.following.lock().await.counted_at;
        if counted_at.is_none_or(|at| now >= at + COUNT) {
            self.count_partitions().await?;
            revocation.following.lock().await.counted_at = Some(now);
        }
        if !revocation.following.lock().await.is_due(now) {
            self.follow_revocations().await?;
            return Ok(None);
        }
        self.learn_issuers().await?;
        revocation.state_mut().begin_sweep();
        let mut from = Some(first_page(now));
        while let Some(page) = from {
            // Others get their turn between two pages.
            let mut following = revocation.following.lock().await;
            from = self.sweep_page(&mut following, page, now).await?;
        }
        let mut following = revocation.following.lock().await;
        let count = revocation.state_mut().end_sweep();
        following.swept_at = Some(now);
        following.entries = count;
        drop(following);
        self.follow_revocations().await?;
        Ok(Some(count))
    }

    async fn sweep_page(
        &self,
        following: &mut Following,
        (not_after, after): (Timestamp, Option<Serial>),
        now: Timestamp,
    ) -> Result<Option<(Timestamp, Option<Serial>)>, Error> {
        let (page, next) = self
            .inner
            .store
            .read("revocations_live", move |tx| {
                tx.revocations_live(not_after, after, A_PAGE)
            })
            .await
            .map_err(Error::from)?;
        self.apply(&page).await?;
        let latest = page.iter().map(|change| change.since).max();
        // What is changed behind this page's back is later than `now`.
        following.seen = following
            .seen
            .max(latest.unwrap_or(following.seen).min(now));
        Ok(next.map(|(not_after, serial)| (not_after, Some(serial))))
    }

    async fn catch_up(&self, following: &mut Following, since: Timestamp) -> Result<(), Error> {
        let mut from = Some((since, None));
        while let Some(page) = from {
            from = self.changed_page(following, page).await?;
        }
        Ok(())
    }

    async fn changed_page(
        &self,
        following: &mut Following,
        (since, after): (Timestamp, Option<Serial>),
    ) -> Result<Option<(Timestamp, Option<Serial>)>, Error> {
        let now = self.now();
        let page = self
            .inner
            .store
            .read("standings_changed", move |tx| {
                tx.standings_changed(since, after, A_PAGE)
            })
            .await
            .map_err(Error::from)?;
        self.apply(&page).await?;
        let Some(last) = page.last() else {
            return Ok(None);
        };
        following.seen = following.seen.max(last.since.min(now));
        let more = page.len() == A_PAGE;
        Ok(more.then_some((last.since, Some(last.serial))))
    }

    /// Looks for what was recorded late. That may be a great deal, so nobody waits for it.
    async fn look_far_back(self, since: Timestamp) {
        let following = &self.inner.revocation.following;
        let started = Instant::now();
        let mut from = Some((since, None));
        while let Some(page) = from {
            let mut following = following.lock().await;
            from = match self.changed_page(&mut following, page).await {
                Ok(next) => next,
                Err(error) => {
                    warn!(error = %explain(&error), "what was revoked a while ago could not be looked up");
                    None
                }
            };
        }
        let pause = FAR_LOOK.max(started.elapsed() * 10);
        following.lock().await.look_far_at = Some(Instant::now() + pause);
    }

    async fn apply(&self, changes: &[StandingChange]) -> Result<(), Error> {
        if changes.is_empty() {
            return Ok(());
        }
        let gone = self.now() - KEPT;
        let mut issuers = self.inner.revocation.issuers.known();
        let all_known = changes
            .iter()
            .all(|one| issuers.by_id(one.issuer).is_some());
        if !all_known {
            // Under another of its CA's ids a certificate would be on no list.
            issuers = self.learn_issuers().await?;
        }
        let mut state = self.inner.revocation.state_mut();
        for change in changes.iter().filter(|change| change.not_after > gone) {
            state.apply(issuers.canonical(change.issuer), change);
        }
        Ok(())
    }
}

fn first_page(now: Timestamp) -> (Timestamp, Option<Serial>) {
    (now - KEPT, None)
}
