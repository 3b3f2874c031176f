//! PostgreSQL ends as in a power cut, and comes back.

use std::thread;
use std::time::Duration;

use enlist_testkit::{Cluster, PostgresLab};

use super::crowd::{Crowd, urls};
use super::rig::eventually;
use super::site::Site;
use super::{quick_or_long, record};

#[test]
fn a_postgresql_that_is_killed_and_started_again_under_load_loses_and_doubles_nothing() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=on"]);
    let site = Site::new(Some(&cluster.database("killed")));
    let (mut one, mut two) = (site.server("one"), site.server("two"));
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), quick_or_long(300, 3_000)).that_waits();
    let held = crowd.comes(&site, &urls(&[&one, &two]), |progress| {
        for (number, blow) in [Cluster::kill, Cluster::stop_at_once, Cluster::kill]
            .into_iter()
            .enumerate()
        {
            progress.call(100);
            progress.wait_for(50);
            blow(&cluster);
            if number == 0 {
                eventually("they say so", || {
                    one.readiness() == 503 && two.readiness() == 503
                });
                progress.wait_for_refusal("storage-unavailable");
            }
            thread::sleep(Duration::from_millis(300));
            cluster.start();
        }
    });
    assert!(one.is_up() && two.is_up(), "they outlive it");
    one.becomes_ready();
    two.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}
