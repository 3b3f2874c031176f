//! The primary is gone for good, and its standby takes over.

use std::thread;
use std::time::Duration;

use enlist_testkit::{Cluster, PostgresLab};

use super::crowd::{Crowd, urls};
use super::site::Site;
use super::{quick_or_long, record};

/// A primary, its standby, and servers that know of both.
fn pair(lab: &PostgresLab) -> (Cluster, Cluster, Site) {
    let primary = lab.cluster("primary", &["fsync=on"]);
    let standby = primary.standby("standby");
    primary.database("pair");
    let site = Site::new(Some(&primary.url_with(&standby, "pair")));
    (primary, standby, site)
}

#[test]
fn a_standby_that_is_promoted_has_whatever_was_acknowledged() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let (primary, standby, site) = pair(&lab);
    let (mut one, mut two) = (site.server("one"), site.server("two"));
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), quick_or_long(300, 3_000));
    let held = crowd.comes(&site, &urls(&[&one, &two]), |progress| {
        progress.wait_for(100);
        primary.kill();
        standby.promote();
    });
    assert!(one.is_up() && two.is_up(), "they outlive it");
    assert!(!primary.is_up() && standby.is_up());
    one.becomes_ready();
    two.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}

#[test]
fn nothing_is_acknowledged_that_only_one_of_two_clusters_has() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let (primary, standby, site) = pair(&lab);
    let one = site.server("one");
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 150);
    let held = crowd.comes(&site, &urls(&[&one]), |progress| {
        progress.wait_for(50);
        standby.stop_at_once();
        // What was on its way arrives.
        thread::sleep(Duration::from_secs(1));
        let before = progress.answers();
        thread::sleep(Duration::from_secs(2));
        assert_eq!(progress.answers(), before, "and nothing after it");
        standby.start();
        progress.wait_for(30);
        primary.kill();
        standby.promote();
    });
    one.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}
