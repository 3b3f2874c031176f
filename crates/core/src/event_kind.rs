//! The kinds of events there are, so that nobody waits for one that never comes.

/// Every kind of event, in alphabetical order. Whoever records a new kind adds it here.
pub const EVENT_KINDS: &[&str] = &[
    "audit-chain-broken",
    "ca-added",
    "ca-imported",
    "ca-renewed",
    "ca-requested",
    "ca-retired",
    "certificate-adopted",
    "certificate-renewed",
    "clone-suspected",
    "configuration-applied",
    "configuration-in-force",
    "configuration-refused",
    "dead-letters-retried",
    "device-applied",
    "device-approved",
    "device-created",
    "device-decommissioned",
    "device-decommissioning",
    "device-deleted",
    "device-deprovisioned",
    "device-enrolled",
    "device-pre-enrolled",
    "device-reenroll-allowed",
    "device-rejected",
    "device-resumed",
    "device-suspended",
    "device-token-replaced",
    "devices-created",
    "group-changed",
    "group-created",
    "group-deleted",
    "hardware-accepted",
    "hardware-changed",
    "hardware-claimed-twice",
    "hook-created",
    "hook-deleted",
    "hook-secret-replaced",
    "hook-tested",
    "manifest-created",
    "manifest-deleted",
    "manifest-extended",
    "manufacturer-deleted",
    "manufacturer-imported",
    "order-done",
    "order-drafted",
    "order-failed",
    "order-given",
    "receipt-received",
    "record-restored",
    "refused",
    "root-added",
    "root-approved",
    "root-exported",
    "root-retired",
    "root-taken-offline",
    "secret-created",
    "secret-withdrawn",
    "secrets-rotated",
    "server-key-replaced",
    "tenant-created",
    "token-created",
    "token-withdrawn",
    "webhook-created",
    "webhook-deleted",
    "webhook-secret-replaced",
    "webhook-tested",
];

/// Whether there are events of this kind.
pub fn is_event_kind(kind: &str) -> bool {
    EVENT_KINDS.binary_search(&kind).is_ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    #[test]
    fn they_stand_in_order() {
        assert!(EVENT_KINDS.is_sorted());
        assert!(is_event_kind("device-enrolled"));
        assert!(!is_event_kind("device-enroled"));
    }

    /// Every call that makes an event names its kind as a literal.
    #[test]
    fn what_is_recorded_stands_here_and_what_stands_here_is_recorded() {
        let crates = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        let (mut recorded, mut literals) = (BTreeSet::new(), BTreeSet::new());
        for house in ["core/src", "ops/src"] {
            read(&crates.join(house), &mut |source| {
                for maker in [
                    "Event::new(",
                    ".enter(",
                    " event(plan,",
                    "tell_all(tx,",
                    "tell(tx,",
                ] {
                    for call in source.split(maker).skip(1) {
                        let upto: String = call.chars().take(120).collect();
                        recorded.extend(kinds_in(&upto).into_iter().take(1));
                    }
                }
                literals.extend(kinds_in(source));
            });
        }
        for kind in EVENT_KINDS {
            assert!(literals.contains(*kind), "nothing records `{kind}`");
        }
        recorded.retain(|kind| !is_event_kind(kind));
        assert_eq!(recorded, BTreeSet::new(), "not in EVENT_KINDS");
    }

    fn read(dir: &Path, each: &mut impl FnMut(&str)) {
        for entry in dir.read_dir().unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                read(&path, each);
            } else if path.file_name() != Some("event_kind.rs".as_ref()) {
                each(&std::fs::read_to_string(path).unwrap());
            }
        }
    }

    /// Texts of small letters with a dash between quotes, and the one kind that is a single word.
    fn kinds_in(source: &str) -> Vec<String> {
        let pieces = source.split('"').skip(1).step_by(2);
        let is_kind = |text: &&str| {
            (*text == "refused" || text.contains('-'))
                && text.bytes().all(|c| c.is_ascii_lowercase() || c == b'-')
        };
        pieces.filter(is_kind).map(str::to_owned).collect()
    }
}
