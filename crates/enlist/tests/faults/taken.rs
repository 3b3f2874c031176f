//! PostgreSQL has no connection left for the server.

use std::time::{Duration, Instant};

use enlist_testkit::{Cluster, PostgresLab};

use super::crowd::{Crowd, urls};
use super::record;
use super::rig::eventually;
use super::site::Site;

/// How many connections the server may have from now on; those it has are ended.
fn leave(cluster: &Cluster, connections: i32) {
    let limit = format!("ALTER ROLE app CONNECTION LIMIT {connections}");
    cluster.sql("taken", &limit);
    cluster.sql(
        "taken",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'",
    );
}

#[test]
fn a_server_that_gets_no_connection_answers_so_at_once_and_goes_on_when_it_gets_some() {
    let Some(lab) = PostgresLab::start() else {
        return;
    };
    let cluster = lab.cluster("only", &["fsync=off"]);
    let url = cluster.database("taken").replace("user=enlist", "user=app");
    cluster.sql(
        "taken",
        "CREATE ROLE app LOGIN; ALTER DATABASE taken OWNER TO app",
    );
    cluster.sql("taken", "ALTER SCHEMA public OWNER TO app");
    let site = Site::new(Some(&url));
    let mut one = site.server("one");
    let secret = site.ok(&one, "enlist add group crowd --enrollment open");
    let crowd = Crowd::new("crowd", secret.trim(), 300);
    let held = crowd.comes(&site, &urls(&[&one]), |progress| {
        progress.wait_for(60);
        leave(&cluster, 0);
        eventually("it says that it is not ready", || one.readiness() == 503);
        let asked = Instant::now();
        let said = site.shell.sh(&format!(
            "curl -sk -m 20 -D - -H 'Authorization: Bearer '$(cat one.token) {}/v1/tenants",
            one.url
        ));
        assert!(asked.elapsed() < Duration::from_secs(15), "{said:?}");
        let said = said.out.to_lowercase();
        assert!(said.contains(" 503") || said.contains(" 429"), "{said}");
        assert!(said.contains("retry-after"), "{said}");
        assert!(one.log().contains("too many connections"), "{}", one.log());

        // Some are enough to go on with: with five, there is one to write and one to read at least.
        leave(&cluster, 5);
        progress.wait_for(60);
        leave(&cluster, -1);
    });
    assert!(one.is_up(), "it outlives it");
    one.becomes_ready();
    record::is_right(&site, &one, &crowd, &held);
}
