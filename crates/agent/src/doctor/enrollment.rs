//! Whether the server knows the device, and as what.

use std::sync::Arc;

use enlist_core::{Clock, SystemClock};
use enlist_wire::DeviceState;

use super::Finding;
use super::patient::Patient;
use crate::machine::{Failure, Stage};
use crate::net::{HttpNet, Net};

pub(super) fn check(patient: &Patient) -> Finding {
    if patient.wiping {
        return Finding::warning(
            "the device is being wiped; `enlist-agent status` says how far it is",
            "`enlist-agent run` goes on with the wipe, and so does `enlist-agent decommission`",
        );
    }
    match patient
        .state
        .as_ref()
        .map(|state| state.as_ref().map(|state| &state.stage))
    {
        Err(_) => return Finding::skipped("what is kept does not read"),
        Ok(None) => return new(patient),
        Ok(Some(Stage::Enrolling(enrolling))) if enrolling.pending => {
            let code = enrolling.code.as_deref().unwrap_or("-");
            let before = enrolling.turned_away.as_ref();
            let before = before.map_or_else(String::new, |gone| {
                format!("; the application before, {gone}, was rejected or not answered in time")
            });
            return Finding::warning(
                format!("a person has to say yes first; code {code}{before}"),
                "`enlist approve` on the operator's side lets the device in",
            );
        }
        Ok(Some(Stage::Enrolling(_))) => {
            if let Ok(Some(refused)) = patient.vault.trouble()
                && let Some(slug) = refused.slug
            {
                return Finding::failed(
                    format!("the device is kept out: {} ({slug})", refused.message),
                    REFUSALS,
                );
            }
            return Finding::warning(
                "the device has asked to enroll, and has no answer yet",
                "see that the agent runs and reaches the server; its log says what keeps it",
            );
        }
        Ok(Some(Stage::Enrolled(_))) => {}
    }
    if patient.server_time().is_none() {
        return Finding::skipped("the server is not reached, or not believed");
    }
    match ask(patient) {
        None => Finding::skipped("there is no certificate to ask with"),
        Some(Ok(DeviceState::Active)) => Finding::ok("the server knows the device as active"),
        Some(Ok(DeviceState::Suspended)) => Finding::failed(
            "the device is suspended",
            "`enlist resume` on the operator's side puts it back into service",
        ),
        Some(Ok(other)) => Finding::warning(
            format!("the server knows the device as {}", word(other)),
            "`enlist get device` on the operator's side says more",
        ),
        Some(Err(failure)) => Finding::failed(
            match &failure.slug {
                Some(slug) => format!("{} ({slug})", failure.message),
                None => failure.message,
            },
            REFUSALS,
        ),
    }
}

const REFUSALS: &str = "docs/problems.md says what each refusal means and who can lift it";

fn new(patient: &Patient) -> Finding {
    let configuration = &patient.configuration;
    let proves = configuration.attestation.proves();
    if configuration.enrollment_token.is_none() && configuration.quadruple.is_none() && !proves {
        return Finding::warning(
            "the device is new, and the configuration holds neither a provisioning secret nor a \
             pre-enrolled identity, and nothing proves which hardware it is",
            "have `enlist gen-device-config` make a file for it, unless its group takes devices without",
        );
    }
    Finding::ok("the device is new; `enlist-agent run` or `enlist-agent provision` enrolls it")
}

fn word(state: DeviceState) -> String {
    let json = serde_json::to_value(state).unwrap_or_default();
    json.as_str().unwrap_or("something else").to_owned()
}

fn ask(patient: &Patient) -> Option<Result<DeviceState, Failure>> {
    let own = patient.identity()?;
    own.validity.as_ref()?;
    let credentials = patient.vault.credentials(own.slot).ok()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let mut net = HttpNet::new(
        patient.configuration.server_url.clone(),
        patient.trusted.server(),
        patient.timeout(),
        clock,
    );
    Some(net.check_in(&credentials).map(|device| device.state))
}
