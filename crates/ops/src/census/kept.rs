//! What was counted, as it is kept on record.

use std::collections::BTreeMap;
use std::time::Duration;

use enlist_core::{StateKind, Timestamp};
use enlist_store::{SecretsWorn, Tx};
use serde::{Deserialize, Serialize};

use super::ENDS;
use crate::Error;

/// Where what was counted is kept, and until when a server has taken counting upon itself.
const COUNTED: &str = "census";
const COUNTING_UNTIL: &str = "census-counting-until";

/// It is counted again after this long, or after so many times what counting has taken.
const PERIOD: Duration = Duration::from_secs(60);
const TIMES: u32 = 10;
/// So long a server that counts is left to it.
const A_TURN: Duration = Duration::from_secs(600);
/// What was counted later than this from now was counted by a clock that was wrong.
const AHEAD: Duration = Duration::from_secs(60);

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// When counting began, milliseconds since the epoch.
    pub(super) counted_at: Option<Timestamp>,
    /// How long it took, in milliseconds.
    pub(super) took_ms: u64,
    /// By the tenant's id.
    pub(super) tenants: BTreeMap<String, Counted>,
}

/// What was counted of a tenant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counted {
    pub(super) devices: [u64; StateKind::ALL.len()],
    pub(super) certificates: [u64; ENDS.len()],
    pub(super) late: u64,
    pub(super) secrets_nearly_used_up: u64,
    pub(super) secrets_used_up: u64,
    pub(super) secrets_ending: u64,
}

impl Counted {
    pub(super) fn secrets(&self) -> SecretsWorn {
        SecretsWorn {
            nearly_used_up: self.secrets_nearly_used_up,
            used_up: self.secrets_used_up,
            ending: self.secrets_ending,
        }
    }
}

impl Kept {
    /// What is on record. What can't be read was written by another version, and is counted anew.
    pub(super) fn load(tx: &mut Tx<'_>) -> Result<Option<Self>, Error> {
        let kept = tx.setting(COUNTED)?;
        Ok(kept.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    pub(super) fn save(&self, tx: &mut Tx<'_>) -> Result<(), Error> {
        let json =
            serde_json::to_vec(self).map_err(|_| Error::Inconsistent("a count that is no JSON"))?;
        tx.put_setting(COUNTED, &json)?;
        tx.delete_setting(COUNTING_UNTIL)?;
        Ok(())
    }

    /// Whether it is time to count again.
    pub(super) fn is_old(&self, now: Timestamp) -> bool {
        let period = PERIOD.max(Duration::from_millis(self.took_ms) * TIMES);
        self.counted_at
            .is_none_or(|at| now >= at + period || at > now + AHEAD)
    }
}

/// Takes counting upon this server. False where another one has, or has counted meanwhile. Where two do at
/// the same moment, both count, and find the same.
pub(super) fn claim(tx: &mut Tx<'_>, now: Timestamp) -> Result<bool, Error> {
    let until = tx.setting(COUNTING_UNTIL)?;
    let until = until.and_then(|bytes| bytes.try_into().ok());
    let until = until.map(|bytes| Timestamp::from_millis(i64::from_be_bytes(bytes)));
    if until.is_some_and(|until| now < until && until <= now + A_TURN + AHEAD) {
        return Ok(false);
    }
    if Kept::load(tx)?.is_some_and(|kept| !kept.is_old(now)) {
        return Ok(false);
    }
    let until = (now + A_TURN).as_millis().to_be_bytes();
    tx.put_setting(COUNTING_UNTIL, &until)?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_took_long_to_count_is_counted_seldom() {
        let at = Timestamp::from_millis(1_000_000_000);
        let kept = |took_ms| Kept {
            counted_at: Some(at),
            took_ms,
            ..Kept::default()
        };
        let later = |seconds| at + Duration::from_secs(seconds);
        assert!(!kept(10).is_old(later(59)));
        assert!(kept(10).is_old(later(60)));
        assert!(!kept(30_000).is_old(later(299)));
        assert!(kept(30_000).is_old(later(300)));
        assert!(kept(10).is_old(at - Duration::from_secs(61)));
    }

    #[test]
    fn what_is_kept_is_read_again() {
        let counted = Counted {
            devices: [1, 2, 3, 4, 5, 6],
            late: 7,
            ..Counted::default()
        };
        let kept = Kept {
            counted_at: Some(Timestamp::from_millis(5)),
            took_ms: 6,
            tenants: [("a".to_owned(), counted)].into(),
        };
        let json = serde_json::to_vec(&kept).unwrap();
        assert_eq!(serde_json::from_slice::<Kept>(&json).unwrap(), kept);
    }
}
