use enlist_core::{EventRecord, Timestamp};
use enlist_ops::{
    AddWebhook, DeadLetter, RetryDeadLetters, Target, ToTell, WebhookAdded, WebhookTested,
    WebhookView,
};
use enlist_wire as wire;

use super::event::told as told_event;
use super::{time, uuid};

pub(crate) fn add_webhook(new: wire::NewWebhook) -> AddWebhook {
    AddWebhook {
        name: new.name,
        target: Target {
            url: new.url,
            anchors_pem: new.ca,
        },
        group: new.group,
        kinds: new.kinds,
    }
}

pub(crate) fn webhook(view: &WebhookView) -> wire::Webhook {
    let webhook = &view.webhook;
    wire::Webhook {
        webhook_id: uuid(webhook.id.as_bytes()),
        name: webhook.name.to_string(),
        url: webhook.url.clone(),
        own_ca: webhook.anchors.is_some(),
        one_group: webhook.group.is_some(),
        group: view.group.as_ref().map(ToString::to_string),
        kinds: webhook.kinds.clone(),
        told: webhook.told,
        behind: view.behind,
        waiting: view.waiting,
        dead_letters: view.dead_letters,
        failing_since: webhook.pace.failing_since.map(time),
        error: webhook.pace.error.clone(),
        created_at: time(webhook.created_at),
    }
}

pub(crate) fn webhook_secret(added: WebhookAdded) -> wire::WebhookSecret {
    wire::WebhookSecret {
        webhook: webhook(&added.view),
        secret: added.secret.into(),
    }
}

pub(crate) fn webhook_tested(tested: WebhookTested) -> wire::WebhookTested {
    wire::WebhookTested {
        told: tested.error.is_none(),
        error: tested.error,
    }
}

pub(crate) fn dead_letter(letter: &DeadLetter) -> wire::DeadLetter {
    let put_off = &letter.put_off;
    let event = letter.event.as_ref();
    wire::DeadLetter {
        seq: put_off.seq,
        event_id: event.map(|(id, _)| uuid(id.as_bytes())),
        kind: event.map(|(_, event)| event.kind.to_string()),
        device: event
            .filter(|_| put_off.device.is_some())
            .map(|(_, event)| event.subject.name.clone()),
        device_id: put_off.device.map(|id| uuid(id.as_bytes())),
        attempts: put_off.attempts,
        since: time(put_off.since),
        error: put_off.error.clone(),
        given_up_at: put_off.given_up_at.map(time),
    }
}

pub(crate) fn retry_asked(which: &wire::RetryDeadLetters) -> RetryDeadLetters {
    which
        .seq
        .map_or(RetryDeadLetters::All, RetryDeadLetters::One)
}

/// An event as receivers are sent it.
pub(crate) fn webhook_message(told: &ToTell) -> Vec<u8> {
    let event = told_event(
        told.tenant.as_str(),
        &EventRecord::new(told.id, &told.event),
        told.group.as_ref(),
    );
    body(&wire::WebhookMessage {
        kind: event.kind.clone(),
        timestamp: event.at,
        data: wire::WebhookEvent {
            seq: told.seq,
            event,
        },
    })
}

/// What a receiver is sent as a test.
pub(crate) fn webhook_ping(tenant: &str, webhook: &str, now: Timestamp) -> Vec<u8> {
    body(&wire::WebhookMessage {
        kind: "ping".to_owned(),
        timestamp: time(now),
        data: wire::WebhookPing {
            tenant: tenant.to_owned(),
            webhook: webhook.to_owned(),
        },
    })
}

fn body(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).expect("texts and numbers can be written as JSON")
}
