//! What outlives the process, and who may open what is there.

use std::sync::Arc;

use enlist_core::{Actor, CaId, CaKey, CaKind, CaRecord, CaStanding, Event, State};
use enlist_store::{EventFilter, Location, OpenError, Store, StoreError, Tuning};
use tempfile::TempDir;

use crate::rig::{Hold, NOW, Rig, read, until, write};

pub async fn a_reopened_store_has_everything(rig: &Rig) {
    let store = rig.open();
    let home = rig.home(&store, "acme").await;
    let device = rig.device(&home, "light-1", State::Active);
    let event = Event::new("device-created", device.subject(), Actor::Server, NOW);
    let (saved, told) = (device.clone(), event.clone());
    write(&store, move |tx| {
        assert!(tx.insert_device(&saved)?);
        tx.append(&told)
    })
    .await;
    store.close();

    let store = rig.open();
    let tenant = home.tenant.id;
    let id = device.id;
    let found = read(&store, move |tx| tx.device(tenant, id)).await;
    assert_eq!(found, Some(device));
    let filter = EventFilter {
        limit: 10,
        ..EventFilter::default()
    };
    let events = read(&store, move |tx| tx.events_page(tenant, &filter)).await;
    assert_eq!(
        events
            .into_iter()
            .map(|(_, e)| e.unwrap())
            .collect::<Vec<_>>(),
        [event]
    );
}

pub async fn what_waits_at_the_end_is_done(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let hold = Hold::take(&store).await;
    let jobs: Vec<_> = (0..20)
        .map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                write(&store, move |tx| {
                    tx.put_setting(&format!("key-{n}"), b"kept")
                })
                .await;
            })
        })
        .collect();
    until(|| store.stats().waiting == 20).await;
    hold.release();
    // The tasks hold the store; the last of them to end closes it.
    drop(store);
    for job in jobs {
        job.await.unwrap();
    }
    let store = rig.open();
    let kept = read(&store, |tx| tx.setting("key-19")).await;
    assert_eq!(kept, Some(b"kept".to_vec()));
}

pub async fn a_newer_schema_is_refused(rig: &Rig) {
    rig.open().close();
    match rig.location() {
        Location::File(path) => {
            let file = rusqlite::Connection::open(path.join("enlist.db")).unwrap();
            file.execute("INSERT INTO schema_version VALUES (4711)", [])
                .unwrap();
        }
        Location::Postgres(url) => {
            beside(url, "INSERT INTO schema_version VALUES (4711)");
        }
        Location::Memory => unreachable!("nothing is there to be reopened"),
    }
    let refused = Store::open(rig.location(), rig.rng.clone()).err().unwrap();
    assert!(
        matches!(refused, OpenError::NewerSchema { found: 4711, known } if known < 4711),
        "{refused:?}"
    );
}

/// On PostgreSQL, beside the store.
fn beside(url: String, sql: &'static str) {
    // Its client can't be used inside an async runtime.
    let client = std::thread::spawn(move || {
        let mut client = postgres::Client::connect(&url, postgres::NoTls).unwrap();
        client.batch_execute(sql).unwrap();
    });
    client.join().unwrap();
}

pub async fn a_broken_connection_is_replaced(rig: &Rig) {
    let Location::Postgres(url) = rig.location() else {
        unreachable!("told on PostgreSQL alone")
    };
    let store = rig.open();
    for n in 0..3_u8 {
        beside(
            url.clone(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        // Enough for every writer and reader to find out.
        for _ in 0..10 {
            write(&store, move |tx| tx.put_setting("key", &[n])).await;
            let seen = read(&store, |tx| tx.setting("key")).await;
            assert_eq!(seen, Some(vec![n]));
        }
    }
    assert!(store.stats().reruns > 0);
}

pub async fn servers_that_start_together_migrate_once(rig: &Rig) {
    let stores = std::thread::scope(|scope| {
        let opening: Vec<_> = (0..5)
            .map(|_| scope.spawn(|| Store::open(rig.location(), rig.rng.clone())))
            .collect();
        let opened = opening.into_iter().map(|opening| opening.join().unwrap());
        opened.collect::<Result<Vec<_>, _>>()
    });
    let stores = stores.unwrap();
    write(&stores[0], |tx| tx.put_setting("key", b"kept")).await;
    for store in &stores {
        let seen = read(store, |tx| tx.setting("key")).await;
        assert_eq!(seen, Some(b"kept".to_vec()));
    }
}

fn open(dir: &TempDir, tuning: &Tuning) -> Result<Store, OpenError> {
    let location = Location::File(dir.path().to_owned());
    Store::open_tuned(location, Arc::new(crate::rig::Counted::default()), tuning)
}

#[test]
fn a_second_server_on_the_same_directory_is_refused() {
    let dir = TempDir::new().unwrap();
    let first = open(&dir, &Tuning::default()).unwrap();
    let refused = open(&dir, &Tuning::default()).err().unwrap();
    assert!(matches!(refused, OpenError::InUse { .. }), "{refused:?}");
    assert!(refused.to_string().contains("another server is running"));
    first.close();
    open(&dir, &Tuning::default()).unwrap();
}

#[cfg(unix)]
#[test]
fn the_database_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = TempDir::new().unwrap();
    let store = open(&dir, &Tuning::default()).unwrap();
    for file in ["enlist.db", "enlist.db-wal", "lock"] {
        let mode = dir
            .path()
            .join(file)
            .metadata()
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    drop(store);
}

#[test]
fn a_directory_that_cannot_be_made_is_named() {
    let dir = TempDir::new().unwrap();
    std::fs::write(dir.path().join("file"), "in the way").unwrap();
    let location = Location::File(dir.path().join("file/data"));
    let refused = Store::open(location, Arc::new(crate::rig::Counted::default())).err();
    let refused = refused.unwrap();
    assert!(
        matches!(refused, OpenError::Directory { .. }),
        "{refused:?}"
    );
    assert!(refused.to_string().contains("file/data"), "{refused}");
}

#[tokio::test]
async fn a_full_disk_is_told_and_leaves_nothing_half_written() {
    let dir = TempDir::new().unwrap();
    // A little more than the empty tables take.
    let small = Tuning {
        max_pages: Some(100),
        ..Tuning::default()
    };
    let store = open(&dir, &small).unwrap();
    let mut kept = 0_u8;
    let refused = loop {
        let result: Result<(), StoreError> = store
            .write("fill", move |tx| {
                tx.put_setting(&format!("count-{kept}"), &[kept])?;
                tx.put_setting(&format!("load-{kept}"), &[kept; 20_000])
            })
            .await;
        match result {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    assert!(kept > 0, "there was room for some");
    let half = read(&store, move |tx| tx.setting(&format!("count-{kept}"))).await;
    assert_eq!(half, None, "the small row of the refused job is gone too");
    store.close();

    let store = open(&dir, &Tuning::default()).unwrap();
    for n in 0..kept {
        let load = read(&store, move |tx| tx.setting(&format!("load-{n}"))).await;
        assert_eq!(load, Some(vec![n; 20_000]));
    }
    // With room again, it goes on where it stopped.
    write(&store, move |tx| tx.put_setting("load", &[kept; 20_000])).await;
}

/// As [`a_full_disk_is_told_and_leaves_nothing_half_written`], on a disk that is really full.
/// Takes a file system of its own, so it runs where it may mount one.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_really_full_is_told_too() {
    const INSIDE: &str = "ENLIST_TEST_FULL_DISK";
    if let Some(dir) = std::env::var_os(INSIDE) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(fill(std::path::Path::new(&dir)));
    }
    let dir = TempDir::new().unwrap();
    // A mount in a namespace of its own goes with the process.
    let script = r#"mount -t tmpfs -o size=2m enlist "$1" || exit 77; shift; exec "$@""#;
    let output = std::process::Command::new("unshare")
        .args(["--mount", "sh", "-c", script, "sh"])
        .arg(dir.path())
        .arg(std::env::current_exe().unwrap())
        .args([
            "--exact",
            "durable::a_disk_that_is_really_full_is_told_too",
            "--nocapture",
        ])
        .env(INSIDE, dir.path())
        .output();
    match output {
        Ok(output) if output.status.success() => {
            let said = String::from_utf8_lossy(&output.stdout);
            assert!(said.contains("1 passed"), "{said}");
        }
        Ok(output) if output.status.code() == Some(101) => {
            panic!("{}", String::from_utf8_lossy(&output.stderr));
        }
        _ => eprintln!("skipped: no file system can be mounted here"),
    }
}

#[cfg(target_os = "linux")]
async fn fill(dir: &std::path::Path) {
    let rng = Arc::new(crate::rig::Counted::default());
    let location = || Location::File(dir.join("data"));
    let store = Store::open(location(), rng.clone()).unwrap();
    // The write-ahead log fills the disk at the commit, not at the statement.
    let mut kept = 0_u8;
    let refused = loop {
        let result: Result<(), StoreError> = store
            .write("fill", move |tx| {
                tx.put_setting(&format!("load-{kept}"), &[kept; 20_000])
            })
            .await;
        match result {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(refused, StoreError::Full(_)), "{refused:?}");
    assert!(kept > 0, "there was room for some");
    let half = read(&store, move |tx| tx.setting(&format!("load-{kept}"))).await;
    assert_eq!(half, None);
    store.close();
    let refused = Store::open(location(), rng.clone());
    let store = refused.expect("a full disk does not keep the store from opening");
    for n in 0..kept {
        let load = read(&store, move |tx| tx.setting(&format!("load-{n}"))).await;
        assert_eq!(load, Some(vec![n; 20_000]));
    }
}

#[tokio::test]
async fn a_forgotten_key_is_in_no_file() {
    const KEY: &[u8] = b"the key of the root, wrapped, and long enough to be told apart";
    let dir = TempDir::new().unwrap();
    let is_there = || {
        let files = std::fs::read_dir(dir.path()).unwrap();
        files.into_iter().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap();
            bytes.windows(KEY.len()).any(|part| part == KEY)
        })
    };
    let store = open(&dir, &Tuning::default()).unwrap();
    let root = CaRecord {
        id: CaId::from_bytes([1; 16]),
        tenant: None,
        kind: CaKind::Root,
        standing: CaStanding::Current,
        certificate: vec![0x30, 0],
        chain: Vec::new(),
        key: CaKey::Wrapped(KEY.to_vec()),
        created_at: NOW,
    };
    let id = root.id;
    write(&store, move |tx| tx.insert_ca(&root)).await;
    store.empty_log().unwrap();
    assert!(is_there(), "in the database itself");
    assert!(write(&store, move |tx| tx.forget_root_key(id)).await);
    store.empty_log().unwrap();
    assert!(!is_there());
}
