//! What the stories are told with.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use enlist_core::{
    CaId, CaKey, CaKind, CaRecord, CaStanding, CertificateRecord, Clock, Credential, Device,
    DeviceId, Digest, Group, GroupId, Issued, Name, NewDevice, ProvisioningSecret, Rng,
    SecretBounds, SecretId, SecretRecord, Serial, Standing, State, Tenant, TenantId, TenantState,
    Timestamp,
};
use enlist_store::{Location, Store, StoreError, Tuning, Tx};
use tempfile::TempDir;

/// Where a story is told.
pub enum Place {
    Memory,
    Directory(TempDir),
    Postgres(String),
}

impl Place {
    pub fn new_directory() -> Self {
        Self::Directory(TempDir::new().unwrap())
    }
}

/// Numbers instead of randomness, and time by the number.
#[derive(Default)]
pub struct Counted(AtomicU64);

impl Rng for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            // splitmix64: every number another, none of them zero in its first byte for long.
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

impl Clock for Counted {
    fn now(&self) -> Timestamp {
        let count = self.0.fetch_add(1, Ordering::Relaxed);
        Timestamp::from_millis(1_700_000_000_000 + i64::try_from(count % 1_000_000).unwrap())
    }
}

pub struct Rig {
    place: Place,
    pub rng: Arc<Counted>,
    clock: Counted,
    /// Whose certificates are.
    issuer: CaId,
}

/// A tenant and a group in it.
#[derive(Clone)]
pub struct Home {
    pub tenant: Tenant,
    pub group: Group,
}

pub const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

pub fn name(text: &str) -> Name {
    text.parse().unwrap()
}

impl Rig {
    pub fn new(place: Place) -> Self {
        let (rng, clock) = (Arc::<Counted>::default(), Counted::default());
        let issuer = CaId::new(&clock, &*rng);
        Self {
            place,
            rng,
            clock,
            issuer,
        }
    }

    pub fn location(&self) -> Location {
        match &self.place {
            Place::Memory => Location::Memory,
            Place::Directory(dir) => Location::File(self.directory(dir)),
            Place::Postgres(url) => Location::Postgres(url.clone()),
        }
    }

    // One that the store has to make.
    fn directory(&self, dir: &TempDir) -> PathBuf {
        dir.path().join("data/here")
    }

    pub fn open(&self) -> Store {
        self.open_tuned(&Tuning::default())
    }

    pub fn open_tuned(&self, tuning: &Tuning) -> Store {
        Store::open_tuned(self.location(), self.rng.clone(), tuning).unwrap()
    }

    /// One writer on both engines, so that a job can keep it busy.
    pub fn open_with_one_writer(&self) -> Store {
        self.open_tuned(&Tuning {
            writers: 1,
            ..Tuning::default()
        })
    }

    /// A tenant and a group, recorded.
    pub async fn home(&self, store: &Store, tenant_name: &str) -> Home {
        let tenant = Tenant {
            id: TenantId::new(&self.clock, &*self.rng),
            name: name(tenant_name),
            state: TenantState::Active,
            created_at: NOW,
        };
        let group = Group::new(
            GroupId::new(&self.clock, &*self.rng),
            tenant.id,
            name("lights"),
            NOW,
        );
        let home = Home { tenant, group };
        let recorded = home.clone();
        write(store, move |tx| {
            assert!(tx.insert_tenant(&recorded.tenant)?);
            assert!(tx.insert_group(&recorded.group)?);
            Ok(())
        })
        .await;
        home
    }

    pub fn new_device(&self, home: &Home, device_name: &str) -> NewDevice {
        NewDevice {
            id: DeviceId::new(&self.clock, &*self.rng),
            tenant: home.tenant.id,
            group: home.group.id,
            name: name(device_name),
            labels: [].into(),
            hardware: None,
            attested: None,
            at: NOW,
        }
    }

    pub fn device(&self, home: &Home, device_name: &str, state: State) -> Device {
        Device::restore(self.new_device(home, device_name), state, false, NOW)
    }

    pub fn digest(&self) -> Digest {
        let mut bytes = [0; 32];
        self.rng.fill(&mut bytes);
        Digest::from_bytes(bytes)
    }

    pub fn issued(&self) -> Issued {
        Issued {
            serial: Serial::new(&self.clock, &*self.rng),
            key: self.digest(),
            not_after: Timestamp::from_millis(NOW.as_millis() + 1_000_000),
        }
    }

    pub fn credential(&self, device: &Device) -> Credential {
        Credential {
            device: device.id,
            tenant: device.tenant,
            enrolled_key: self.digest(),
            token: Some(self.digest()),
            previous_token: None,
            current: self.issued(),
            previous: None,
            counter: 0,
            request: None,
            pre_enrolled: false,
        }
    }

    pub fn certificate(&self, device: &Device, issued: &Issued) -> CertificateRecord {
        CertificateRecord {
            serial: issued.serial,
            tenant: device.tenant,
            device: device.id,
            issuer: self.issuer,
            fingerprint: self.digest(),
            not_before: NOW,
            not_after: issued.not_after,
            standing: Standing::Good,
            der: issued.key.as_bytes().repeat(20),
        }
    }

    pub fn ca_id(&self) -> CaId {
        CaId::new(&self.clock, &*self.rng)
    }

    pub fn secret(&self, home: &Home, max_devices: Option<u64>) -> SecretRecord {
        let secret = ProvisioningSecret::generate(&*self.rng);
        SecretRecord {
            id: SecretId::new(&self.clock, &*self.rng),
            tenant: home.tenant.id,
            group: home.group.id,
            short_id: secret.short_id().clone(),
            digest: secret.digest(),
            label: "line 3, \"early\" shift".to_owned(),
            bounds: SecretBounds {
                max_devices,
                ..SecretBounds::default()
            },
            used: 0,
            rate_until_us: 0,
            withdrawn: false,
            created_at: NOW,
        }
    }
}

/// Records a certificate, under a CA that issues.
pub fn record(tx: &mut Tx<'_>, certificate: &CertificateRecord) -> Result<(), StoreError> {
    see_to_ca(tx, certificate.issuer)?;
    assert!(tx.record_certificate(certificate)?);
    Ok(())
}

/// Sees to it that a CA is there, and issues.
pub fn see_to_ca(tx: &mut Tx<'_>, id: CaId) -> Result<(), StoreError> {
    if tx.ca(id)?.is_none() {
        tx.insert_ca(&CaRecord {
            id,
            tenant: None,
            kind: CaKind::Issuing,
            certificate: vec![1],
            standing: CaStanding::Current,
            chain: Vec::new(),
            key: CaKey::Offline,
            created_at: NOW,
        })?;
    }
    Ok(())
}

/// A job that writes and succeeds.
pub async fn write<T: Send + 'static>(
    store: &Store,
    job: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write("test", job).await.unwrap()
}

/// A job that reads and succeeds.
pub async fn read<T: Send + 'static>(
    store: &Store,
    job: impl FnMut(&mut Tx<'_>) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.read("test", job).await.unwrap()
}

/// Submits `jobs` while the one writer is kept busy, so that they make one batch, and returns
/// what came of them.
pub async fn together<T: Send + 'static>(
    store: &Arc<Store>,
    jobs: impl IntoIterator<Item = impl Future<Output = T> + Send + 'static>,
) -> Vec<T> {
    let hold = Hold::take(store).await;
    let mut running = Vec::new();
    for job in jobs {
        let before = store.stats().waiting;
        running.push(tokio::spawn(job));
        until(|| store.stats().waiting > before).await;
    }
    hold.release();
    let mut results = Vec::new();
    for job in running {
        results.push(job.await.unwrap());
    }
    results
}

/// The one writer, kept busy.
pub struct Hold {
    release: mpsc::Sender<()>,
    job: tokio::task::JoinHandle<Result<(), StoreError>>,
}

impl Hold {
    pub async fn take(store: &Arc<Store>) -> Self {
        let (release, released) = mpsc::channel();
        let (begun, has_begun) = tokio::sync::oneshot::channel();
        let mut begun = Some(begun);
        let store = Arc::clone(store);
        let job = tokio::spawn(async move {
            store
                .write("hold", move |_| {
                    if let Some(begun) = begun.take() {
                        begun.send(()).unwrap();
                    }
                    let _ = released.recv();
                    Ok(())
                })
                .await
        });
        has_begun.await.unwrap();
        Self { release, job }
    }

    pub fn release(self) {
        self.release.send(()).unwrap();
        drop(self.job);
    }
}

/// Waits until something has become true.
pub async fn until(condition: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if condition() {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
    }
    panic!("it never became true");
}
