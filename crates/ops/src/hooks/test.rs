use enlist_core::{Operator, RequestId};

use super::{Asker, HookAnswer, event, named};
use crate::enroll::MadeUp;
use crate::{Error, GroupPath, Ops};

/// How a test went.
#[derive(Debug)]
pub struct HookTested {
    /// What the hook has answered.
    pub answer: Option<HookAnswer>,
    /// Why there is no answer, or why no device would be let in with it, for people.
    pub error: Option<String>,
}

impl Ops {
    /// Asks a hook about a device that there is not, and looks whether the answer could be followed as an
    /// enrollment would. Nothing comes of it.
    ///
    /// # Errors
    /// When there is no hook, or `who` is no administrator.
    pub async fn test_hook(&self, who: &Operator, path: GroupPath) -> Result<HookTested, Error> {
        let asker = who.clone();
        let (tenant, group, hook) = self
            .inner
            .store
            .read("test_hook", move |tx| named(tx, &asker, &path))
            .await?;
        let made_up = MadeUp::new(&tenant, &group)?;
        let body = made_up.question(&tenant, &group).to_json();
        let id = RequestId::new(&*self.inner.clock, &*self.inner.rng).to_string();
        let answer = self.ask_hook(&hook, Asker::Proven, &id, body).await;
        let (answer, error, outcome) = match answer {
            Ok(answer) if !answer.allow => (Some(answer), None, "refused"),
            Ok(answer) => {
                let place = (&tenant, &group, &hook);
                match self.why_unfit(&made_up, place, &answer).await? {
                    None => (Some(answer), None, "allowed"),
                    why => (Some(answer), why, "unfit"),
                }
            }
            Err(failure) => (None, Some(failure.to_string()), "no answer"),
        };
        let event = event("hook-tested", &group, who, self.now()).with("outcome", outcome);
        self.inner
            .store
            .write("hook_tested", move |tx| {
                tx.append(&event)?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(HookTested { answer, error })
    }
}
