use std::collections::BTreeSet;

use enlist_ops::{EventFilter, Location};
use enlist_testkit::Postgres;

use super::installation::{Installation, events, runtime};

#[test]
fn two_servers_that_record_at_once_seal_every_event_exactly_once() {
    let Some(postgres) = Postgres::start() else {
        return;
    };
    let url = postgres.database("sealed");
    let dir = tempfile::tempdir().unwrap();
    runtime().block_on(async {
        let location = || Location::Postgres(url.clone());
        let one = Installation::on(location(), dir.path()).await;
        let two = Installation::on(location(), dir.path()).await;
        let record = async |here: &Installation| {
            for _ in 0..20 {
                here.happens(10).await;
            }
        };
        let seal = async |here: &Installation| {
            let mut sealed = 0;
            for _ in 0..60 {
                sealed += here.ops.seal_events().await.unwrap();
                tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            }
            sealed
        };
        tokio::join!(record(&one), record(&two), seal(&one), seal(&two));
        // Whichever exports, it is one record.
        let lines = one.export().await;
        let verified = two.verify(&lines, &[]).await;
        assert_eq!(verified.findings, []);
        let sealed = events(&lines);
        let ids: BTreeSet<_> = sealed.iter().map(|(_, id)| id.clone()).collect();
        assert_eq!(ids.len(), sealed.len(), "each once");
        assert_eq!(ids, all_ids(&one).await, "and none left out");
        let heads = [one.head().await, two.head().await];
        assert_eq!(two.findings(&heads).await, []);
        assert!(sealed.len() > 400);
    });
}

async fn all_ids(here: &Installation) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    let mut after = None;
    loop {
        let filter = EventFilter {
            after,
            limit: 1_000,
            ..EventFilter::default()
        };
        let tenant = "default".to_owned();
        let page = here.ops.events(&here.admin, tenant, filter).await.unwrap();
        ids.extend(page.items.iter().map(|one| one.event.event_id.to_string()));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}
