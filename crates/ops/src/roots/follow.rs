//! Going over to what is on record by now.

use enlist_core::explain;
use enlist_pki::Certificate;

use crate::open::write_if_other;
use crate::setup::Installation;
use crate::{Error, Ops};

impl Ops {
    /// Takes up a change of roots that this server or another one has recorded. False where there is
    /// none.
    ///
    /// # Errors
    /// When the record can't be read.
    pub async fn follow_roots(&self) -> Result<bool, Error> {
        let installation = self
            .inner
            .store
            .read("follow_roots", Installation::read)
            .await?;
        let followed = self.inner.authorities.follow(&installation)?;
        if followed {
            self.inner.revocation.forget_roots();
        }
        if followed && let Some(path) = &self.inner.root_file {
            let written = write_if_other(path, self.roots_pem().as_bytes());
            if let Err(error) = written {
                tracing::warn!(error = %explain(&error), path = %path.display(), "the file of trust anchors is out of date");
            }
        }
        Ok(followed)
    }

    /// Ends when this server has taken up a change of roots, for the one who waits for it.
    pub async fn roots_changed(&self) {
        self.inner.authorities.changed().await;
    }

    /// The roots to believe, PEM: the current one, and the next one where there is one.
    pub fn roots_pem(&self) -> String {
        let hierarchy = self.inner.authorities.hierarchy();
        let next = hierarchy.next().map(Certificate::to_pem);
        hierarchy.root().to_pem() + next.as_deref().unwrap_or_default()
    }
}
