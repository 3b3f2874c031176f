//! Which host of a database is spoken to, and with how few connections a store gets by.

use std::sync::Arc;
use std::time::Duration;

use enlist_store::{Location, OpenError, Store, StoreError};

use crate::postgres::Postgres;
use crate::rig::{Counted, read, write};

pub fn open(url: &str) -> Result<Store, OpenError> {
    Store::open(
        Location::Postgres(url.to_owned()),
        Arc::new(Counted::default()),
    )
}

/// What a store that can't be opened says.
pub fn words(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words.push_str(": ");
        words.push_str(&error.to_string());
        next = error.source();
    }
    words
}

/// Says something to the database on a connection of its own.
pub fn say(url: &str, sql: &str) -> Vec<postgres::SimpleQueryMessage> {
    // A plain thread: the client can't be used inside an async runtime.
    std::thread::scope(|scope| {
        let saying = scope.spawn(|| {
            let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
            client.simple_query(sql).unwrap()
        });
        saying.join().unwrap()
    })
}

pub fn wait(story: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(story);
}

/// The directory in a URL of a database of ours.
fn directory(url: &str) -> &str {
    url.split("host=").nth(1).unwrap()
}

fn read_only(url: &str, on: bool) {
    let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
    let set = if on { "on" } else { "off" };
    client
        .batch_execute(&format!(
            "ALTER SYSTEM SET default_transaction_read_only = {set}"
        ))
        .unwrap();
    client.batch_execute("SELECT pg_reload_conf()").unwrap();
    drop(client);
    // Sessions take note between two statements.
    for _ in 0..500 {
        let mut client = postgres::Client::connect(url, postgres::NoTls).unwrap();
        let now = client.simple_query("SHOW default_transaction_read_only");
        let is_set = now.unwrap().iter().any(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0) == Some(set),
            _ => false,
        });
        if is_set {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("the setting is never taken");
}

#[test]
fn a_host_that_is_down_or_takes_no_writes_is_passed_over() {
    let (Some(one), Some(other)) = (Postgres::start(), Postgres::start()) else {
        return;
    };
    let (one, other) = (one_database(&one), one_database(&other));
    let several = format!(
        "postgres:///there?user=enlist&host=/no/such/place,{},{}",
        directory(&one),
        directory(&other)
    );
    // Both have the schema; which of them takes writes changes.
    open(&one).unwrap().close();
    read_only(&one, true);
    let store = open(&several).unwrap();
    wait(async {
        write(&store, |tx| tx.put_setting("key", b"other")).await;
        assert_eq!(
            read(&store, |tx| tx.setting("key")).await,
            Some(b"other".to_vec())
        );
    });
    // The host that it writes to becomes a standby, as far as can be told: the connections stay.
    read_only(&other, true);
    read_only(&one, false);
    wait(async {
        for n in 0..8_u8 {
            write(&store, move |tx| tx.put_setting("key", &[n])).await;
        }
    });
    let seen = say(&one, "SELECT name FROM settings WHERE name = 'key'");
    assert_eq!(seen.len(), 3, "a description, the row, the end: {seen:?}");
    // None takes writes any more: the words say of each host why not.
    read_only(&one, true);
    let error = open(&several).err().unwrap();
    let words = words(&error);
    assert!(
        words.contains("no host in the database URL takes writes"),
        "{words}"
    );
    assert!(words.contains("/no/such/place: "), "{words}");
    assert_eq!(words.matches("does not allow writes").count(), 2, "{words}");
}

fn one_database(server: &Postgres) -> String {
    server.database("there")
}

#[test]
fn a_store_gets_by_with_two_connections_and_says_what_it_lacks() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.database("few");
    say(&url, "CREATE ROLE few LOGIN CONNECTION LIMIT 2");
    say(&url, "GRANT ALL ON SCHEMA public TO few");
    let as_few = url.replace("user=enlist", "user=few");
    let store = Arc::new(open(&as_few).unwrap());
    wait(async {
        let jobs = (0..40_u8).map(|n| {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let written: Result<(), StoreError> = store
                    .write("few", move |tx| tx.put_setting(&format!("key-{n}"), &[n]))
                    .await;
                written.unwrap();
                let seen = read(&store, move |tx| tx.setting(&format!("key-{n}"))).await;
                assert_eq!(seen, Some(vec![n]));
            })
        });
        for job in jobs.collect::<Vec<_>>() {
            job.await.unwrap();
        }
    });
    Arc::into_inner(store).unwrap().close();
    say(&url, "ALTER ROLE few CONNECTION LIMIT 1");
    // The server may take a moment to notice that the others have gone.
    let mut said = String::new();
    for _ in 0..50 {
        let error = open(&as_few).err().unwrap();
        said = words(&error);
        if said.contains("too many connections") {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(said.contains("raise max_connections"), "{said}");
    assert!(said.contains("grants no more connections"), "{said}");
}

#[test]
fn a_database_that_says_no_is_not_said_to_be_out_of_reach() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.database("strict");
    say(&url, "CREATE ROLE poor LOGIN; CREATE ROLE nologin");
    say(&url, "REVOKE CREATE ON SCHEMA public FROM PUBLIC");
    for (from, to, says) in [
        ("///strict", "///none", "there is no database of this name"),
        ("user=enlist", "user=nobody", "does not let this server in"),
        ("user=enlist", "user=nologin", "does not let this server in"),
        ("user=enlist", "user=poor", "GRANT ALL ON SCHEMA public"),
    ] {
        let begun = std::time::Instant::now();
        let said = words(&open(&url.replace(from, to)).err().unwrap());
        assert!(said.contains(says), "{to}: {said}");
        assert!(!said.contains("out of reach"), "{to}: {said}");
        let took = begun.elapsed();
        assert!(took < Duration::from_secs(3), "{to}: tried for {took:?}");
    }
    let away = url.replace("host=/", "host=/no/such/place/");
    let said = words(&open(&away).err().unwrap());
    assert!(said.contains("the database is out of reach"), "{said}");
}

#[test]
fn a_database_that_is_back_soon_keeps_jobs_waiting_and_loses_none() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.database("gone");
    let store = Arc::new(open(&url).unwrap());
    wait(async {
        write(&store, |tx| tx.put_setting("key", b"before")).await;
        // Nobody gets in, and nobody stays, for a while.
        let elsewhere = url.replace("///gone", "///postgres");
        say(&elsewhere, "ALTER DATABASE gone ALLOW_CONNECTIONS false");
        say(
            &elsewhere,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'gone'",
        );
        let writing = {
            let store = Arc::clone(&store);
            tokio::spawn(async move {
                let done: Result<(), StoreError> = store
                    .write("gone", |tx| tx.put_setting("key", b"after"))
                    .await;
                done
            })
        };
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!writing.is_finished(), "it is waited for");
        say(&elsewhere, "ALTER DATABASE gone ALLOW_CONNECTIONS true");
        writing.await.unwrap().unwrap();
        assert_eq!(
            read(&store, |tx| tx.setting("key")).await,
            Some(b"after".to_vec())
        );
    });
}

#[test]
fn a_connection_that_is_cut_without_a_word_is_noticed_and_replaced() {
    let Some(server) = Postgres::start() else {
        return;
    };
    let url = server.database("cut");
    let store = open(&url).unwrap();
    wait(async {
        write(&store, |tx| tx.put_setting("key", b"before")).await;
        let ours = say(
            &url,
            "SELECT pid FROM pg_stat_activity WHERE datname = 'cut' AND pid <> pg_backend_pid()",
        );
        let ours = ours.iter().filter_map(|message| match message {
            postgres::SimpleQueryMessage::Row(row) => row.get(0),
            _ => None,
        });
        let ours: Vec<_> = ours.collect();
        assert!(!ours.is_empty(), "the store is connected");
        // With the first of them gone, PostgreSQL ends the others: some may not be there any more.
        std::process::Command::new("kill")
            .arg("-9")
            .args(ours)
            .status()
            .unwrap();
        let writing = write(&store, |tx| tx.put_setting("key", b"after"));
        let in_time = tokio::time::timeout(Duration::from_secs(30), writing).await;
        in_time.expect("it is not waited for until a statement's time is over");
        let reading = read(&store, |tx| tx.setting("key"));
        let in_time = tokio::time::timeout(Duration::from_secs(30), reading).await;
        assert_eq!(in_time.expect("nor is that"), Some(b"after".to_vec()));
    });
}
