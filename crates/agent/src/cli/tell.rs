//! What the agent tells while it works.

use enlist_core::Timestamp;
use enlist_wire::Time;

use crate::log::Log;
use crate::machine::{Identity, Note, Verdict};
use crate::systemd;

pub(super) fn tell(note: &Note, log: &Log) {
    match note {
        Note::TakenUp(identity) => {
            log.info(format_args!("took up the identity of {}", who(identity)));
        }
        Note::Pending { code, turned_away } => {
            if let Some(before) = turned_away {
                log.warn(format_args!(
                    "the application with the code {before} is gone: rejected, or not answered in time"
                ));
            }
            pending(code.as_deref(), log);
        }
        Note::Enrolled(identity) => {
            log.info(format_args!("enrolled as {}", certified(identity)));
            warn_of_clock(identity, log);
        }
        Note::Renewed(identity) => {
            log.info(format_args!("renewed as {}", certified(identity)));
            warn_of_clock(identity, log);
        }
        // A failure that repeats itself is told once.
        Note::Trouble { again: true, .. } => {}
        Note::Trouble { failure, until, .. } => {
            let slug = failure.slug.as_ref();
            let slug = slug.map_or_else(String::new, |slug| format!(" ({slug})"));
            let message = &failure.message;
            match failure.verdict {
                Verdict::GiveUp | Verdict::Gone => log.error(format_args!(
                    "{message}{slug}; asking again at {}",
                    time(*until)
                )),
                Verdict::Retry(_) | Verdict::Dates => {
                    log.warn(format_args!("{message}{slug}; trying again"));
                }
                Verdict::Expired | Verdict::Known(_) => {
                    log.warn(format_args!("{message}{slug}; recovering by token and key"));
                }
            }
        }
        Note::Recovered => log.info("the server answers again"),
        Note::Ordered(under_way) => log.info(format_args!(
            "order {} from the server: {}",
            under_way.number,
            under_way.order.as_str()
        )),
        Note::Done {
            order,
            done: true,
            detail,
        } => log.info(format_args!("{}: done{}", order.as_str(), words(detail))),
        Note::Done { order, detail, .. } => {
            log.warn(format_args!(
                "{}: not done{}",
                order.as_str(),
                words(detail)
            ));
        }
        Note::OtherHardware { was, is } => log.warn(format_args!(
            "this is other hardware ({is}) than this device enrolled on ({was})"
        )),
        Note::NotExported { why } => log.warn(format_args!(
            "other programs don't get the new certificate yet: {why}; trying again"
        )),
        Note::NotTaken { what, why } => log.warn(format_args!("{what} is not taken: {why}")),
        Note::Configuration(note) if note.is_trouble() => log.warn(note),
        Note::Configuration(note) => log.info(note),
        Note::RootTaken(fingerprint) => {
            log.info(format_args!(
                "a new root is trusted from now on: {fingerprint}"
            ));
        }
        Note::ClockSet { was, is } => log.warn(format_args!(
            "this device's clock says {}; going by the server's time, {}",
            time(*was),
            time(*is)
        )),
    }
    if let Some(status) = status(note) {
        systemd::status(&status);
    }
}

/// A person has to say yes, and knows the device by this code.
pub(super) fn pending(code: Option<&str>, log: &Log) {
    let code = code.map_or_else(String::new, |code| format!(": code {code}"));
    log.info(format_args!("waits for approval{code}"));
}

fn status(note: &Note) -> Option<String> {
    Some(match note {
        Note::Enrolled(identity) | Note::Renewed(identity) => {
            format!("Enrolled as {}", certified(identity))
        }
        Note::Pending {
            code: Some(code), ..
        } => format!("Waits for approval: code {code}"),
        Note::Pending { code: None, .. } => "Waits for approval".into(),
        Note::Trouble { failure, .. } => crate::log::one_line(&failure.message),
        _ => return None,
    })
}

fn warn_of_clock(identity: &Identity, log: &Log) {
    let skew = identity
        .validity
        .as_ref()
        .map_or(0, |validity| validity.skew);
    if skew != 0 {
        let hours = skew.unsigned_abs().div_ceil(3600);
        let side = if skew > 0 { "ahead" } else { "behind" };
        log.warn(format_args!(
            "this device's clock seems to be about {hours} hours {side}; set it"
        ));
    }
}

fn words(detail: &Option<String>) -> String {
    detail
        .as_ref()
        .map_or_else(String::new, |detail| format!(" ({detail})"))
}

fn who(identity: &Identity) -> String {
    format!("{} ({})", identity.name, identity.device_id)
}

fn certified(identity: &Identity) -> String {
    match &identity.validity {
        Some(validity) => {
            let until = Time::from_secs(validity.not_after);
            format!("{}, certificate valid until {until}", who(identity))
        }
        None => who(identity),
    }
}

fn time(at: Timestamp) -> Time {
    Time::from_secs(at.as_secs())
}
