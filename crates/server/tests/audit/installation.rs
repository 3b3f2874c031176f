//! Servers without doors, on a database that a test can get at.

use std::path::Path;
use std::sync::Arc;

use enlist_core::{Operator, Role, SystemClock, SystemRng};
use enlist_ops::{AddToken, Config, Location, Ops, StatusConfig, WrappingKeySource, open};
use enlist_pki::PublicKey;
use enlist_signed::Envelope;
use enlist_signed::audit::{Finding, Line, Verified, Verifier};
use enlist_testkit::ca_key_store;
use rusqlite::Connection;

pub struct Installation {
    pub ops: Ops,
    pub admin: Operator,
}

impl Installation {
    /// Opens what is in `dir`, and makes it where there is nothing.
    pub async fn open(dir: &Path) -> Self {
        Self::on(Location::File(dir.to_owned()), dir).await
    }

    pub async fn on(location: Location, dir: &Path) -> Self {
        let config = Config {
            location,
            data_dir: Some(dir.to_owned()),
            wrapping: WrappingKeySource::Text("the same each time, and long enough".into()),
            ca_key_store: ca_key_store(),
            status: StatusConfig::default(),
            outbound: enlist_server::outbound(Arc::new(SystemClock)),
            clock: Arc::new(SystemClock),
            rng: Arc::new(SystemRng),
        };
        let (ops, first) = open(config).await.unwrap();
        let path = dir.join("admin.token");
        let token = match first {
            Some(first) => first.admin_token.expose().to_owned(),
            None => std::fs::read_to_string(path).unwrap().trim().to_owned(),
        };
        let admin = ops.authenticate(&token).await.unwrap();
        Self { ops, admin }
    }

    /// Something happens, so many times, all at once: they share their commits.
    pub async fn happens(&self, times: usize) {
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
    }

    pub async fn key(&self) -> PublicKey {
        let key = self.ops.audit_key(&self.admin, "default".to_owned()).await;
        key.unwrap().key
    }

    pub async fn export(&self) -> Vec<Line> {
        let tenant = "default".to_owned();
        let export = self.ops.export_events(&self.admin, tenant, 0, None).await;
        let (mut export, mut lines) = (export.unwrap(), Vec::new());
        while let Some(more) = export.next().await.unwrap() {
            lines.extend(more);
        }
        lines
    }

    pub async fn verify(&self, lines: &[Line], earlier: &[Envelope]) -> Verified {
        let mut verifier = Verifier::new(self.key().await);
        earlier.iter().for_each(|head| verifier.expect(head));
        for line in lines {
            verifier.line(&line.to_bytes());
        }
        verifier.finish()
    }

    /// What is wrong with the record as it is now.
    pub async fn findings(&self, earlier: &[Envelope]) -> Vec<Finding> {
        let lines = self.export().await;
        self.verify(&lines, earlier).await.findings
    }

    /// A fresh head, as an auditor keeps it.
    pub async fn head(&self) -> Envelope {
        match self.export().await.pop() {
            Some(Line::Head(head)) => head,
            other => panic!("{other:?}"),
        }
    }
}

/// How many events there are, by what the lines say.
pub fn events(lines: &[Line]) -> Vec<(u64, String)> {
    let events = lines.iter().filter_map(|line| match line {
        Line::Sealed(sealed) => Some((sealed.seq, sealed.event.event_id.to_string())),
        _ => None,
    });
    events.collect()
}

/// The database in `dir`, for somebody who has got hold of it.
pub fn database(dir: &Path) -> Connection {
    let database = Connection::open(dir.join("enlist.db")).unwrap();
    database
        .busy_timeout(std::time::Duration::from_secs(20))
        .unwrap();
    database
}

pub fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap()
}
