//! Where a renewal stands, and by which group the device came, kept in `NAME_renewal.json` so that it
//! survives an interruption.

use anyhow::Context as _;
use enlist_core::{Name, RequestId, SystemClock, SystemRng};
use enlist_keys::FileKey;
use enlist_pki::KeyKind;
use enlist_wire::SecretText;
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};

use crate::credentials::{Answer, Paths};
use crate::failure::refused;
use crate::files::{self, Access};

const SCHEMA_VERSION: u32 = 1;

/// The counter of renewals, which only rises, and the renewal under way.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Journal {
    schema_version: u32,
    counter: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pending: Option<Pending>,
    /// The group that the device asked at, where that has passed it on to another, or under another name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    came_by: Option<Name>,
}

/// A renewal under way: everything that makes it the same one when it is asked for again.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pending {
    /// Its id.
    pub request: RequestId,
    /// The new key, PKCS#8 as PEM.
    pub key_pem: SecretText,
    /// Hours that the certificate is to last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl_h: Option<u32>,
    /// The server's answer, once it is there; from then on it is only a matter of files.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Answer>,
}

impl Default for Journal {
    fn default() -> Self {
        Self {
            schema_version: SCHEMA_VERSION,
            counter: 0,
            pending: None,
            came_by: None,
        }
    }
}

impl Journal {
    /// Reads the file; where there is none, nothing was ever renewed.
    pub fn load(paths: &Paths) -> anyhow::Result<Self> {
        let Some(text) = files::read(&paths.renewal)? else {
            return Ok(Self::default());
        };
        let path = paths.renewal.display();
        let journal: Self =
            serde_json::from_str(&text).with_context(|| format!("`{path}` can't be read"))?;
        if journal.schema_version != SCHEMA_VERSION {
            return Err(refused(
                "unknown-schema-version",
                format!("`{path}` is of another version: use the version of enlist that wrote it"),
            ));
        }
        Ok(journal)
    }

    /// The group that has passed the device on, if one has.
    pub fn came_by(&self) -> Option<&Name> {
        self.came_by.as_ref()
    }

    /// Keeps which group has passed the device on. It is durably kept when this returns.
    pub fn passed_on(&mut self, paths: &Paths, came_by: Option<&Name>) -> anyhow::Result<()> {
        if self.came_by.as_ref() == came_by {
            return Ok(());
        }
        self.came_by = came_by.cloned();
        self.save(paths)
    }

    /// Puts key and certificate of an answered renewal in place, if an earlier run was interrupted
    /// between the two.
    pub fn finish(&mut self, paths: &Paths) -> anyhow::Result<()> {
        let Some(Pending {
            key_pem,
            answer: Some(answer),
            ..
        }) = &self.pending
        else {
            return Ok(());
        };
        files::replace(&paths.key, key_pem.expose().as_bytes(), Access::Private)?;
        answer.write(paths)?;
        self.pending = None;
        self.save(paths)
    }

    /// The renewal under way, or a new one over a new key of the same kind as the present one. It
    /// is durably kept when this returns.
    pub fn pending(
        &mut self,
        paths: &Paths,
        kind: KeyKind,
        ttl_h: Option<u32>,
    ) -> anyhow::Result<(u64, Pending)> {
        if let Some(pending) = &self.pending {
            return Ok((self.counter, pending.clone()));
        }
        let key = FileKey::generate(kind).context("a key can't be made")?;
        let pem = key.to_pkcs8_pem().context("the key can't be written")?;
        let pending = Pending {
            request: RequestId::new(&SystemClock, &SystemRng),
            key_pem: pem.expose_secret().to_owned().into(),
            ttl_h,
            answer: None,
        };
        self.counter += 1;
        self.pending = Some(pending.clone());
        self.save(paths)?;
        Ok((self.counter, pending))
    }

    /// Keeps the answer, then puts it in place.
    pub fn answered(&mut self, paths: &Paths, answer: Answer) -> anyhow::Result<()> {
        if let Some(pending) = &mut self.pending {
            pending.answer = Some(answer);
        }
        self.save(paths)?;
        self.finish(paths)
    }

    /// Gives up a renewal that was refused: the next one is another, with a higher counter.
    pub fn refused(&mut self, paths: &Paths) -> anyhow::Result<()> {
        self.pending = None;
        self.save(paths)
    }

    fn save(&self, paths: &Paths) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self).context("the renewal can't be written down")?;
        files::replace(&paths.renewal, &text, Access::Private)
    }
}
