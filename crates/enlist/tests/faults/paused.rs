//! A server is paused in the middle of its work, and goes on later as if nothing had been.

use std::collections::{HashMap, HashSet};
use std::thread;
use std::time::{Duration, Instant};

use enlist_testkit::{Answer, Cluster, PostgresLab, Receiver};

use super::crowd::{Crowd, urls};
use super::rig::eventually;
use super::site::{Server, Site};
use super::{quick_or_long, record};

/// Longer than a transaction may lie idle.
fn pause() -> Duration {
    Duration::from_secs(quick_or_long(14, 60))
}

/// What a server may have on its way to a receiver at one moment: it learns at its next look that it is
/// no longer the one to tell.
const A_FEW: usize = 2 * 16;

/// Transactions of server `one` in which it has written something, and which wait for it.
fn open_transactions(cluster: &Cluster) -> usize {
    let open = cluster.sql(
        "paused",
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'one'
         AND state LIKE 'idle in transaction%' AND backend_xid IS NOT NULL",
    );
    open.trim().parse().unwrap()
}

fn pause_in_mid_transaction(cluster: &Cluster, server: &Server<'_>) {
    for _ in 0..100 {
        server.pause();
        // What it has sent is done by then.
        thread::sleep(Duration::from_millis(20));
        if open_transactions(cluster) > 0 {
            return;
        }
        server.resume();
        thread::sleep(Duration::from_millis(13));
    }
    panic!("it was never in the middle of anything");
}

#[test]
fn a_server_that_is_paused_in_mid_transaction_holds_nobody_up_for_long() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off"]);
    let site = Site::new(Some(&cluster.database("paused")));
    let (mut one, two) = (site.server("one"), site.server("two"));
    // Each enrollment writes the one row of the secret that counts them.
    let secret = site.ok(
        &one,
        "enlist add group crowd --enrollment open >/dev/null
         enlist add secret -g crowd --max-devices 100000",
    );
    let crowd = Crowd::new("crowd", secret.trim(), quick_or_long(300, 1_500));
    let held = crowd.comes(&site, &urls(&[&one, &two]), |progress| {
        progress.wait_for(40);
        pause_in_mid_transaction(&cluster, &one);
        let paused = Instant::now();
        eventually("the database ends what it waits for", || {
            open_transactions(&cluster) == 0
        });
        assert!(paused.elapsed() < Duration::from_secs(15));
        progress.wait_for(40);
        thread::sleep(pause().saturating_sub(paused.elapsed()));
        one.resume();
    });
    assert!(one.is_up());
    one.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}

#[test]
fn a_server_that_was_paused_tells_nothing_that_another_has_told_meanwhile() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    if !enlist_testkit::fakes_time() {
        return;
    }
    let cluster = lab.cluster("only", &["fsync=off"]);
    let site = Site::new(Some(&cluster.database("paused")));
    let one = site.server("one");
    let receiver = Receiver::start(|_| Answer::Later(Duration::from_millis(400), 200));
    site.shell.write("erp-ca.pem", receiver.ca_pem());
    let add = format!(
        "enlist add webhook erp --url {} --ca erp-ca.pem",
        receiver.url()
    );
    site.ok(&one, &add);
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 150);
    let held = crowd.comes(&site, &urls(&[&one]), |_| {});
    eventually("it is telling", || receiver.received().len() > 20);
    one.pause();
    let at_the_pause = receiver.received().len();
    // Its lease has ended by the other one's clock.
    let [library, clock] = enlist_testkit::FAKE_TIME;
    let ahead = [library, clock, ("FAKETIME", "+120")];
    let two = site.server_with("two", &ahead);
    let standing = |server: &Server<'_>| {
        let listed = site.ok(server, "enlist get webhooks -o json");
        serde_json::from_str::<serde_json::Value>(&listed).unwrap()[0].clone()
    };
    eventually("the other one tells the rest", || {
        standing(&two)["behind"] == 0
    });
    let before = receiver.received();
    let told: HashSet<_> = before.iter().map(|one| one.id.clone()).collect();
    // Of what the first one has told it may not have come to say so.
    let twice = before.len() - told.len();
    assert!(twice <= at_the_pause, "{twice} of {at_the_pause}");

    one.resume();
    site.ok(&one, "enlist add group after --enrollment open");
    eventually("what comes is told", || {
        standing(&one)["behind"] == 0 && receiver.received().len() > before.len()
    });
    thread::sleep(Duration::from_secs(1));
    let after = receiver.received();
    let again = after[before.len()..]
        .iter()
        .filter(|one| told.contains(&one.id))
        .count();
    assert!(again <= A_FEW, "{again}");
    let mut of_devices: HashMap<String, Vec<String>> = HashMap::new();
    let mut seen = HashSet::new();
    for one in after.iter().filter(|one| seen.insert(one.id.clone())) {
        let message = one.json();
        if let Some(device) = message["data"]["device"].as_str() {
            let kind = message["type"].as_str().unwrap().to_owned();
            of_devices.entry(device.to_owned()).or_default().push(kind);
        }
    }
    assert_eq!(of_devices.len(), held.len());
    for (device, kinds) in of_devices {
        assert_eq!(
            kinds,
            ["device-enrolled", "certificate-renewed"],
            "{device}"
        );
    }
    record::is_right(&site, &two, &crowd, &held);
}
