//! Whether the clock can be right.

use std::time::Duration;

use enlist_core::Timestamp;
use enlist_wire::Time;

use super::Finding;
use super::patient::Patient;

/// A difference that nobody needs to mind.
const SMALL: Duration = Duration::from_secs(300);

pub(super) fn check(patient: &Patient) -> Finding {
    let (now, floor) = (patient.now, patient.floor);
    let remedy = "set the clock, or have it set over the network; until then the agent goes by the \
                  server's time";
    match patient.server_time() {
        Some(server) if apart(server, now) > SMALL => Finding::warning(
            format!(
                "this device's clock says {}, the server's {}",
                shown(now),
                shown(server)
            ),
            remedy,
        ),
        Some(_) => Finding::ok(format!("{}, as the server says too", shown(now))),
        None if now < floor => Finding::warning(
            format!(
                "this device's clock says {}, and it has been {} already",
                shown(now),
                shown(floor)
            ),
            remedy,
        ),
        None => Finding::ok(format!(
            "{}, which can be; the server was not asked",
            shown(now)
        )),
    }
}

fn apart(a: Timestamp, b: Timestamp) -> Duration {
    a.max(b).since(a.min(b))
}

fn shown(at: Timestamp) -> Time {
    Time::from_secs(at.as_secs())
}
