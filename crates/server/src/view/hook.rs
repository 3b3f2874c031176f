use std::time::Duration;

use enlist_ops::{AddHook, HookAdded, HookAnswer, HookTested, HookView, Target};
use enlist_wire as wire;

use super::time;

pub(crate) fn add_hook(new: wire::NewHook) -> AddHook {
    AddHook {
        target: Target {
            url: new.url,
            anchors_pem: new.ca,
        },
        timeout: Duration::from_millis(u64::from(new.timeout_ms)),
    }
}

pub(crate) fn hook(view: &HookView) -> wire::Hook {
    let hook = &view.hook;
    wire::Hook {
        group: view.group.name.to_string(),
        url: hook.url.clone(),
        own_ca: hook.anchors.is_some(),
        timeout_ms: u32::try_from(hook.timeout.as_millis()).unwrap_or(u32::MAX),
        old_secret_until: hook.secret_before.as_ref().map(|(_, until)| time(*until)),
        created_at: time(hook.created_at),
    }
}

pub(crate) fn hook_secret(added: HookAdded) -> wire::HookSecret {
    wire::HookSecret {
        hook: hook(&added.view),
        secret: added.secret.into(),
    }
}

pub(crate) fn hook_tested(tested: HookTested) -> wire::HookTested {
    wire::HookTested {
        answer: tested.answer.map(hook_answer),
        error: tested.error,
    }
}

fn hook_answer(answer: HookAnswer) -> wire::HookAnswer {
    wire::HookAnswer {
        allow: answer.allow,
        reason: answer.reason,
        tell: answer.tell,
        group: answer.group.map(|name| name.to_string()),
        name: answer.name.map(|name| name.to_string()),
        labels: answer.labels,
        configuration: answer.configuration,
    }
}
