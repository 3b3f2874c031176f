use enlist_core::{DeviceId, RequestId, Timestamp};
use enlist_wire::{DevicePolicy, Hardware, SecretText};
use serde::{Deserialize, Serialize};

use super::Orders;

/// Everything that survives a restart, besides the files of the slots it names.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct State {
    /// The version of this format.
    pub(super) version: u32,
    /// The device's token, `edt_…`.
    pub token: SecretText,
    /// The token that takes its place, once the server has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_token: Option<SecretText>,
    /// The keys that may sign commands, PEM, as the server named them at enrollment.
    #[serde(default)]
    pub command_keys: Vec<String>,
    /// When the device enrolled, by the server's clock, in seconds since the epoch: commands from before
    /// were given to an earlier life of it. 0 where an earlier agent enrolled it.
    #[serde(default)]
    pub enrolled_at: i64,
    /// How the group wants its devices to go about things, as the server said last.
    #[serde(default)]
    pub policy: DevicePolicy,
    /// What the device was told to do.
    #[serde(default)]
    pub orders: Orders,
    /// Who the device was before it enrolled anew, until that has worked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aside: Option<Box<Aside>>,
    /// How far it has come.
    #[serde(flatten)]
    pub stage: Stage,
}

/// An identity that is put aside, to be forgotten when the one that takes its place has worked.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Aside {
    /// Its token.
    pub token: SecretText,
    /// Who it is.
    pub identity: Identity,
}

/// How far a device has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// It has a key and a token, and asks to enroll with them.
    Enrolling(Enrolling),
    /// It knows who it is.
    Enrolled(Identity),
}

/// An enrollment under way. It stays the same over retries, whatever the hardware says next time, until
/// the server has refused it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Enrolling {
    /// The slot of its key.
    pub slot: u64,
    /// The tenant asked for.
    pub tenant: String,
    /// The group asked for.
    pub group: String,
    /// The name asked for; without one, the device is known by its hardware.
    pub name: Option<String>,
    /// The hardware claimed.
    pub hardware: Option<Hardware>,
    /// Whether a person has to say yes first.
    #[serde(default)]
    pub pending: bool,
    /// The code by which that person knows the device.
    #[serde(default)]
    pub code: Option<String>,
    /// The code of its last application before, which is gone: rejected, or not answered in time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turned_away: Option<String>,
    /// Whether the server has refused it for certain, and was not asked since. Only then may it become
    /// another one: as long as an answer may have been lost, the server may know this key.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refused: bool,
}

/// Who the device is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Its id.
    pub device_id: DeviceId,
    /// Its tenant.
    pub tenant: String,
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The slot of its current key and certificate.
    pub slot: u64,
    /// The slot before it, until the current one has been used.
    pub previous: Option<u64>,
    /// The current certificate; `None` when its reply was lost for so long that it has run out.
    pub validity: Option<Validity>,
    /// The counter of the last renewal.
    pub counter: u64,
    /// Whether the server has seen the current certificate in use.
    pub confirmed: bool,
    /// Whether key and certificate are those that were loaded at the factory.
    pub pre_enrolled: bool,
    /// Whether the hooks are still to be run for the current certificate.
    pub announce: bool,
    /// The renewal under way.
    pub renewal: Option<Renewal>,
}

/// A renewal under way. It stays the same over retries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewal {
    /// The slot of the new key.
    pub slot: u64,
    /// One more than that of the renewal before.
    pub counter: u64,
    /// Names this renewal.
    pub request_id: RequestId,
    /// Whether it is onto the same key.
    #[serde(default)]
    pub keeps_key: bool,
}

/// A certificate in short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validity {
    /// Serial number, lowercase hexadecimal.
    pub serial: String,
    /// Valid from, in seconds since the epoch.
    pub not_before: i64,
    /// Valid to the end of this second since the epoch.
    pub not_after: i64,
    /// How many seconds the device's clock was ahead of the server's when the certificate was granted;
    /// 0 where it was not so wrong that it matters.
    #[serde(default)]
    pub skew: i64,
}

/// A saved state that this agent can't go on from.
#[derive(Debug, thiserror::Error)]
pub enum UnknownState {
    /// Written by a later agent.
    #[error("the state is of version {0}, which this agent does not know; run a newer one")]
    Version(u32),
    /// Not what an agent writes.
    #[error("the state is damaged; restore it, or deprovision the device and start over")]
    Damaged(#[source] serde_json::Error),
}

const VERSION: u32 = 1;

impl State {
    /// A state with this token at this stage.
    #[must_use]
    pub fn new(token: SecretText, stage: Stage) -> Self {
        Self {
            version: VERSION,
            token,
            next_token: None,
            command_keys: Vec::new(),
            enrolled_at: 0,
            policy: DevicePolicy::default(),
            orders: Orders::default(),
            aside: None,
            stage,
        }
    }

    /// The same device at another stage.
    #[must_use]
    pub fn with(&self, stage: Stage) -> Self {
        Self {
            stage,
            ..self.clone()
        }
    }

    /// Who the device is, once it is enrolled.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match &self.stage {
            Stage::Enrolled(identity) => Some(identity),
            Stage::Enrolling(_) => None,
        }
    }

    /// The slots that hold something of use.
    #[must_use]
    pub fn slots(&self) -> Vec<u64> {
        let mut slots = match &self.stage {
            Stage::Enrolling(enrolling) => vec![enrolling.slot],
            Stage::Enrolled(identity) => identity.slots(),
        };
        if let Some(aside) = &self.aside {
            slots.extend(aside.identity.slots());
        }
        slots
    }

    /// A slot that was never used before.
    pub(super) fn next_slot(&self) -> u64 {
        self.slots().into_iter().max().unwrap_or(0) + 1
    }

    /// Whether what is kept of both is the same.
    pub(super) fn is_same_as(&self, other: &Self) -> bool {
        self.to_json() == other.to_json()
    }

    /// The state as it is written: JSON.
    #[must_use]
    pub fn to_json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).expect("a state is texts and numbers");
        json.push(b'\n');
        json
    }

    /// Reads what [`State::to_json`] wrote.
    ///
    /// # Errors
    /// When it is damaged or of another version; nothing must be done with such a state.
    pub fn from_json(json: &[u8]) -> Result<Self, UnknownState> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let Version { version } = serde_json::from_slice(json).map_err(UnknownState::Damaged)?;
        if version != VERSION {
            return Err(UnknownState::Version(version));
        }
        serde_json::from_slice(json).map_err(UnknownState::Damaged)
    }
}

impl Validity {
    /// From when to when the certificate is good, by the device's own clock, which reads `now`.
    #[must_use]
    pub fn by_the_clock(&self, now: Timestamp) -> (Timestamp, Timestamp) {
        let start = Timestamp::from_secs(self.not_before.saturating_add(self.skew));
        // A clock that has been put right since then is right.
        let skew = if now < start { 0 } else { self.skew };
        (
            Timestamp::from_secs(self.not_before.saturating_add(skew)),
            Timestamp::from_secs(self.not_after.saturating_add(skew)),
        )
    }

    /// Whether the certificate has expired, by the device's own clock.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now.as_secs() > self.by_the_clock(now).1.as_secs()
    }
}

impl Identity {
    /// The slots that hold something of use.
    #[must_use]
    pub fn slots(&self) -> Vec<u64> {
        let renewal = self.renewal.as_ref().map(|renewal| renewal.slot);
        [Some(self.slot), self.previous, renewal]
            .into_iter()
            .flatten()
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_of_another_version_is_refused() {
        let error = State::from_json(br#"{"version":2,"token":"edt_x","enrolled":{}}"#);
        assert!(matches!(error, Err(UnknownState::Version(2))));
        let error = State::from_json(br#"{"version":1,"token":"edt_x","enrolled":{}}"#);
        assert!(matches!(error, Err(UnknownState::Damaged(_))));
        assert!(matches!(
            State::from_json(b""),
            Err(UnknownState::Damaged(_))
        ));
    }

    #[test]
    fn the_state_of_an_earlier_agent_is_gone_on_from() {
        let json = br#"{"version":1,"token":"edt_x","enrolling":{"slot":1,"tenant":"t","group":"g",
            "name":null,"hardware":null}}"#;
        let state = State::from_json(json).unwrap();
        assert_eq!((state.orders.last, state.slots()), (0, vec![1]));
    }

    #[test]
    fn a_state_reads_back_as_it_was_written() {
        let state = State::new(
            "edt_x".to_owned().into(),
            Stage::Enrolling(Enrolling {
                slot: 3,
                tenant: "default".into(),
                group: "presses".into(),
                name: Some("press-1".into()),
                hardware: None,
                pending: true,
                code: Some("K7P-3QF".into()),
                turned_away: Some("L4U-DM8".into()),
                refused: true,
            }),
        );
        let read = State::from_json(&state.to_json()).unwrap();
        assert_eq!(read.stage, state.stage);
        assert_eq!(read.token.expose(), "edt_x");
    }
}
