use enlist_core::{Digest, Operator, RequestId};

use super::{Asker, Hardware, HookAnswer, Question, base64, event, named};
use crate::{Error, GroupPath, Ops};

/// How a test went.
#[derive(Debug)]
pub struct HookTested {
    /// What the hook has answered; why there is no answer, for people.
    pub answer: Result<HookAnswer, String>,
}

impl Ops {
    /// Asks a hook about a device that there is not. Nothing follows from the answer.
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
        let hardware = "serial:TEST-0001".parse()?;
        let body = Question {
            kind: "test",
            tenant: tenant.name.as_str(),
            group: group.name.as_str(),
            name: Some("test-device"),
            hardware: Some(Hardware::of(&hardware)),
            attested: None,
            key: Digest::of(b"test").to_hex(),
            csr: base64(b"test"),
            source: "192.0.2.1".to_owned(),
            secret: Some("test"),
            created: None,
            needs_approval: false,
        };
        let id = RequestId::new(&*self.inner.clock, &*self.inner.rng).to_string();
        let answer = self
            .ask_hook(&hook, Asker::Proven, &id, body.to_json())
            .await;
        let answer = answer.map_err(|failure| failure.to_string());
        let outcome = match &answer {
            Ok(answer) if answer.allow => "allowed",
            Ok(_) => "refused",
            Err(_) => "no answer",
        };
        let event = event("hook-tested", &group, who, self.now()).with("outcome", outcome);
        self.inner
            .store
            .write("hook_tested", move |tx| {
                tx.append(&event)?;
                Ok::<_, Error>(())
            })
            .await?;
        Ok(HookTested { answer })
    }
}
