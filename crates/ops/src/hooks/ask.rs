//! Asking a hook: bounded in time, bytes and number, and without an answer there is no yes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use enlist_core::{GroupId, Hook, TenantId};
use tokio::sync::Semaphore;

use super::answer::{BadHookAnswer, HookAnswer, MOST_BYTES};
use crate::Ops;
use crate::outbound::{Call, CallFor, OutboundError, SigningSecret, Target, signature_headers};

/// Questions to one hook at the same time, beside those of strangers. A receiver is called sixteen times at
/// once at most, so that two hooks of one receiver don't stand in each other's way.
const AT_ONCE: usize = 6;
/// Questions that wait for their turn; more are turned away at once.
const MOST_WAITING: usize = 256;
/// The same for those about strangers, so that these keep nobody else from being asked about.
const STRANGERS_AT_ONCE: usize = 2;
const MOST_STRANGERS_WAITING: usize = 16;
/// The longest that a question waits for its turn.
const A_TURN: Duration = Duration::from_secs(5);
/// Hooks whose turns are remembered.
const MOST_GATES: usize = 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum HookFailure {
    /// It is asked by too many already.
    #[error("it is slow, and as many devices wait for it as may")]
    Crowded,
    /// What requests are signed with can't be had.
    #[error("its signing secret can't be opened")]
    Secret(#[source] enlist_keys::WrappingKeyError),
    /// There was no reply of use.
    #[error(transparent)]
    Call(#[from] OutboundError),
    /// It has answered with something else than yes or no.
    #[error("it answered with the status {0}")]
    Status(u16),
    /// Its answer is none.
    #[error("its answer is not taken: {0}")]
    Answer(#[from] BadHookAnswer),
    /// Its answer can't be followed.
    #[error("its answer can't be followed: {0}")]
    Unfit(String),
}

/// The turns of all hooks.
#[derive(Default)]
pub(crate) struct Gates {
    gates: Mutex<HashMap<(TenantId, GroupId, Asker), Arc<Gate>>>,
}

/// About whom is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Asker {
    /// Somebody with a secret or a proof.
    Proven,
    /// Somebody with neither.
    Stranger,
}

struct Gate {
    running: Semaphore,
    waiting: Semaphore,
}

impl Gates {
    fn of(&self, hook: &Hook, asker: Asker) -> Arc<Gate> {
        let mut gates = self.gates.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MOST_GATES {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1);
        }
        let (at_once, most_waiting) = match asker {
            Asker::Proven => (AT_ONCE, MOST_WAITING),
            Asker::Stranger => (STRANGERS_AT_ONCE, MOST_STRANGERS_WAITING),
        };
        let key = (hook.tenant, hook.group, asker);
        let gate = gates.entry(key).or_insert_with(|| {
            Arc::new(Gate {
                running: Semaphore::new(at_once),
                waiting: Semaphore::new(most_waiting),
            })
        });
        gate.clone()
    }
}

impl Ops {
    /// Asks a hook. The same `id` is the same question, asked again.
    pub(crate) async fn ask_hook(
        &self,
        hook: &Hook,
        asker: Asker,
        id: &str,
        body: Vec<u8>,
    ) -> Result<HookAnswer, HookFailure> {
        let gate = self.inner.hook_gates.of(hook, asker);
        let _turn = if let Ok(turn) = gate.running.try_acquire() {
            turn
        } else {
            let _place = gate
                .waiting
                .try_acquire()
                .map_err(|_| HookFailure::Crowded)?;
            match tokio::time::timeout(A_TURN, gate.running.acquire()).await {
                Ok(Ok(turn)) => turn,
                Ok(Err(_)) | Err(_) => return Err(HookFailure::Crowded),
            }
        };
        let (wrapping, now) = (self.inner.authorities.wrapping(), self.now());
        let before = hook.secret_before.as_ref();
        let secrets = SigningSecret::open_all(wrapping, &hook.sealed_secret, before, now)
            .map_err(HookFailure::Secret)?;
        let call = Call {
            of: CallFor::Hook,
            target: target(hook),
            headers: signature_headers(&secrets, id, now, &body),
            body,
            timeout: hook.timeout,
            most_bytes: MOST_BYTES,
        };
        let reply = self.inner.outbound.call(call).await?;
        if !reply.is_success() {
            return Err(HookFailure::Status(reply.status));
        }
        Ok(HookAnswer::read(&reply.body)?)
    }
}

pub(super) fn target(hook: &Hook) -> Target {
    Target {
        url: hook.url.clone(),
        anchors_pem: hook.anchors.clone(),
    }
}
