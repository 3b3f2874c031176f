//! Whether a load balancer is to send anybody here.

use std::sync::Arc;
use std::time::Duration;

use enlist_ops::{Error, Ops};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use crate::phase::{Phase, Phases};
use crate::problem::Refusal;

/// Anybody may ask, and as often as they like: the store is asked this often at most.
const KEPT: Duration = Duration::from_secs(1);
/// So long is an answer waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// What `/readyz` knows. Cheap to clone; every clone is the same.
#[derive(Clone)]
pub(crate) struct Readiness {
    ops: Ops,
    phases: Phases,
    looked: Arc<Mutex<Looked>>,
}

#[derive(Default)]
struct Looked {
    last: Option<(Instant, Found)>,
    /// A look that has not come to an end: no second one is begun beside it.
    under_way: Option<(Instant, JoinHandle<Result<(), Error>>)>,
}

#[derive(Clone)]
enum Found {
    Ready,
    /// Why it is not.
    Not(Arc<Error>),
    /// It has not answered since then.
    Silent(Instant),
}

impl Readiness {
    pub(crate) fn new(ops: Ops, phases: Phases) -> Self {
        Self {
            ops,
            phases,
            looked: Arc::default(),
        }
    }

    /// Whether the server can do its work, as of a second ago at most.
    pub(crate) async fn ask(&self) -> Result<(), Refusal> {
        if self.phases.now() > Phase::Serving {
            return Err(Refusal::stopping());
        }
        let mut looked = self.looked.lock().await;
        let found = match &looked.last {
            Some((at, found)) if at.elapsed() < KEPT => found.clone(),
            before => {
                let was_ready = before.as_ref().map(|(_, found)| found.is_ready());
                let found = self.look(&mut looked).await;
                tell(was_ready, &found);
                looked.last = Some((Instant::now(), found.clone()));
                found
            }
        };
        match found {
            Found::Ready => Ok(()),
            Found::Not(error) => Err(Refusal::not_ready(&error)),
            Found::Silent(since) => Err(Refusal::store_silent(since.elapsed().as_secs())),
        }
    }

    async fn look(&self, looked: &mut Looked) -> Found {
        // One that came to an end when nobody waited for it any more says how it was then.
        looked.under_way.take_if(|(_, look)| look.is_finished());
        // It stays there while it is waited for, so that one who hangs up and asks again begins no other.
        let (since, look) = looked.under_way.get_or_insert_with(|| {
            let ops = self.ops.clone();
            let look = tokio::spawn(async move { ops.ready().await });
            (Instant::now(), look)
        });
        let since = *since;
        let Ok(done) = timeout(PATIENCE, look).await else {
            return Found::Silent(since);
        };
        looked.under_way = None;
        match done {
            // One that has more work than it takes in does it none the less.
            Ok(Ok(()) | Err(Error::Busy { .. })) => Found::Ready,
            Ok(Err(error)) => Found::Not(Arc::new(error)),
            Err(_) => Found::Not(Arc::new(Error::Inconsistent("the look at the store broke"))),
        }
    }
}

impl Found {
    fn is_ready(&self) -> bool {
        matches!(self, Self::Ready)
    }
}

/// Logs when it changes, and not at each look.
fn tell(was_ready: Option<bool>, found: &Found) {
    match found {
        Found::Ready if was_ready == Some(false) => info!("ready again"),
        Found::Not(error) if was_ready != Some(false) => {
            warn!(error = %enlist_core::explain(&**error), "not ready");
        }
        Found::Silent(_) if was_ready != Some(false) => {
            warn!("not ready: the database does not answer");
        }
        _ => {}
    }
}
