//! What webhooks could not be told: counted, given up and cleared away in bounded steps.

use std::time::Duration;

use enlist_core::{DeviceId, PutOff, WebhookId};

use crate::rig::{NOW, Rig, read, write};

fn put_off(seq: u64, device: Option<DeviceId>) -> PutOff {
    PutOff {
        seq,
        device,
        attempts: 1,
        since: NOW,
        next_at: None,
        error: None,
        given_up_at: None,
    }
}

pub async fn a_webhooks_backlog_is_bounded_and_moved_in_steps(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "own").await;
    let device = rig.device(&home, "press-7", enlist_core::State::Active).id;
    let tenant = home.tenant.id;
    let webhook: WebhookId = "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10".parse().unwrap();
    let later = NOW + Duration::from_secs(60);
    write(&store, move |tx| {
        // The first about a device is tried again; the others are behind it.
        for seq in 1..=6 {
            let mut one = put_off(seq, Some(device));
            one.next_at = (seq == 1).then_some(later + Duration::from_secs(1));
            tx.put_off(tenant, webhook, &one)?;
        }
        assert_eq!(tx.count_put_off(tenant, webhook, 100)?, 6);
        assert_eq!(
            tx.count_put_off(tenant, webhook, 4)?,
            4,
            "no more are counted"
        );
        let next = tx.next_put_off(tenant, webhook)?;
        assert_eq!(next, Some(later + Duration::from_secs(1)));
        assert!(tx.devices_put_off(tenant, webhook, later, 9)?.is_empty());

        tx.give_up_longest(tenant, webhook, 4, later)?;
        assert_eq!(tx.count_put_off(tenant, webhook, 100)?, 2);
        assert_eq!(tx.count_dead_letters(tenant, webhook, 100)?, 4);
        assert_eq!(
            tx.devices_put_off(tenant, webhook, later, 9)?,
            [Some(device)]
        );
        Ok(())
    })
    .await;
    let seqs = write(&store, move |tx| {
        assert_eq!(tx.drop_dead_letters(tenant, webhook, 3, 2)?, 1);
        assert_eq!(tx.drop_dead_letters(tenant, webhook, 3, 2)?, 0);
        let left = tx.dead_letters(tenant, webhook, 0, 9)?;
        Ok(left.iter().map(|one| one.seq).collect::<Vec<_>>())
    })
    .await;
    assert_eq!(seqs, [2, 3, 4], "the oldest went");
    write(&store, move |tx| {
        let mut retry = |now| tx.retry_dead_letters(tenant, webhook, None, now, 2);
        assert_eq!(retry(NOW)?, 0, "they were given up after that");
        assert_eq!((retry(later)?, retry(later)?, retry(later)?), (2, 1, 0));
        assert_eq!(tx.count_put_off(tenant, webhook, 100)?, 5);

        // Nobody knows the webhook.
        assert_eq!(tx.webhook_to_clear()?, Some((tenant, webhook)));
        assert!(tx.clear_put_off(tenant, webhook, 3)?);
        assert!(!tx.clear_put_off(tenant, webhook, 3)?);
        Ok(())
    })
    .await;
    let is_clear = read(&store, |tx| Ok(tx.webhook_to_clear()?.is_none())).await;
    assert!(is_clear);
}

pub async fn what_a_wrong_clock_has_put_off_is_tried(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "own").await;
    let [soon, wrong] =
        ["press-7", "press-8"].map(|name| rig.device(&home, name, enlist_core::State::Active).id);
    let tenant = home.tenant.id;
    let webhook: WebhookId = "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a10".parse().unwrap();
    write(&store, move |tx| {
        let years = Duration::from_secs(10 * 366 * 86_400);
        let hour = Duration::from_secs(3600);
        for (seq, device, wait) in [(1, soon, hour), (2, wrong, years)] {
            let mut one = put_off(seq, Some(device));
            one.attempts = 0;
            one.next_at = Some(NOW + wait);
            tx.put_off(tenant, webhook, &one)?;
        }
        // One that waits behind another is in nobody's way.
        tx.put_off(tenant, webhook, &put_off(3, Some(wrong)))?;
        let due = tx.devices_put_off(tenant, webhook, NOW, 9)?;
        assert_eq!(due, [Some(wrong)]);
        assert!(tx.is_untried_put_off(tenant, webhook, NOW)?);
        let due = tx.devices_put_off(tenant, webhook, NOW + hour, 9)?;
        assert_eq!(due, [Some(soon), Some(wrong)]);
        Ok(())
    })
    .await;
}
