//! What has to hold of the record after whatever has gone wrong.

use std::collections::{BTreeMap, BTreeSet};

use enlist_wire::{
    CertificatesQuery, Client, ClientError, DeviceState, DevicesQuery, EventsQuery, Page, Uuid,
};

use super::crowd::{Crowd, Held};
use super::site::{Server, Site};

/// Nothing that was acknowledged is lost, nobody is there twice, no certificate is off record, each thing
/// was told once, and the chain of events is whole.
pub fn is_right(site: &Site, server: &Server<'_>, crowd: &Crowd, held: &[Held]) {
    let admin = site.admin(server);
    let group = crowd.group();
    let acknowledged: BTreeMap<_, _> = held.iter().map(|one| (&one.name, one)).collect();
    assert_eq!(acknowledged.len(), held.len());

    let recorded = devices(&admin, group);
    let told: BTreeMap<_, _> = held
        .iter()
        .map(|one| (one.name.clone(), one.device_id))
        .collect();
    assert_eq!(recorded, told, "every acknowledged device, and no other");
    let ids: BTreeSet<_> = recorded.values().collect();
    assert_eq!(
        ids.len(),
        recorded.len(),
        "each with an identity of its own"
    );

    let mut certificates = certificates(&admin, group);
    for one in held {
        let mut expected = one.fingerprints.clone();
        expected.sort();
        let recorded = certificates.remove(&one.device_id).unwrap_or_default();
        assert_eq!(recorded, expected, "{}: its certificates", one.name);
    }
    assert!(certificates.is_empty(), "of nobody: {certificates:?}");

    for kind in ["device-enrolled", "certificate-renewed"] {
        let happened = events(&admin, group, kind);
        let twice: Vec<_> = happened.iter().filter(|(_, times)| **times != 1).collect();
        assert!(twice.is_empty(), "{kind}: {twice:?}");
        assert_eq!(happened.len(), held.len(), "{kind}");
    }
    is_intact(site, server);
}

/// What an auditor finds.
pub fn is_intact(site: &Site, server: &Server<'_>) {
    let verdict = site.ok(
        server,
        "rm -f events.jsonl && enlist get audit-key > audit.pem && enlist export events --out events.jsonl
         enlist verify events --key audit.pem -o json events.jsonl",
    );
    let verdict: serde_json::Value = serde_json::from_str(&verdict).unwrap();
    assert_eq!(verdict["intact"], true, "{verdict}");
}

fn devices(admin: &Client, group: &str) -> BTreeMap<String, Uuid> {
    let all = all(|after| {
        let query = DevicesQuery {
            limit: Some(1000),
            after,
            ..DevicesQuery::default()
        };
        admin.devices("default", group, &query)
    });
    let mut ids = BTreeMap::new();
    for device in all {
        assert_eq!(device.state, DeviceState::Active, "{}", device.name);
        let before = ids.insert(device.name, device.device_id);
        assert_eq!(before, None, "listed twice");
    }
    ids
}

fn certificates(admin: &Client, group: &str) -> BTreeMap<Uuid, Vec<String>> {
    let all = all(|after| {
        let query = CertificatesQuery {
            group: Some(group.to_owned()),
            limit: Some(1000),
            after,
            ..CertificatesQuery::default()
        };
        admin.certificates("default", &query)
    });
    let mut of_devices: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for one in all {
        let of_device = of_devices.entry(one.device_id).or_default();
        of_device.push(one.fingerprint);
        of_device.sort();
    }
    of_devices
}

/// How often something happened to each device.
fn events(admin: &Client, group: &str, kind: &str) -> BTreeMap<Uuid, usize> {
    let all = all(|after| {
        let query = EventsQuery {
            group: Some(group.to_owned()),
            kind: Some(kind.to_owned()),
            limit: Some(1000),
            after,
            ..EventsQuery::default()
        };
        admin.events("default", &query)
    });
    let mut times = BTreeMap::new();
    for event in all {
        *times.entry(event.device_id.unwrap()).or_default() += 1;
    }
    times
}

/// All pages.
fn all<T>(page: impl Fn(Option<String>) -> Result<Page<T>, ClientError>) -> Vec<T> {
    let mut items = Vec::new();
    let mut after = None;
    loop {
        let page = page(after).unwrap();
        items.extend(page.items);
        match page.next {
            Some(next) => after = Some(next),
            None => return items,
        }
    }
}
