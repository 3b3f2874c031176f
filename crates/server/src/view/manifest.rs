use enlist_core::ManifestEntry;
use enlist_ops::ManifestView;
use enlist_wire as wire;

use super::{time, uuid};

pub(crate) fn manifest(view: &ManifestView) -> wire::Manifest {
    let manifest = &view.manifest;
    wire::Manifest {
        name: manifest.name.to_string(),
        manifest_id: uuid(manifest.id.as_bytes()),
        entries: manifest.entries,
        used: view.used,
        more_used: view.more_used,
        created_at: time(manifest.created_at),
    }
}

pub(crate) fn manifest_entry(entry: &ManifestEntry) -> wire::ManifestEntry {
    let device = entry.device.as_ref();
    wire::ManifestEntry {
        identity: entry.identity.to_string(),
        device: device.map(|(_, name)| name.to_string()),
        device_id: device.map(|(id, _)| uuid(id.as_bytes())),
    }
}
