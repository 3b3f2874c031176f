//! Whether the server that answers is one that the device believes, and for how long the roots last.

use enlist_wire::{ClientError, Time};

use super::Finding;
use super::patient::Patient;
use crate::explain;

/// Time enough to bring a new root to every device.
const SOON: i64 = 365 * 86_400;

pub(super) fn check(patient: &Patient) -> Finding {
    if let Some(greeting) = &patient.greeting {
        if let Err(error @ ClientError::Tls(_)) = &greeting.time {
            return Finding::failed(
                format!("who answers is not believed: {}", explain(error)),
                "compare trust_anchors_pem with the server's root (root.pem in its data directory, \
                 `enlist get roots`); a proxy that opens TLS has to let this name pass",
            );
        }
        let then = patient.server_time().unwrap_or(patient.now);
        if let Err(error) = greeting.chain.holds_at(then) {
            return Finding::failed(
                format!(
                    "the server's certificates are not valid now: {}",
                    explain(&error)
                ),
                "see whether the server renews its certificate, and what its clock says",
            );
        }
    }
    roots(patient)
}

fn roots(patient: &Patient) -> Finding {
    let now = patient.server_time().unwrap_or(patient.now).as_secs();
    let ends: Vec<_> = patient
        .trusted
        .held()
        .map(enlist_pki::Certificate::not_after)
        .collect();
    let Some(last) = ends.iter().max() else {
        return Finding::ok("the anchors are keys without dates");
    };
    let count = match ends.len() {
        1 => "one root".to_owned(),
        more => format!("{more} roots"),
    };
    let until = Time::from_secs(*last);
    match last - now {
        ..0 => Finding::failed(
            format!("{count} held, and none is valid: the last was until {until}"),
            "write the server's present root to trust_anchors_pem",
        ),
        0..SOON => Finding::warning(
            format!("{count} held, the last valid until {until}"),
            "have the server take up a new root (`enlist add root`); this device takes it over by itself",
        ),
        _ if patient.greeting.is_some() => Finding::ok(format!(
            "the server is believed; {count} held, valid until {until}"
        )),
        _ => Finding::ok(format!(
            "{count} held, valid until {until}; nobody answered"
        )),
    }
}
