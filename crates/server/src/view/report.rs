use enlist_core::{
    ConfigurationNumbers, ConfigurationRefusal, ConfigurationReport, DeviceReport, Digest,
    Timestamp,
};
use enlist_ops::{Acknowledged, Error, Polled, Said};
use enlist_wire as wire;

use super::hardware::{hardware, hardware_claimed};
use super::policy::policy;
use super::{configuration_numbers, configuration_offer, device_self, time};

/// What a device says of itself.
pub(crate) fn said(request: wire::PollRequest) -> Result<Said, Error> {
    let hardware = request.changed_hardware.as_ref().map(hardware_claimed);
    Ok(Said {
        agent: request.agent,
        roots: request
            .roots
            .iter()
            .map(|root| digest(root))
            .collect::<Result<_, _>>()?,
        holds: numbers(request.holds),
        configuration: request.configuration.map(configuration),
        last_command: request.last_command,
        acknowledged: request
            .acknowledged
            .into_iter()
            .map(|one| Acknowledged {
                number: one.number,
                done: one.done,
                detail: one.detail,
            })
            .collect(),
        changed_hardware: hardware.transpose()?,
    })
}

/// What there is for a device.
pub(crate) fn polled(polled: Polled) -> Result<wire::PollReply, Error> {
    let envelope = |json: Vec<u8>| {
        serde_json::from_slice(&json)
            .map(wire::Envelope)
            .map_err(|_| Error::Inconsistent("an order on record does not read"))
    };
    Ok(wire::PollReply {
        device: device_self(&polled.device),
        policy: policy(polled.practice),
        configuration: configuration_offer(polled.configuration),
        commands: polled
            .commands
            .into_iter()
            .map(envelope)
            .collect::<Result<_, _>>()?,
        roots: polled
            .roots
            .into_iter()
            .map(|one| wire::RootOffer {
                root: one.root_pem,
                cross: one.cross_pem,
                approval: one.approval.map(wire::Envelope),
            })
            .collect(),
    })
}

/// What a device last said of itself.
pub(super) fn report(report: &DeviceReport) -> wire::DeviceReport {
    wire::DeviceReport {
        seen_at: time(report.seen_at),
        agent: report.agent.clone(),
        roots: report.roots.iter().map(Digest::to_hex).collect(),
        configuration: report.configuration.as_ref().map(reported),
        last_command: report.last_command,
        changed_hardware: report.changed_hardware.as_ref().map(hardware),
    }
}

fn reported(report: &ConfigurationReport) -> wire::ConfigurationReport {
    wire::ConfigurationReport {
        in_force: configuration_numbers(report.in_force),
        schema_version: report.schema_version,
        digest: report.digest.clone(),
        since: time(report.since),
        because: report.because.clone(),
        refused: report
            .refused
            .as_ref()
            .map(|refused| wire::ConfigurationRefusal {
                numbers: configuration_numbers(refused.numbers),
                reason: refused.reason.clone(),
                detail: refused.detail.clone(),
                at: time(refused.at),
            }),
    }
}

fn configuration(report: wire::ConfigurationReport) -> ConfigurationReport {
    ConfigurationReport {
        in_force: numbers(report.in_force),
        schema_version: report.schema_version,
        digest: report.digest,
        since: Timestamp::from_millis(report.since.as_millis()),
        because: report.because,
        refused: report.refused.map(|refused| ConfigurationRefusal {
            numbers: numbers(refused.numbers),
            reason: refused.reason,
            detail: refused.detail,
            at: Timestamp::from_millis(refused.at.as_millis()),
        }),
    }
}

fn numbers(numbers: wire::ConfigurationNumbers) -> ConfigurationNumbers {
    ConfigurationNumbers {
        schema: numbers.schema,
        group: numbers.group,
        device: numbers.device,
    }
}

fn digest(text: &str) -> Result<Digest, Error> {
    let refused =
        || Error::InvalidRequest("roots: a SHA-256 is written as 64 hexadecimal digits".to_owned());
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(refused());
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        let digits = &text[at * 2..at * 2 + 2];
        *byte = u8::from_str_radix(digits, 16).map_err(|_| refused())?;
    }
    Ok(Digest::from_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_64_digits_and_reads_back() {
        let one = Digest::of(b"root");
        assert_eq!(digest(&one.to_hex()).unwrap(), one);
        for bad in ["", "ab", &"g".repeat(64), &"ü".repeat(32), &"+1".repeat(32)] {
            assert!(digest(bad).is_err(), "{bad}");
        }
    }
}
