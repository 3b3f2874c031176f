//! The roots there are and were.

use enlist_core::{CaKey, CaStanding, Operator, RootRecord, Timestamp};
use enlist_pki::Certificate;

use crate::{Error, Ops};

/// A root as people are shown it.
#[derive(Debug, Clone)]
pub struct RootView {
    /// How it stands.
    pub standing: CaStanding,
    /// Its certificate.
    pub certificate: Certificate,
    /// Its name and key, certified by the root before it.
    pub cross: Option<Certificate>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was retired.
    pub retired_at: Option<Timestamp>,
    /// Whether its key is kept offline.
    pub offline: bool,
}

impl RootView {
    pub(super) fn of(root: &RootRecord) -> Result<Self, Error> {
        let read = |der: &[u8]| {
            Certificate::from_der(der)
                .map_err(|_| Error::Inconsistent("a root's certificate does not read"))
        };
        Ok(Self {
            standing: root.ca.standing,
            certificate: read(&root.ca.certificate)?,
            cross: root.cross.as_deref().map(read).transpose()?,
            created_at: root.ca.created_at,
            retired_at: root.retired_at,
            offline: root.ca.key == CaKey::Offline,
        })
    }
}

impl Ops {
    /// All roots there ever were, newest first. They are no secret: whoever holds any API token may see
    /// them.
    ///
    /// # Errors
    /// When the record can't be read.
    pub async fn roots(&self, _who: &Operator) -> Result<Vec<RootView>, Error> {
        self.inner
            .store
            .read("roots", |tx| tx.roots()?.iter().map(RootView::of).collect())
            .await
    }
}
