//! Issuing CAs on their way in and out.

use enlist_core::{
    CaId, CaKey, CaKind, CaRecord, CaRequestRecord, CaStanding, State, TenantId, Timestamp,
};
use enlist_store::{StoreError, Tx};

use super::rig::{NOW, Rig, write};

fn ca(rig: &Rig, tenant: TenantId, standing: CaStanding, at: i64) -> CaRecord {
    CaRecord {
        id: rig.ca_id(),
        tenant: Some(tenant),
        kind: CaKind::Issuing,
        standing,
        certificate: vec![0x30, 0, u8::try_from(at).unwrap()],
        chain: Vec::new(),
        key: CaKey::Wrapped(vec![1, 2]),
        created_at: Timestamp::from_secs(at),
    }
}

fn standings(tx: &mut Tx<'_>, tenant: TenantId) -> Vec<(CaId, CaStanding)> {
    let cas = tx.cas(CaKind::Issuing, Some(tenant)).unwrap();
    cas.iter().map(|ca| (ca.id, ca.standing)).collect()
}

pub async fn the_next_ca_takes_over_once(rig: &Rig) {
    use CaStanding::{Current, Next, Retired};
    let store = rig.open();
    let here = rig.home(&store, "acme").await.tenant.id;
    let there = rig.home(&store, "other").await.tenant.id;
    // Two records of one CA: a root has changed.
    let (first, again) = (ca(rig, here, Current, 1), ca(rig, here, Current, 2));
    let (next, second) = (ca(rig, here, Next, 3), ca(rig, here, Next, 4));
    let (other, its_next) = (ca(rig, there, Current, 5), ca(rig, there, Next, 6));
    let root = CaRecord {
        tenant: None,
        kind: CaKind::Root,
        ..ca(rig, here, Current, 0)
    };
    write(&store, move |tx| {
        for one in [&root, &first, &again, &other] {
            tx.insert_ca(one)?;
        }
        assert!(tx.insert_next_issuing(&next)?);
        assert!(!tx.insert_next_issuing(&second)?, "one at a time");
        assert!(
            tx.insert_next_issuing(&its_next)?,
            "each tenant has its own"
        );
        assert_eq!(tx.ca(next.id)?, Some(next.clone()));
        assert!(tx.replace_next_issuing(next.id, b"another")?);
        assert!(!tx.replace_next_issuing(again.id, b"another")?);
        assert_eq!(tx.ca(next.id)?.unwrap().certificate, b"another");
        assert_eq!(tx.ca(again.id)?, Some(again.clone()));
        assert_eq!(tx.all_cas()?.len(), 6);

        assert!(tx.change_issuing(here, next.id, NOW)?);
        let now = [(next.id, Current), (again.id, Retired), (first.id, Retired)];
        assert_eq!(standings(tx, here), now);
        assert!(!tx.replace_next_issuing(next.id, b"too late")?);
        let alone = [(its_next.id, Next), (other.id, Current)];
        assert_eq!(standings(tx, there), alone);
        let mut listed = tx.issuing_standings()?;
        listed.retain(|(_, tenant, _)| *tenant == there);
        assert_eq!(listed.len(), 2);
        Ok(())
    })
    .await;
}

#[derive(Debug)]
enum Refusal {
    TooLate,
    Store(#[allow(dead_code, reason = "shown where a test fails")] StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

pub async fn a_change_of_cas_that_came_too_late_changes_nothing(rig: &Rig) {
    let store = rig.open();
    let here = rig.home(&store, "acme").await.tenant.id;
    let there = rig.home(&store, "other").await.tenant.id;
    let current = ca(rig, here, CaStanding::Current, 1);
    let its_next = ca(rig, there, CaStanding::Next, 2);
    let before = current.clone();
    let (id, stranger) = (current.id, its_next.id);
    write(&store, move |tx| {
        tx.insert_ca(&current)?;
        assert!(tx.insert_next_issuing(&its_next)?);
        Ok(())
    })
    .await;
    for gone in [id, stranger] {
        let outcome: Result<(), Refusal> = store
            .write("change_issuing", move |tx| {
                match tx.change_issuing(here, gone, NOW)? {
                    true => Ok(()),
                    false => Err(Refusal::TooLate),
                }
            })
            .await;
        assert!(matches!(outcome, Err(Refusal::TooLate)), "{outcome:?}");
    }
    write(&store, move |tx| {
        assert_eq!(tx.ca(id)?, Some(before.clone()));
        Ok(())
    })
    .await;
}

pub async fn a_certificate_is_recorded_under_a_ca_that_issues_and_no_other(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let tenant = home.tenant.id;
    let device = rig.device(&home, "light-1", State::Active);
    let current = ca(rig, tenant, CaStanding::Current, 1);
    let next = ca(rig, tenant, CaStanding::Next, 2);
    let signed = |by: CaId| {
        let mut one = rig.certificate(&device, &rig.issued());
        one.issuer = by;
        one
    };
    let (first, early, late) = (signed(current.id), signed(next.id), signed(current.id));
    let (after, nobody) = (signed(next.id), signed(rig.ca_id()));
    write(&store, move |tx| {
        tx.insert_ca(&current)?;
        tx.insert_next_issuing(&next)?;
        assert_eq!(tx.last_expiry(current.id)?, None);
        assert!(tx.record_certificate(&first)?);
        assert_eq!(tx.certificate(first.serial)?, Some(first.clone()));
        assert!(!tx.record_certificate(&early)?);
        assert!(!tx.record_certificate(&nobody)?);
        assert!(tx.change_issuing(tenant, next.id, NOW)?);
        assert!(!tx.record_certificate(&late)?);
        assert_eq!(tx.certificate(late.serial)?, None);
        assert!(tx.record_certificate(&after)?);

        let until = first.not_after;
        assert_eq!(tx.last_expiry(current.id)?, Some(until));
        let before = Timestamp::from_millis(until.as_millis() - 1);
        assert_eq!(tx.unexpired(current.id, before)?, 1);
        assert_eq!(tx.unexpired(current.id, until)?, 0);
        Ok(())
    })
    .await;
}

pub async fn a_request_for_a_ca_is_answered_once(rig: &Rig) {
    let store = rig.open();
    let here = rig.home(&store, "acme").await.tenant.id;
    let there = rig.home(&store, "other").await.tenant.id;
    let request = |key, at| CaRequestRecord {
        ca: rig.ca_id(),
        tenant: here,
        csr: vec![0x30, 1],
        key,
        created_at: Timestamp::from_secs(at),
    };
    let first = request(CaKey::Wrapped(vec![7]), 1);
    let second = request(CaKey::Kept("pkcs11:id=1".to_owned()), 2);
    write(&store, move |tx| {
        tx.insert_ca_request(&second)?;
        tx.insert_ca_request(&first)?;
        assert_eq!(tx.ca_requests(here)?, [first.clone(), second.clone()]);
        assert_eq!(tx.ca_requests(there)?, []);
        assert!(!tx.delete_ca_request(there, first.ca)?);
        assert!(tx.delete_ca_request(here, first.ca)?);
        assert!(!tx.delete_ca_request(here, first.ca)?);
        assert_eq!(tx.ca_requests(here)?, std::slice::from_ref(&second));
        Ok(())
    })
    .await;
}

pub async fn the_key_of_the_current_root_is_forgotten_and_no_other(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await.tenant.id;
    let root = CaRecord {
        tenant: None,
        kind: CaKind::Root,
        ..ca(rig, home, CaStanding::Current, 1)
    };
    let issuing = ca(rig, home, CaStanding::Current, 2);
    write(&store, move |tx| {
        tx.insert_ca(&root)?;
        tx.insert_ca(&issuing)?;
        assert!(!tx.forget_root_key(issuing.id)?);
        assert!(tx.forget_root_key(root.id)?);
        assert!(!tx.forget_root_key(root.id)?);
        assert_eq!(tx.ca(root.id)?.unwrap().key, CaKey::Offline);
        assert_eq!(tx.ca(issuing.id)?, Some(issuing.clone()));
        Ok(())
    })
    .await;
}
