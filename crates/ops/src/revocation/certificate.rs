//! The certificates of CAs, for those who build chains.

use enlist_core::CaId;

use crate::error::What;
use crate::{Error, Ops};

impl Ops {
    /// The current root, by the id that [`Ops::crl`] and [`Ops::ca_certificate`] know it by.
    pub fn root_ca(&self) -> CaId {
        self.inner.authorities.hierarchy().root_id()
    }

    /// The newest certificate of a CA, DER.
    ///
    /// # Errors
    /// When there is no such CA.
    pub async fn ca_certificate(&self, id: CaId) -> Result<Vec<u8>, Error> {
        let issuers = self.issuers_with(|known| known.by_id(id).is_some()).await?;
        let ca = issuers
            .by_id(id)
            .ok_or_else(|| Error::not_found(What::Ca, id))?;
        Ok(ca.certificate.der().to_vec())
    }
}
