//! Whether the certificate is good, fits its key, and is renewed in time.

use enlist_core::Timestamp;
use enlist_wire::Time;

use super::Finding;
use super::patient::Patient;
use crate::drive::renewal_due;
use crate::explain;
use crate::machine::Identity;

pub(super) fn check(patient: &Patient) -> Finding {
    if patient.wiping {
        return Finding::skipped("the device is being wiped");
    }
    match &patient.state {
        Err(why) => {
            return Finding::failed(
                why,
                "run this as the user that the agent runs as; what is damaged is restored from a backup, \
                 or the device is deprovisioned and enrolled anew",
            );
        }
        Ok(None) => return Finding::skipped("the device is new"),
        Ok(Some(_)) => {}
    }
    let Some(own) = patient.identity() else {
        return Finding::skipped("the device is not enrolled yet");
    };
    let Some(validity) = &own.validity else {
        return Finding::warning(
            "there is no certificate any more; the device recovers by its token and key",
            "see that it reaches the server",
        );
    };
    if let Some(misfit) = misfit(patient, own) {
        return misfit;
    }
    let now = patient.server_time().unwrap_or(patient.now);
    let until = Time::from_secs(validity.not_after);
    if validity.not_after < now.as_secs() {
        return Finding::failed(
            format!("expired at {until}"),
            "the device recovers by itself within the group's recovery window, once it reaches the server; \
             after that deprovision it and enroll it anew",
        );
    }
    match due(patient) {
        Some(due) if due < now => Finding::warning(
            format!(
                "valid until {until}; renewal has been due since {}",
                time(due)
            ),
            "see that the agent runs and reaches the server; its log says what keeps it",
        ),
        Some(due) => Finding::ok(format!("valid until {until}; renewed at {}", time(due))),
        None => Finding::ok(format!("valid until {until}")),
    }
}

fn misfit(patient: &Patient, own: &Identity) -> Option<Finding> {
    let remedy =
        "deprovision the device on the server, empty persistent_directory, and enroll anew";
    let chain = match patient.vault.chain(own.slot) {
        Ok(chain) => chain,
        Err(error) => return Some(Finding::failed(explain(&error), remedy)),
    };
    // A key that does not open is the key store's finding.
    let key = patient.vault.key(own.slot).ok()?;
    let leaf = chain.first();
    let fits = leaf.is_some_and(|leaf| leaf.spki_der() == key.public_key().spki_der());
    (!fits).then(|| Finding::failed("the certificate is not the key's", remedy))
}

fn due(patient: &Patient) -> Option<Timestamp> {
    let state = patient.state.as_ref().ok()?.clone()?;
    renewal_due(&patient.configuration, state, patient.now)
}

fn time(at: Timestamp) -> Time {
    Time::from_secs(at.as_secs())
}
