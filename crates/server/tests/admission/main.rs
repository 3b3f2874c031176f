//! Bounded secrets and manifests: who gets in, however many ask at once.

#![allow(clippy::unwrap_used)]

mod bounds;
mod importing;
mod manifests;

use enlist_testkit::{FakeDevice, Rig};
use enlist_wire::{BulkEnd, BulkRow, Hardware, HardwareKind, NewSecret};

fn import(rig: &Rig, manifest: &str, kind: &str, body: &str) -> (Vec<BulkRow>, BulkEnd) {
    let bearer = format!("Bearer {}", rig.admin_token());
    let headers = [("content-type", kind), ("authorization", bearer.as_str())];
    let path = format!("/v1/tenants/default/manifests/{manifest}/entries");
    let answer = rig.raw("POST", &path, &headers, body.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = answer.text();
    let mut lines: Vec<_> = text.lines().collect();
    let end = serde_json::from_str(lines.pop().unwrap()).unwrap();
    let rows = lines.iter().map(|line| serde_json::from_str(line).unwrap());
    (rows.collect(), end)
}

fn serials(rig: &Rig, manifest: &str, serials: impl IntoIterator<Item = String>) {
    let lines: Vec<_> = serials.into_iter().collect();
    let (_, end) = import(
        rig,
        manifest,
        "text/csv",
        &format!("serial\n{}\n", lines.join("\n")),
    );
    assert_eq!((end.created as usize, end.refused), (lines.len(), 0));
}

fn secret(rig: &Rig, group: &str, new: &NewSecret) -> String {
    let created = rig.admin().create_secret("default", group, new).unwrap();
    created.secret.expose().to_owned()
}

fn on(manifest: &str) -> NewSecret {
    NewSecret {
        manifest: Some(manifest.to_owned()),
        ..NewSecret::default()
    }
}

fn claiming(rig: &Rig, name: &str, secret: &str, serial: &str) -> FakeDevice {
    let mut device = rig.device("pumps", name, secret);
    device.hardware = Some(Hardware {
        kind: HardwareKind::Serial,
        value: serial.to_owned(),
    });
    device
}
