use enlist_core::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Disk, Vault, VaultError};
use crate::hardware::{Record, UnknownRecord};
use crate::time;

const HARDWARE: &str = "identity.json";
const ANCHORS: &str = "anchors.pem";
const FLOOR: &str = "floor";
const TROUBLE: &str = "trouble.json";

/// The last refusal that only a person can lift, or what has gone wrong for a while, until it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptTrouble {
    /// The slug of the server's problem, where it told one.
    pub slug: Option<String>,
    /// What happened, for people.
    pub message: String,
    /// When it happened first.
    pub at: Timestamp,
    /// When it was to be tried again then.
    pub next: Timestamp,
}

impl<D: Disk> Vault<D> {
    /// The hardware that the device enrolled on, as it was put on record; `None` before that.
    ///
    /// # Errors
    /// The file system says no. A record that does not read is the inner error.
    pub fn hardware_record(&self) -> Result<Option<Result<Record, UnknownRecord>>, VaultError> {
        Ok(self.read(HARDWARE)?.map(|json| Record::from_json(&json)))
    }

    /// Puts the hardware on record.
    ///
    /// # Errors
    /// The file system says no.
    pub fn save_hardware_record(&mut self, record: &Record) -> Result<(), VaultError> {
        self.write(HARDWARE, &record.to_json())
    }

    /// The roots that were taken since the device was configured, PEM.
    ///
    /// # Errors
    /// The file system says no.
    pub fn anchors(&self) -> Result<Option<Vec<u8>>, VaultError> {
        self.read(ANCHORS)
    }

    /// Keeps these roots, PEM, in place of those before.
    ///
    /// # Errors
    /// The file system says no.
    pub fn save_anchors(&mut self, pem: &str) -> Result<(), VaultError> {
        self.write(ANCHORS, pem.as_bytes())
    }

    /// A time that has certainly been reached; `None` where none is kept.
    ///
    /// # Errors
    /// The file system says no.
    pub fn floor(&self) -> Result<Option<Timestamp>, VaultError> {
        Ok(self
            .clock_lines()?
            .first()
            .copied()
            .map(Timestamp::from_secs))
    }

    /// Keeps a time that has certainly been reached, and by how many seconds the system's clock was ahead
    /// of the right one then.
    ///
    /// # Errors
    /// The file system says no.
    pub fn save_floor(&mut self, floor: Timestamp, ahead: i64) -> Result<(), VaultError> {
        self.write(FLOOR, format!("{}\n{ahead}\n", floor.as_secs()).as_bytes())
    }

    /// What time it most likely is where the system's clock says `system`, for those who only look.
    #[must_use]
    pub fn likely_time(&self, system: Timestamp) -> Timestamp {
        let lines = self.clock_lines().unwrap_or_default();
        let floor = lines.first().copied().map(Timestamp::from_secs);
        time::likely(system, floor, lines.get(1).copied().unwrap_or(0))
    }

    fn clock_lines(&self) -> Result<Vec<i64>, VaultError> {
        let text = self.read(FLOOR)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        Ok(text
            .lines()
            .map_while(|line| line.trim().parse().ok())
            .collect())
    }

    /// The refusal that the agent is waiting out; `None` where there is none, or what is kept of it does
    /// not read.
    ///
    /// # Errors
    /// The file system says no.
    pub fn trouble(&self) -> Result<Option<KeptTrouble>, VaultError> {
        let json = self.read(TROUBLE)?;
        Ok(json.and_then(|json| serde_json::from_slice(&json).ok()))
    }

    /// Keeps what refusal the agent is waiting out, or that there is none any more.
    ///
    /// # Errors
    /// The file system says no.
    pub fn save_trouble(&mut self, trouble: Option<&KeptTrouble>) -> Result<(), VaultError> {
        let Some(trouble) = trouble else {
            return self.erase(TROUBLE);
        };
        let mut json = serde_json::to_vec(trouble).expect("trouble is texts and numbers");
        json.push(b'\n');
        self.write(TROUBLE, &json)
    }
}
