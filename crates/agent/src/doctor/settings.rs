//! Whether the configuration from the server that is in force is whole, and why a newer one is not taken.

use super::Finding;
use super::patient::Patient;
use crate::configuration::{self, Keeper};

pub(super) fn check(patient: &Patient) -> Finding {
    let keys = configuration::keys(&patient.configuration);
    let without_keys = keys.is_empty();
    let keeper = Keeper::open(patient.vault.disk(), keys, patient.now);
    let findings = keeper.findings();
    if let Some(first) = findings.first() {
        return Finding::failed(
            first,
            "the agent mends what it can when it starts; `enlist-agent config verify` says more, \
             `enlist-agent config reset` goes back to the defaults",
        );
    }
    let Some(report) = keeper.report() else {
        return Finding::ok(match without_keys {
            true => "no configuration is taken from the server: there are no public_keys",
            false => "the server has sent no configuration yet",
        });
    };
    match &report.refused {
        Some(refused) => Finding::warning(
            format!(
                "what the server sent last is not taken: {} ({})",
                refused.detail, refused.reason
            ),
            "the one before stays in force; put it right on the operator's side and apply it anew",
        ),
        None => Finding::ok("what is in force verifies"),
    }
}
