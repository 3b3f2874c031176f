//! Looking into the record for what strangers ask for.

use std::time::{Duration, Instant};

use tokio::sync::Mutex;
use tokio::time::{sleep, timeout};

use crate::Error;

/// What is not known makes this server look again this often at most: looking takes a tenth of the time
/// or so.
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// However long it takes, the next one is not kept waiting for longer.
const LONGEST: Duration = Duration::from_secs(1);
/// Who asks waits this long for a look.
const PATIENCE: Duration = Duration::from_secs(5);

/// One looks at a time, and not all the time; all who ask meanwhile share what that finds.
#[derive(Default)]
pub(super) struct Looks(Mutex<Option<Look>>);

struct Look {
    began: Instant,
    took: Duration,
    worked: bool,
}

impl Look {
    fn pause(&self) -> Duration {
        let every = (self.took * 10).clamp(LOOK_AGAIN, LONGEST);
        every.saturating_sub(self.began.elapsed())
    }
}

impl Looks {
    /// Returns once `found` is true, or a look that began after this was called has found nothing.
    ///
    /// # Errors
    /// When looking fails or takes too long: then nobody knows.
    pub(super) async fn until<F>(
        &self,
        found: impl Fn() -> bool,
        look: impl FnOnce() -> F,
    ) -> Result<(), Error>
    where
        F: Future<Output = Result<(), Error>>,
    {
        let asked = Instant::now();
        let looking = async {
            let mut last = self.0.lock().await;
            if found() {
                return Ok(());
            }
            if let Some(last) = &*last {
                match (last.began >= asked, last.worked) {
                    (true, true) => return Ok(()),
                    (true, false) => return Err(Error::Busy { retry_after_s: 1 }),
                    (false, _) => sleep(last.pause()).await,
                }
            }
            // It counts as failed where the one who looks goes away meanwhile.
            let this = last.insert(Look {
                began: Instant::now(),
                took: LONGEST,
                worked: false,
            });
            let done = look().await;
            this.took = this.began.elapsed();
            this.worked = done.is_ok();
            done
        };
        timeout(PATIENCE, looking)
            .await
            .unwrap_or(Err(Error::Busy { retry_after_s: 1 }))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test]
    async fn those_who_ask_at_once_share_one_look_and_nobody_is_told_of_a_failed_one() {
        let (looks, count) = (Looks::default(), AtomicU32::new(0));
        let ask = |works: bool| {
            looks.until(|| false, {
                let count = &count;
                async move || {
                    count.fetch_add(1, Ordering::Relaxed);
                    sleep(Duration::from_millis(20)).await;
                    works
                        .then_some(())
                        .ok_or(Error::Inconsistent("the record is gone"))
                }
            })
        };
        let (one, two, three) = tokio::join!(ask(true), ask(true), ask(true));
        assert!(one.is_ok() && two.is_ok() && three.is_ok());
        // What the first one finds may be older than the others' question: they share the next.
        assert_eq!(count.load(Ordering::Relaxed), 2);
        let (one, two) = tokio::join!(ask(false), ask(true));
        assert!(one.is_err() && two.is_err());
        assert_eq!(count.load(Ordering::Relaxed), 3);
        assert!(looks.until(|| true, async || Ok(())).await.is_ok());
    }
}
