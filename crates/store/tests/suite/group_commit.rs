//! Jobs that are committed together.

use std::sync::Arc;

use enlist_core::{CaKey, CaKind, CaRecord, CaStanding, OnClone};
use enlist_store::{StoreError, Tuning};

use crate::rig::{Hold, NOW, Rig, read, together, until, write};

async fn put(
    store: Arc<enlist_store::Store>,
    key: String,
    then: Result<(), &'static str>,
) -> Result<(), String> {
    store
        .write("put", move |tx| {
            tx.put_setting(&key, b"kept").map_err(Refusal::Store)?;
            then.map_err(Refusal::Said)
        })
        .await
        .map_err(|refusal| format!("{refusal:?}"))
}

#[derive(Debug)]
enum Refusal {
    Said(#[allow(dead_code, reason = "it is printed")] &'static str),
    Store(#[allow(dead_code, reason = "it is printed")] StoreError),
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

async fn is_kept(store: &enlist_store::Store, key: &'static str) -> bool {
    read(store, move |tx| tx.setting(key)).await.is_some()
}

pub async fn jobs_that_wait_are_committed_together(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let before = store.stats();
    let jobs = (0..50).map(|n| put(Arc::clone(&store), format!("key-{n}"), Ok(())));
    let results = together(&store, jobs).await;
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let after = store.stats();
    // One for the job that kept the writer busy, one for all the others.
    assert_eq!(after.batches - before.batches, 2);
    assert_eq!(after.jobs - before.jobs, 51);
    assert_eq!(after.largest, 50);
    assert!(is_kept(&store, "key-0").await && is_kept(&store, "key-49").await);
}

pub async fn a_refused_job_spoils_no_other(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let jobs = [
        ("first", Ok(())),
        ("refused", Err("no")),
        ("second", Ok(())),
        ("refused-too", Err("no")),
    ];
    let jobs = jobs.map(|(key, then)| put(Arc::clone(&store), key.to_owned(), then));
    let results = together(&store, jobs).await;
    let refused = Err("Said(\"no\")".to_owned());
    assert_eq!(results, [Ok(()), refused.clone(), Ok(()), refused]);
    assert!(is_kept(&store, "first").await && is_kept(&store, "second").await);
    assert!(!is_kept(&store, "refused").await && !is_kept(&store, "refused-too").await);
    // Alone in its transaction, too.
    put(Arc::clone(&store), "alone".to_owned(), Err("no"))
        .await
        .unwrap_err();
    assert!(!is_kept(&store, "alone").await);
}

pub async fn what_one_has_changed_the_next_one_sees(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let home = rig.home(&store, "acme").await;
    // What each does to the group, if anything, and whether it goes well; then what it sees.
    let job = |change: Option<OnClone>, goes_well: bool| {
        let (store, group) = (Arc::clone(&store), home.group.clone());
        async move {
            let done: Result<OnClone, Refusal> = store
                .write("change", move |tx| {
                    let mut now = tx.group(group.tenant, group.id)?.unwrap();
                    if let Some(change) = change {
                        now.on_clone = change;
                        assert!(tx.save_group(&now)?);
                    }
                    let seen = tx.group(group.tenant, group.id)?.unwrap().on_clone;
                    goes_well.then_some(seen).ok_or(Refusal::Said("no"))
                })
                .await;
            done.ok()
        }
    };
    let (first, other) = match home.group.on_clone {
        OnClone::Suspend => (OnClone::Suspend, OnClone::Alert),
        first => (first, OnClone::Suspend),
    };
    let jobs = [
        job(None, true),
        job(Some(other), true),
        job(None, true),
        job(None, false),
        job(None, true),
    ];
    let seen = together(&store, jobs).await;
    let expected = [first, other, other].map(Some);
    assert_eq!(seen[..3], expected);
    assert_eq!(seen[3..], [None, Some(other)]);
    // One that is taken back has changed nothing for those behind it.
    let jobs = [job(None, true), job(Some(first), false), job(None, true)];
    let seen = together(&store, jobs).await;
    assert_eq!(seen, [Some(other), None, Some(other)]);
}

pub async fn a_panicking_job_spoils_no_other(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let panicking = |key: &'static str| {
        let store = Arc::clone(&store);
        async move {
            let result: Result<(), StoreError> = store
                .write("panicking", move |tx| {
                    tx.put_setting(key, b"lost")?;
                    panic!("this belongs to the test");
                })
                .await;
            result.map_err(|error| format!("{error:?}"))
        }
    };
    let first = put(Arc::clone(&store), "before".to_owned(), Ok(()));
    let last = put(Arc::clone(&store), "after".to_owned(), Ok(()));
    let jobs: Vec<std::pin::Pin<Box<dyn Future<Output = _> + Send>>> = vec![
        Box::pin(first),
        Box::pin(panicking("panicked")),
        Box::pin(last),
    ];
    let results = together(&store, jobs).await;
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert!(results[1].as_ref().is_err_and(|e| e.contains("Panicked")));
    assert!(is_kept(&store, "before").await && is_kept(&store, "after").await);
    assert!(!is_kept(&store, "panicked").await);
    // Alone, it takes neither its rows nor the thread.
    panicking("panicked").await.unwrap_err();
    assert!(!is_kept(&store, "panicked").await);
    put(store, "later".to_owned(), Ok(())).await.unwrap();
}

/// A job that adds the same CA twice, and does not mind when `swallow` says so.
async fn clash(store: Arc<enlist_store::Store>, ca: CaRecord, swallow: bool) -> Result<(), String> {
    let result = store
        .write("clash", move |tx| {
            tx.put_setting("clash", b"lost")?;
            tx.insert_ca(&ca)?;
            match tx.insert_ca(&ca) {
                Err(StoreError::Conflict(_)) if swallow => Ok(()),
                other => other,
            }
        })
        .await;
    result.map_err(|error: StoreError| format!("{error:?}"))
}

fn ca(rig: &Rig) -> CaRecord {
    CaRecord {
        id: rig.ca_id(),
        tenant: None,
        kind: CaKind::Root,
        certificate: vec![1],
        standing: CaStanding::Current,
        chain: Vec::new(),
        key: CaKey::Offline,
        created_at: NOW,
    }
}

async fn clashes(rig: &Rig, swallow: bool) {
    let store = Arc::new(rig.open_with_one_writer());
    let jobs: Vec<std::pin::Pin<Box<dyn Future<Output = _> + Send>>> = vec![
        Box::pin(put(Arc::clone(&store), "before".to_owned(), Ok(()))),
        Box::pin(clash(Arc::clone(&store), ca(rig), swallow)),
        Box::pin(put(Arc::clone(&store), "after".to_owned(), Ok(()))),
    ];
    let results = together(&store, jobs).await;
    assert!(results[0].is_ok() && results[2].is_ok(), "{results:?}");
    assert!(results[1].as_ref().is_err_and(|e| e.contains("Conflict")));
    let alone = clash(Arc::clone(&store), ca(rig), swallow).await;
    assert!(alone.is_err_and(|error| error.contains("Conflict")));
    assert!(is_kept(&store, "before").await && is_kept(&store, "after").await);
    assert!(!is_kept(&store, "clash").await);
    let cas = read(&store, |tx| tx.cas(CaKind::Root, None)).await;
    assert_eq!(cas, []);
}

pub async fn a_failing_statement_spoils_no_other(rig: &Rig) {
    clashes(rig, false).await;
}

pub async fn a_job_that_swallows_a_failure_is_refused(rig: &Rig) {
    clashes(rig, true).await;
}

pub async fn a_full_queue_refuses_at_once(rig: &Rig) {
    let store = Arc::new(rig.open_tuned(&Tuning {
        writers: 1,
        queue: 1,
        ..Tuning::default()
    }));
    let hold = Hold::take(&store).await;
    let waits = tokio::spawn(put(Arc::clone(&store), "waits".to_owned(), Ok(())));
    until(|| store.stats().waiting == 1).await;
    let refused = put(Arc::clone(&store), "refused".to_owned(), Ok(())).await;
    assert!(refused.is_err_and(|error| error.contains("Busy")));
    hold.release();
    waits.await.unwrap().unwrap();
    assert!(is_kept(&store, "waits").await && !is_kept(&store, "refused").await);
}

pub async fn a_job_whose_caller_has_gone_is_not_begun(rig: &Rig) {
    let store = Arc::new(rig.open_with_one_writer());
    let hold = Hold::take(&store).await;
    let gone = tokio::spawn(put(Arc::clone(&store), "gone".to_owned(), Ok(())));
    until(|| store.stats().waiting == 1).await;
    gone.abort();
    gone.await.unwrap_err();
    hold.release();
    write(&store, |tx| tx.put_setting("later", b"kept")).await;
    assert!(is_kept(&store, "later").await && !is_kept(&store, "gone").await);
}

pub async fn a_reading_job_cannot_write(rig: &Rig) {
    let store = rig.open();
    let result: Result<(), StoreError> =
        store.read("sly", |tx| tx.put_setting("sly", b"lost")).await;
    assert!(matches!(result, Err(StoreError::ReadOnly)), "{result:?}");
    assert!(!is_kept(&store, "sly").await);
}

pub async fn a_read_sees_what_was_answered_before(rig: &Rig) {
    let store = rig.open();
    for n in 0..200_u8 {
        write(&store, move |tx| tx.put_setting("n", &[n])).await;
        let seen = read(&store, |tx| tx.setting("n")).await;
        assert_eq!(seen, Some(vec![n]));
    }
}
