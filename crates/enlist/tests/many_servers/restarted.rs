//! Servers that are restarted one after another, in good order.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use enlist_wire::ClientError;

use crate::balancer::{self, Balancer};
use crate::crowd::Crowd;
use crate::record;
use crate::site::{Server, Site};

/// Devices that enroll and renew meanwhile.
const DEVICES: usize = 300;
/// As in the settings of the servers.
const DRAIN: Duration = Duration::from_secs(4);

/// What clients have asked through the balancer.
#[derive(Default)]
struct Asked {
    done: AtomicBool,
    answers: AtomicUsize,
    failures: Mutex<Vec<String>>,
}

impl Asked {
    /// Asks without end, with this pause, until it is enough. Nothing is tried again.
    fn keep_asking(&self, what: &str, pause: Duration, ask: impl Fn() -> Result<(), ClientError>) {
        while !self.done.load(Ordering::SeqCst) {
            match ask() {
                Ok(()) => {
                    self.answers.fetch_add(1, Ordering::SeqCst);
                }
                Err(error) => {
                    let failure = format!("{what}: {error:?}");
                    self.failures.lock().unwrap().push(failure);
                }
            }
            thread::sleep(pause);
        }
    }
}

#[test]
fn servers_that_are_restarted_one_after_another_fail_no_request() {
    let Some(postgres) = balancer::database() else {
        return;
    };
    let mut site = Site::new(Some(&postgres.database("restarts")));
    // A request that is slow, on a busy machine, has not failed.
    site.patience = Duration::from_secs(30);
    let settings = balancer::settings("4");
    let mut servers = ["one", "two"].map(|name| site.server_with(name, &settings));
    let balancer = Balancer::start(&site.shell, balancer::port(), [&servers[0], &servers[1]]);
    let secret = balancer::group(&site, &servers[0], "crowd");
    let url = balancer.url();
    let crowd = Crowd::new("crowd", &secret, DEVICES);
    let client = || site.device_client(&url, None);
    let asked = Asked::default();
    let held = thread::scope(|scope| {
        for _ in 0..3 {
            // Kept connections, which are busy.
            scope.spawn(|| {
                let kept = client();
                let pause = Duration::from_millis(20);
                asked.keep_asking("kept", pause, || kept.time().map(drop));
            });
            // A new connection for each.
            scope.spawn(|| {
                let pause = Duration::from_millis(60);
                asked.keep_asking("new", pause, || client().time().map(drop));
            });
        }
        // Devices come all the while, and are let in at their first try.
        let held = crowd.comes(&site, std::slice::from_ref(&url), |progress| {
            for server in &mut servers {
                restart(&site, server);
                // The balancer tries it again.
                thread::sleep(Duration::from_millis(1500));
            }
            assert!(progress.setbacks().is_empty(), "{:?}", progress.setbacks());
        });
        asked.done.store(true, Ordering::SeqCst);
        held
    });
    let failures = asked.failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{failures:?}");
    assert!(
        asked.answers.load(Ordering::SeqCst) > 200,
        "there was a load"
    );
    record::is_right(&site, &servers[0], &crowd, &held);
}

/// Told to end, it says first that it is not ready, still serves whom it is sent, and ends well.
fn restart(site: &Site, server: &mut Server<'_>) {
    let told = Instant::now();
    server.signal("TERM");
    while server.readiness() != 503 {
        assert!(told.elapsed() < DRAIN, "still ready");
    }
    let stranger = site.device_client(&server.url, None);
    assert!(stranger.time().is_ok(), "it still serves");
    assert_eq!(server.ended(), Some(0), "it ends well");
    assert!(told.elapsed() >= DRAIN, "it drains");
    server.start();
    server.becomes_ready();
}
