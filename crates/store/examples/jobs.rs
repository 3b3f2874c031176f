//! Measures the store: jobs a second of many callers at once, and rows a second in bulk against
//! bare inserts of the same rows.
//!
//! `cargo run --release -p enlist-store --example jobs [CALLERS [SECONDS [ROWS [URL]]]]`, with
//! the URL of an empty PostgreSQL database to measure that instead of SQLite. `ONLY=alone` or
//! `ONLY="at once"` in the environment leaves out the other half.

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use enlist_core::{
    Actor, CaId, CaKey, CaKind, CaRecord, CaStanding, CertificateRecord, Clock, Credential, Device,
    DeviceId, Digest, Event, Group, GroupId, Issued, NewDevice, Rng, Serial, Standing, State,
    StateKind, SystemClock, SystemRng, Tenant, TenantId, TenantState,
};
use enlist_store::{Location, Store, StoreError, Tx};

type Outcome<T> = Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize, default: usize| match arguments.get(at) {
        Some(text) => text.parse(),
        None => Ok(default),
    };
    let (callers, seconds, rows) = (number(0, 64)?, number(1, 5)?, number(2, 200_000)?);
    // Here, and not where temporary files go: that may be a disk in memory.
    let dir = tempfile::TempDir::new_in(".")?;
    let location = match arguments.get(3) {
        Some(url) => Location::Postgres(url.clone()),
        None => Location::File(dir.path().join("data")),
    };
    let only = std::env::var("ONLY").ok();
    let only = only.as_deref();
    let store = Arc::new(Store::open(location.clone(), Arc::new(SystemRng))?);
    let (home, issuer) = home(&store).await?;
    for (what, callers) in [("alone", 1), ("at once", callers)] {
        if only.is_some_and(|only| only != what) {
            continue;
        }
        let devices = Arc::new(created(&store, &home, what, callers, seconds).await?);
        measure(
            &store,
            &format!("small jobs {what}"),
            callers,
            seconds,
            |_| {
                let event = small(&home);
                Box::new(move |tx| tx.append(&event).map(|_| ()))
            },
        )
        .await?;
        measure(
            &store,
            &format!("enrollments {what}"),
            callers,
            seconds,
            |n| {
                let device = devices[usize::try_from(n).unwrap_or(0) % devices.len()].clone();
                enrollment(device, issuer)
            },
        )
        .await?;
    }
    let cpu = cpu_time();
    let ours = bulk(&store, &home, rows).await?;
    let cpu_ours = cpu_time() - cpu;
    println!("bulk: {:.0} rows/s", rate(rows, ours));
    if let Location::File(_) = location {
        let cpu = cpu_time();
        let bare = bare(&dir.path().join("bare.db"), &home, rows)?;
        let cpu_ratio = cpu_ours.as_secs_f64() / (cpu_time() - cpu).as_secs_f64();
        let ratio = ours.as_secs_f64() / bare.as_secs_f64();
        println!(
            "bare: {:.0} rows/s; bulk takes {ratio:.2} times as long, {cpu_ratio:.2} times the CPU",
            rate(rows, bare)
        );
    }
    println!("{:#?}", store.stats());
    Ok(())
}

fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

type Job = Box<dyn FnMut(&mut Tx<'_>) -> Result<(), StoreError> + Send>;

async fn measure(
    store: &Arc<Store>,
    what: &str,
    callers: usize,
    seconds: usize,
    job: impl Fn(u64) -> Job + Clone + Send + Sync,
) -> Outcome<()> {
    let before = store.stats();
    let (begun, cpu) = (Instant::now(), cpu_time());
    let (stop, next) = (AtomicBool::new(false), AtomicU64::new(0));
    let call = async || {
        while !stop.load(Relaxed) {
            let job = job(next.fetch_add(1, Relaxed));
            store.write("measured", job).await?;
            if begun.elapsed() > Duration::from_secs(seconds as u64) {
                stop.store(true, Relaxed);
            }
        }
        Ok::<_, StoreError>(())
    };
    futures(callers, call).await?;
    let (time, after) = (begun.elapsed(), store.stats());
    let (jobs, batches) = (after.jobs - before.jobs, after.batches - before.batches);
    println!(
        "{what}: {:.0} jobs/s, {:.1} jobs a commit, {} reruns, {:.1} µs of CPU a job",
        jobs as f64 / time.as_secs_f64(),
        jobs as f64 / batches as f64,
        after.reruns - before.reruns,
        (cpu_time() - cpu).as_secs_f64() * 1e6 / jobs as f64
    );
    Ok(())
}

/// The CPU time of this process so far, where Linux tells it: wall time says little on a machine
/// that has other things to do.
fn cpu_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<u64> = after_name
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // User and system time, in hundredths of a second.
    let ticks = fields.get(11..13).map_or(0, |both| both.iter().sum());
    Duration::from_millis(ticks * 10)
}

/// Runs `count` callers on this task: they only wait.
async fn futures(
    count: usize,
    call: impl AsyncFn() -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    use std::future::{Future, poll_fn};
    use std::task::Poll;
    let mut running: Vec<_> = (0..count).map(|_| Some(Box::pin(call()))).collect();
    poll_fn(|context| {
        let mut waiting = false;
        for slot in &mut running {
            if let Some(future) = slot {
                match future.as_mut().poll(context) {
                    Poll::Ready(Ok(())) => *slot = None,
                    Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting {
            Poll::Pending
        } else {
            Poll::Ready(Ok(()))
        }
    })
    .await
}

/// A group, and the CA that its certificates are under.
async fn home(store: &Store) -> Outcome<(Group, CaId)> {
    let tenant = Tenant {
        id: TenantId::new(&SystemClock, &SystemRng),
        name: "acme".parse()?,
        state: TenantState::Active,
        created_at: SystemClock.now(),
    };
    let id = GroupId::new(&SystemClock, &SystemRng);
    let group = Group::new(id, tenant.id, "lights".parse()?, SystemClock.now());
    let issuer = CaId::new(&SystemClock, &SystemRng);
    let ca = CaRecord {
        id: issuer,
        tenant: Some(tenant.id),
        kind: CaKind::Issuing,
        certificate: vec![0x30; 700],
        standing: CaStanding::Current,
        chain: Vec::new(),
        key: CaKey::Offline,
        created_at: SystemClock.now(),
    };
    let recorded = group.clone();
    store
        .write::<_, StoreError>("home", move |tx| {
            tx.insert_tenant(&tenant)?;
            tx.insert_ca(&ca)?;
            tx.insert_group(&recorded)
        })
        .await?;
    Ok((group, issuer))
}

fn new_device(group: &Group, name: &str) -> Outcome<NewDevice> {
    Ok(NewDevice {
        id: DeviceId::new(&SystemClock, &SystemRng),
        tenant: group.tenant,
        group: group.id,
        name: name.parse()?,
        labels: [].into(),
        hardware: None,
        attested: None,
        at: SystemClock.now(),
    })
}

/// As many created devices as can be enrolled in the time.
async fn created(
    store: &Store,
    group: &Group,
    what: &str,
    callers: usize,
    seconds: usize,
) -> Outcome<Vec<Device>> {
    let count = seconds * if callers == 1 { 10_000 } else { 60_000 };
    let prefix = what.replace(' ', "-");
    let devices: Vec<_> = (0..count)
        .map(|n| new_device(group, &format!("{prefix}-{n}")))
        .collect::<Outcome<_>>()?;
    let (tenant, id) = (group.tenant, group.id);
    for chunk in devices.chunks(10_000) {
        let chunk = chunk.to_vec();
        store
            .write::<_, StoreError>("create", move |tx| tx.insert_devices(tenant, id, &chunk))
            .await?;
    }
    Ok(devices
        .into_iter()
        .map(|new| {
            let at = new.at;
            Device::restore(new, State::Created, false, at)
        })
        .collect())
}

fn digest() -> Digest {
    let mut bytes = [0; 32];
    SystemRng.fill(&mut bytes);
    Digest::from_bytes(bytes)
}

fn small(group: &Group) -> Event {
    let subject = enlist_core::Subject {
        tenant: group.tenant,
        group: Some(group.id),
        device: None,
        name: "lights".to_owned(),
    };
    Event::new("measured", subject, Actor::Server, SystemClock.now())
}

/// What recording an enrollment does.
fn enrollment(device: Device, issuer: CaId) -> Job {
    let now = SystemClock.now();
    let issued = Issued {
        serial: Serial::new(&SystemClock, &SystemRng),
        key: digest(),
        not_after: now + Duration::from_secs(3600),
    };
    let credential = Credential {
        device: device.id,
        tenant: device.tenant,
        enrolled_key: issued.key,
        token: Some(digest()),
        previous_token: None,
        current: issued,
        previous: None,
        counter: 0,
        request: None,
        pre_enrolled: false,
    };
    let certificate = CertificateRecord {
        serial: issued.serial,
        tenant: device.tenant,
        device: device.id,
        issuer,
        fingerprint: digest(),
        not_before: now,
        not_after: issued.not_after,
        standing: Standing::Good,
        der: vec![0x30; 700],
    };
    Box::new(move |tx| {
        let loaded = tx.device_by_name(device.tenant, device.group, &device.name)?;
        let loaded = loaded.unwrap_or_else(|| device.clone());
        if tx
            .credential_by_key(device.tenant, &credential.enrolled_key)?
            .is_some()
        {
            return Ok(());
        }
        // When there are not enough devices, the same ones enroll again and are refused.
        if let Ok((active, event)) = loaded.enroll(Actor::Newcomer, now) {
            tx.save_device(&active, StateKind::Created)?;
            tx.insert_credential(&credential, None)?;
            assert!(tx.record_certificate(&certificate)?, "its CA issues");
            tx.append(&event)?;
        }
        Ok(())
    })
}

async fn bulk(store: &Store, group: &Group, rows: usize) -> Outcome<Duration> {
    let devices: Vec<_> = (0..rows)
        .map(|n| new_device(group, &format!("test-device-{n}")))
        .collect::<Outcome<_>>()?;
    let chunks: Vec<_> = devices.chunks(CHUNK).map(<[_]>::to_vec).collect();
    let (tenant, id) = (group.tenant, group.id);
    let begun = Instant::now();
    for chunk in chunks {
        let added = store
            .write::<_, StoreError>("bulk", move |tx| tx.insert_devices(tenant, id, &chunk))
            .await?;
        if added.contains(&false) {
            return Err("a row was there already".into());
        }
    }
    Ok(begun.elapsed())
}

/// Rows a commit.
const CHUNK: usize = 5_000;

/// The same rows into the same table, by nothing but rusqlite: 256 rows a statement, 5,000 a
/// commit, durable.
fn bare(path: &Path, group: &Group, rows: usize) -> Outcome<Duration> {
    let mut connection = rusqlite::Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -32768;
         PRAGMA wal_autocheckpoint = 8192; PRAGMA temp_store = MEMORY;",
    )?;
    connection.execute_batch(include_str!("../src/migrations/0001_start.sql"))?;
    connection.execute(
        "INSERT INTO device_groups VALUES (?, ?, 'lights', '', 0, '', 0, 0, 0, 0, 0, 0, '', '', 0)",
        [&group.tenant.as_bytes()[..], &group.id.as_bytes()[..]],
    )?;
    let devices: Vec<_> = (0..rows)
        .map(|n| new_device(group, &format!("test-device-{n}")))
        .collect::<Outcome<_>>()?;
    let statement = |rows: usize| {
        let row = "(?, ?, ?, ?, NULL, NULL, ?, ?, 'created', 0)";
        format!(
            "INSERT INTO devices (tenant_id, group_id, device_id, name, labels, hardware,
                 created_at, changed_at, state, enrolled) VALUES {}",
            vec![row; rows].join(", ")
        )
    };
    let begun = Instant::now();
    for chunk in devices.chunks(CHUNK) {
        let transaction = connection.transaction()?;
        for rows in chunk.chunks(256) {
            let mut insert = transaction.prepare_cached(&statement(rows.len()))?;
            for (n, row) in rows.iter().enumerate() {
                let at = row.at.as_millis();
                insert.raw_bind_parameter(n * 6 + 1, &row.tenant.as_bytes()[..])?;
                insert.raw_bind_parameter(n * 6 + 2, &row.group.as_bytes()[..])?;
                insert.raw_bind_parameter(n * 6 + 3, &row.id.as_bytes()[..])?;
                insert.raw_bind_parameter(n * 6 + 4, row.name.as_str())?;
                insert.raw_bind_parameter(n * 6 + 5, at)?;
                insert.raw_bind_parameter(n * 6 + 6, at)?;
            }
            insert.raw_execute()?;
        }
        transaction.commit()?;
    }
    Ok(begun.elapsed())
}
