//! Asking the hook of a group about a newcomer.

use enlist_attest::Attested;
use enlist_core::{Digest, Group, Hook, Name, Tenant, Timestamp, lower_hex};
use tracing::info;

use super::Asked;
use super::examine::{Finding, Ground};
use crate::hooks::{Asker, Created, Hardware, HookAnswer, Question, base64};
use crate::{Error, Ops};

/// What a hook has said about a request.
pub(super) struct Said {
    /// Which hook: one that was made at another time is another one.
    hook: Timestamp,
    pub(super) answer: HookAnswer,
}

impl Said {
    pub(super) fn new(hook: &Hook, answer: HookAnswer) -> Self {
        Self {
            hook: hook.created_at,
            answer,
        }
    }
}

impl Asked {
    /// What a hook is asked about a device that nobody has created, and nobody is to approve.
    pub(super) fn question<'a>(
        &'a self,
        kind: &'static str,
        (tenant, group): (&'a Tenant, &'a Group),
        secret: Option<&'a str>,
    ) -> Question<'a> {
        let attested = self.attested.as_ref().map(Attested::identity);
        Question {
            kind,
            tenant: tenant.name.as_str(),
            group: group.name.as_str(),
            name: self.name.as_ref().map(Name::as_str),
            hardware: self.hardware.as_ref().map(Hardware::of),
            attested: attested.map(Hardware::of),
            key: self.key.to_hex(),
            csr: base64(self.csr.der()),
            source: self.source.to_string(),
            secret,
            created: None,
            needs_approval: false,
        }
    }
}

impl Ops {
    /// Asks the hook of the group about a newcomer, where it has one, and only once for a request: `said` is what it has
    /// said before.
    pub(super) async fn hear(
        &self,
        asked: &Asked,
        ground: &Ground,
        said: &mut Option<Said>,
    ) -> Result<(), Error> {
        let Some(hook) = &ground.hook else {
            *said = None;
            return Ok(());
        };
        if said
            .as_ref()
            .is_some_and(|said| said.hook == hook.created_at)
        {
            return Ok(());
        }
        let (before, needs_approval) = match &ground.finding {
            Finding::Admit(admission) => (admission.device.as_ref(), false),
            _ => (None, true),
        };
        let place = (&ground.tenant, &ground.group);
        let question = Question {
            created: before.map(|device| Created {
                device_id: device.id.to_string(),
                name: device.name.as_str(),
                labels: &device.labels,
            }),
            needs_approval,
            ..asked.question("enrollment", place, ground.secret_label.as_deref())
        };
        let group = ground.group.name.clone();
        let id = id(asked, hook);
        let asker = match asked.is_proven() {
            true => Asker::Proven,
            false => Asker::Stranger,
        };
        let answer = self.ask_hook(hook, asker, &id, question.to_json()).await;
        let answer = answer.map_err(|why| Error::HookUnavailable {
            group: group.clone(),
            why,
        })?;
        if !answer.allow {
            info!(
                %group,
                id,
                source = %asked.source,
                reason = answer.reason.as_deref().unwrap_or("none given"),
                "the hook has refused a device"
            );
            return Err(Error::HookRefused {
                group,
                reason: answer.reason,
                tell: answer.tell,
            });
        }
        *said = Some(Said::new(hook, answer));
        Ok(())
    }
}

/// The same for the same request, however often it comes, and whichever server it comes to.
fn id(asked: &Asked, hook: &Hook) -> String {
    let token = asked.token.as_ref().map(Digest::as_bytes);
    let parts: [&[u8]; 4] = [
        b"enlist hook v1\0",
        hook.group.as_bytes(),
        asked.key.as_bytes(),
        token.map_or(&[], |token| &token[..]),
    ];
    let digest = Digest::of(&parts.concat());
    format!("enrollment-{}", lower_hex(&digest.as_bytes()[..16]))
}
