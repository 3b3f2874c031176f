//! Statements that are put off and carried out for many jobs at once, which PostgreSQL's writers do. The
//! stories hold on SQLite as well, where nothing is put off.

use std::sync::Arc;

use enlist_core::{Actor, Event, HardwareIdentity, OnClone, State, Tombstone, TombstoneOf};
use enlist_store::{Store, StoreError, Tx};

use tokio::task::JoinSet;

use crate::rig::{Home, NOW, Rig, name, read, see_to_ca, together, write};

/// Why a newcomer was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refused {
    Name,
    Key,
    Buried,
    Double,
    Store,
}

impl From<StoreError> for Refused {
    fn from(_: StoreError) -> Self {
        Self::Store
    }
}

/// What enrolling writes and looks at, in its order.
#[derive(Clone)]
struct Newcomer {
    device: enlist_core::Device,
    credential: enlist_core::Credential,
    certificate: enlist_core::CertificateRecord,
    hardware: HardwareIdentity,
}

impl Newcomer {
    fn new(rig: &Rig, home: &Home, n: usize) -> Self {
        let mut device = rig.device(home, &format!("light-{n}"), State::Active);
        let hardware: HardwareIdentity = format!("serial:KX-{}", 1000 + n).parse().unwrap();
        device.hardware = Some(hardware.clone());
        let credential = rig.credential(&device);
        let certificate = rig.certificate(&device, &credential.current);
        Self {
            device,
            credential,
            certificate,
            hardware,
        }
    }

    fn enter(&self, tx: &mut Tx<'_>, home: &Home) -> Result<(), Refused> {
        let tenant = home.tenant.id;
        assert!(tx.group(tenant, home.group.id)?.is_some());
        if !tx.insert_device(&self.device)? {
            return Err(Refused::Name);
        }
        if !tx.insert_credential(&self.credential, None)? {
            return Err(Refused::Key);
        }
        let key = TombstoneOf::Key(self.credential.enrolled_key);
        if tx.tombstoned(tenant, &[&key])?.is_some() {
            return Err(Refused::Buried);
        }
        tx.claim_hardware(tenant, &self.hardware)?;
        if !tx.is_other_by_hardware(&self.device, &self.hardware, None)? {
            return Err(Refused::Double);
        }
        assert!(tx.record_certificate(&self.certificate)?);
        let subject = self.device.subject();
        tx.append(&Event::new("enrolled", subject, Actor::Newcomer, NOW))?;
        Ok(())
    }
}

/// A tenant, a group, and a CA that issues.
async fn home(rig: &Rig, store: &Store) -> Home {
    let home = rig.home(store, "acme").await;
    let device = rig.device(&home, "none", State::Created);
    let issuer = rig.certificate(&device, &rig.issued()).issuer;
    write(store, move |tx| see_to_ca(tx, issuer)).await;
    home
}

async fn all_enter(
    store: &Arc<Store>,
    home: &Home,
    newcomers: &[Newcomer],
) -> Vec<Result<(), Refused>> {
    let jobs = newcomers.iter().map(|newcomer| {
        let (store, home, newcomer) = (Arc::clone(store), home.clone(), newcomer.clone());
        async move {
            store
                .write("enter", move |tx| newcomer.enter(tx, &home))
                .await
        }
    });
    together(store, jobs).await
}

async fn is_whole(store: &Store, newcomer: &Newcomer) -> bool {
    let newcomer = newcomer.clone();
    let (tenant, id) = (newcomer.device.tenant, newcomer.device.id);
    read(store, move |tx| {
        let device = tx.device(tenant, id)?;
        let credential = tx.credential(tenant, id)?;
        let certificates = tx.certificates_of(tenant, id)?;
        let found = (device.is_some(), credential.is_some(), certificates.len());
        assert!(
            [(true, true, 1), (false, false, 0)].contains(&found),
            "half a device: {found:?}"
        );
        if let (Some(device), Some(credential)) = (&device, &credential) {
            assert_eq!(*device, newcomer.device);
            assert_eq!(*credential, newcomer.credential);
            assert_eq!(certificates, std::slice::from_ref(&newcomer.certificate));
        }
        Ok(device.is_some())
    })
    .await
}

pub async fn what_cannot_be_is_refused_and_spoils_no_other(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let home = home(rig, &store).await;
    let mut newcomers: Vec<_> = (0..40).map(|n| Newcomer::new(rig, &home, n)).collect();
    let first = newcomers.remove(0);
    let entering = home.clone();
    write(&store, move |tx| {
        first.enter(tx, &entering).unwrap();
        Ok(())
    })
    .await;
    newcomers[7].device.name = name("light-0");
    newcomers[20].device.name = newcomers[19].device.name.clone();
    newcomers[21].credential.enrolled_key = newcomers[5].credential.enrolled_key;
    let taken = newcomers[30].hardware.clone();
    newcomers[31].hardware = taken.clone();
    newcomers[31].device.hardware = Some(taken);
    let buried = Tombstone {
        tenant: home.tenant.id,
        of: TombstoneOf::Key(newcomers[12].credential.enrolled_key),
        device: newcomers[0].device.id,
        at: NOW,
    };
    write(&store, move |tx| tx.insert_tombstone(&buried)).await;
    let results = all_enter(&store, &home, &newcomers).await;
    for (at, (newcomer, result)) in newcomers.iter().zip(&results).enumerate() {
        let expected = match at {
            7 | 20 => Err(Refused::Name),
            21 => Err(Refused::Key),
            12 => Err(Refused::Buried),
            31 => Err(Refused::Double),
            _ => Ok(()),
        };
        assert_eq!(*result, expected, "of number {at}");
        assert_eq!(is_whole(&store, newcomer).await, expected.is_ok(), "{at}");
    }
    let (tenant, group) = (home.tenant.id, home.group.id);
    let filter = enlist_store::EventFilter {
        group: Some(group),
        limit: 100,
        ..Default::default()
    };
    let events = read(&store, move |tx| tx.events_page(tenant, &filter)).await;
    assert_eq!(events.len(), 1 + 34, "one for each that came in");
}

pub async fn of_many_who_claim_one_hardware_at_once_one_enters(rig: &Rig) {
    let store = Arc::new(rig.open());
    let home = home(rig, &store).await;
    for round in 0..10 {
        let mut entering = JoinSet::new();
        for n in 0..8 {
            let mut newcomer = Newcomer::new(rig, &home, 10 * round + n);
            newcomer.hardware = format!("serial:KX-{round}").parse().unwrap();
            newcomer.device.hardware = Some(newcomer.hardware.clone());
            let (store, home) = (Arc::clone(&store), home.clone());
            entering.spawn(async move {
                store
                    .write("enter", move |tx| newcomer.enter(tx, &home))
                    .await
            });
        }
        let said = entering.join_all().await;
        let inside = said.iter().filter(|said| said.is_ok()).count();
        let doubles = said.iter().filter(|said| **said == Err(Refused::Double));
        assert_eq!((inside, doubles.count()), (1, 7), "{said:?}");
    }
}

pub async fn what_was_put_off_is_seen_by_whoever_looks(rig: &Rig) {
    let store = rig.open();
    let home = home(rig, &store).await;
    let newcomer = Newcomer::new(rig, &home, 1);
    let (tenant, group) = (home.tenant.id, home.group.id);
    write(&store, move |tx| {
        newcomer.enter(tx, &home).unwrap();
        let id = newcomer.device.id;
        let by_name = tx.device_by_name(tenant, group, &newcomer.device.name)?;
        assert_eq!(by_name.as_ref(), Some(&newcomer.device));
        assert!(tx.credential(tenant, id)?.is_some());
        assert_eq!(tx.certificates_of(tenant, id)?.len(), 1);
        assert_eq!(tx.count_devices(tenant, group, 100)?, 1);
        // Nothing is told of a tenant or a group but what stands there now.
        let mut changed = home.group.clone();
        changed.on_clone = OnClone::Suspend;
        assert!(tx.save_group(&changed)?);
        assert_eq!(tx.group(tenant, group)?, Some(changed));
        Ok(())
    })
    .await;
}

pub async fn a_refusal_that_hope_would_have_spared_is_not_given(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let home = home(rig, &store).await;
    let (first, second) = (Newcomer::new(rig, &home, 1), Newcomer::new(rig, &home, 2));
    let mut twin = second.clone();
    twin.device.name = first.device.name.clone();
    let entering = home.clone();
    write(&store, move |tx| {
        first.enter(tx, &entering).unwrap();
        Ok(())
    })
    .await;
    // Says no in the end, whatever came before, and says why as things stand.
    let said = together(
        &store,
        [twin, second].map(|newcomer| {
            let (store, home) = (Arc::clone(&store), home.clone());
            async move {
                let said: Result<(), Refused> = store
                    .write("look", move |tx| {
                        newcomer.enter(tx, &home)?;
                        Err(Refused::Double)
                    })
                    .await;
                said
            }
        }),
    )
    .await;
    assert_eq!(said, [Err(Refused::Name), Err(Refused::Double)]);
    let tenant = home.tenant.id;
    let count = read(&store, move |tx| {
        tx.count_devices(tenant, home.group.id, 100)
    })
    .await;
    assert_eq!(count, 1, "nothing of a refused job is on record");
}

pub async fn many_who_enter_together_cost_a_few_round_trips(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let home = home(rig, &store).await;
    // The statements are prepared, and the CA is there.
    let newcomers: Vec<_> = (0..101).map(|n| Newcomer::new(rig, &home, n)).collect();
    for few in [&newcomers[..1], &newcomers[1..3]] {
        for result in all_enter(&store, &home, few).await {
            assert_eq!(result, Ok(()));
        }
    }
    let before = store.stats();
    for result in all_enter(&store, &home, &newcomers[3..]).await {
        assert_eq!(result, Ok(()));
    }
    let after = store.stats();
    assert_eq!(after.largest, 98);
    let round_trips = after.round_trips - before.round_trips;
    // The job that kept the writer busy and the batch: what begins it, a look at the group, what was put off, the commit.
    assert!(round_trips <= 8, "{round_trips} for 98 devices");
    for newcomer in &newcomers {
        assert!(is_whole(&store, newcomer).await);
    }
}

pub async fn a_job_starts_at_once_where_a_writer_is_idle(rig: &Rig) {
    let store = Arc::new(rig.open_tuned(&enlist_store::Tuning {
        writers: 2,
        ..enlist_store::Tuning::default()
    }));
    // One writer is busy for as long as this story lasts: nobody waits for it, or for others to come.
    let hold = crate::rig::Hold::take(&store).await;
    let before = store.stats();
    for n in 0..20_u8 {
        write(&store, move |tx| tx.put_setting("key", &[n])).await;
    }
    let after = store.stats();
    assert_eq!(after.batches - before.batches, 20);
    assert_eq!(after.jobs - before.jobs, 20);
    hold.release();
}
