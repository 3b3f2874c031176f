//! How far the telling goes: with no time for a receiver, over dead letters, and where somebody has the
//! database.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use enlist_core::{Operator, Role, SystemClock, SystemRng};
use enlist_ops::{
    AddToken, AddWebhook, Call, Calling, Config, Location, Ops, Outbound, OutboundError,
    OutboundReply, RetryDeadLetters, StatusConfig, Target, WebhookView, WrappingKeySource, open,
};
use enlist_testkit::ca_key_store;
use rusqlite::Connection;

/// Takes what it is told, once there is room and it likes to; knows the ids of what it took.
struct Line {
    has_room: AtomicBool,
    is_willing: AtomicBool,
    asked: AtomicUsize,
    taken: Mutex<Vec<String>>,
}

impl Line {
    fn new(has_room: bool, is_willing: bool) -> Arc<Self> {
        Arc::new(Self {
            has_room: AtomicBool::new(has_room),
            is_willing: AtomicBool::new(is_willing),
            asked: AtomicUsize::new(0),
            taken: Mutex::default(),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }

    fn taken(&self) -> usize {
        self.taken.lock().unwrap().len()
    }
}

impl Outbound for Line {
    fn check(&self, _: &Target) -> Result<(), OutboundError> {
        Ok(())
    }

    fn call(&self, call: Call) -> Calling<'_> {
        Box::pin(async move {
            self.asked.fetch_add(1, Ordering::SeqCst);
            if !self.has_room.load(Ordering::SeqCst) {
                return Err(OutboundError::Crowded);
            }
            let is_willing = self.is_willing.load(Ordering::SeqCst);
            if is_willing {
                let (_, id) = call.headers[0].clone();
                self.taken.lock().unwrap().push(id);
            }
            let status = if is_willing { 200 } else { 500 };
            let body = Vec::new();
            Ok(OutboundReply { status, body })
        })
    }
}

/// A server that tells one webhook of new tokens.
struct Here {
    ops: Ops,
    admin: Operator,
}

impl Here {
    async fn open(dir: &Path, line: &Arc<Line>) -> Self {
        Self::on(Location::File(dir.to_owned()), dir, line).await
    }

    async fn on(location: Location, dir: &Path, line: &Arc<Line>) -> Self {
        let config = Config {
            location,
            data_dir: Some(dir.to_owned()),
            wrapping: WrappingKeySource::Text("the same each time, and long enough".into()),
            ca_key_store: ca_key_store(),
            status: StatusConfig::default(),
            outbound: line.clone(),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
        };
        let (ops, first) = open(config).await.unwrap();
        let token = first.unwrap().admin_token.expose().to_owned();
        let admin = ops.authenticate(&token).await.unwrap();
        let add = AddWebhook {
            name: "erp".to_owned(),
            target: Target {
                url: "https://erp.test/".to_owned(),
                anchors_pem: None,
            },
            group: None,
            kinds: Some(vec!["token-created".to_owned()]),
        };
        let tenant = "default".to_owned();
        ops.add_webhook(&admin, tenant, add).await.unwrap();
        let here = Self { ops, admin };
        let ops = here.ops.clone();
        tokio::spawn(async move { ops.tell_webhooks(Arc::new(|_| Vec::new())).await });
        here
    }

    /// So many tokens are made, and sealed.
    async fn happens(&self, times: usize) {
        let mut under_way = tokio::task::JoinSet::new();
        for number in 0..times {
            let add = AddToken {
                label: format!("token {number}"),
                role: Role::Viewer,
                group: None,
                expires_in: None,
            };
            let (ops, admin) = (self.ops.clone(), self.admin.clone());
            let tenant = Some("default".to_owned());
            under_way.spawn(async move { ops.add_token(&admin, tenant, add).await });
        }
        while let Some(done) = under_way.join_next().await {
            done.unwrap().unwrap();
        }
        self.ops.seal_events().await.unwrap();
    }

    async fn standing(&self) -> WebhookView {
        let webhooks = self.ops.webhooks(&self.admin, "default".to_owned()).await;
        webhooks.unwrap().remove(0)
    }
}

async fn eventually(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(60), "never: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn story<F: Future>(tell: impl FnOnce(tempfile::TempDir) -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(tell(tempfile::tempdir().unwrap()))
}

#[test]
fn what_there_was_no_time_for_is_never_given_up_for_what_came_later() {
    story(async |dir| {
        let line = Line::new(false, true);
        let here = Here::on(Location::Memory, dir.path(), &line).await;
        here.happens(800).await;
        let so_far = line.asked();
        eventually("many rounds go by", || line.asked() > so_far + 20).await;
        let meanwhile = here.standing().await;
        assert!(meanwhile.waiting <= 512, "{} wait", meanwhile.waiting);
        line.has_room.store(true, Ordering::SeqCst);
        eventually("all is told", || line.taken() >= 800).await;
        assert_eq!(here.standing().await.dead_letters, 0);
        let mut taken = line.taken.lock().unwrap().clone();
        taken.sort();
        taken.dedup();
        assert_eq!(taken.len(), 800);
    });
}

#[test]
fn dead_letters_that_are_refused_again_are_tried_at_the_pace_of_one() {
    story(async |dir| {
        let line = Line::new(true, false);
        let here = Here::open(dir.path(), &line).await;
        here.happens(5).await;
        eventually("it is refused", || line.asked() > 0).await;
        {
            // A day goes by.
            let database = Connection::open(dir.path().join("enlist.db")).unwrap();
            database.busy_timeout(Duration::from_secs(10)).unwrap();
            let all = "UPDATE webhook_backlog SET given_up_at = 1";
            let waits = || database.execute(all, []).unwrap();
            let begun = Instant::now();
            while waits() < 5 {
                assert!(begun.elapsed() < Duration::from_secs(30));
                std::thread::sleep(Duration::from_millis(20));
            }
        }
        let (tenant, name) = ("default".to_owned(), "erp".to_owned());
        let all = RetryDeadLetters::All;
        let retried = here.ops.retry_dead_letters(&here.admin, tenant, name, all);
        assert_eq!(retried.await.unwrap(), 5);
        let so_far = line.asked();
        eventually("they are tried", || line.asked() > so_far + 1).await;
        let database = Connection::open(dir.path().join("enlist.db")).unwrap();
        let due = "SELECT COUNT(*) FROM webhook_backlog WHERE next_at < ?1";
        let due: i64 = database
            .query_row(due, [i64::MAX], |row| row.get(0))
            .unwrap();
        assert_eq!(due, 1, "the others wait behind it");
        line.is_willing.store(true, Ordering::SeqCst);
        eventually("all is told", || line.taken() == 5).await;
    });
}

#[test]
fn a_place_that_no_server_gave_leaves_nothing_out_once_it_is_gone() {
    story(async |dir| {
        let line = Line::new(true, true);
        let here = Here::open(dir.path(), &line).await;
        here.happens(3).await;
        eventually("three are told", || line.taken() == 3).await;
        let database = Connection::open(dir.path().join("enlist.db")).unwrap();
        database.busy_timeout(Duration::from_secs(10)).unwrap();
        let forged = "INSERT INTO event_seals (tenant_id, seq, event_id, hash)
             SELECT tenant_id, ?1, zeroblob(16), zeroblob(32) FROM tenants";
        assert_eq!(database.execute(forged, [i64::MAX]).unwrap(), 1);
        // A few looks.
        tokio::time::sleep(Duration::from_secs(2)).await;
        let away = "DELETE FROM event_seals WHERE seq = ?1";
        assert_eq!(database.execute(away, [i64::MAX]).unwrap(), 1);
        here.happens(1).await;
        eventually("the next one is told", || line.taken() == 4).await;
    });
}
