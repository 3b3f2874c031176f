//! The walk in docs/protocol.md, run as it stands in the page.
#![cfg(unix)]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::{Rig, page};

#[test]
fn a_device_without_the_agent_enrolls_and_renews_as_the_page_says() {
    let rig = Rig::new();
    let blocks = page::blocks(&page::read("protocol.md"), "sh");
    assert!(blocks.len() >= 6, "the page has its walk: {}", blocks.len());
    rig.ok("enlist add group presses --enrollment open > secret; cp ../data/root.pem .");
    let given = format!(
        "set -e\nSERVER={} GROUP=presses NAME=press-1 SECRET=$(cat secret)\n",
        rig.url
    );
    rig.ok(&(given + &blocks.concat()));
    let device = rig.json("enlist get device press-1 -g presses -o json");
    assert_eq!(device["state"], "active");
    let newest = rig
        .ok("openssl x509 -in chain3.pem -noout -serial")
        .to_lowercase();
    let serial = device["certificate"]["serial"].as_str().unwrap();
    assert!(newest.contains(serial), "{newest}: {serial}");
    let certificates = rig.json("enlist get certificates -g presses -o json");
    assert_eq!(certificates.as_array().unwrap().len(), 3);
}
