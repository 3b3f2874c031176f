//! Whether a receipt is what it says.

use enlist_core::{CertificateRecord, Serial, Tenant};
use enlist_pki::Certificate;
use enlist_signed::{Envelope, Receipt};
use enlist_store::Tx;

use crate::{Error, OrderRefusal};

/// Items that a receipt may list.
const MOST_ITEMS: usize = 1_000;

/// The certificate that a receipt names, with its tenant.
pub(super) struct Witness {
    pub(super) tenant: Tenant,
    pub(super) certificate: CertificateRecord,
}

/// The serial number that a receipt claims, to find the key that has to have signed it.
pub(super) fn claimed_serial(envelope: &Envelope) -> Result<Serial, Error> {
    let claim: Receipt = envelope.claim().map_err(OrderRefusal::Receipt)?;
    claim.serial.parse().map_err(|_| Error::ForeignCertificate)
}

pub(super) fn witness(tx: &mut Tx<'_>, serial: Serial) -> Result<Witness, Error> {
    let certificate = tx.certificate(serial)?.ok_or(Error::ForeignCertificate)?;
    let tenant = tx
        .tenant(certificate.tenant)?
        .ok_or(Error::Inconsistent("a certificate without its tenant"))?;
    Ok(Witness {
        tenant,
        certificate,
    })
}

/// The receipt, if the key of the certificate has signed it, and it speaks of that certificate's device.
pub(super) fn verify(envelope: &Envelope, witness: &Witness) -> Result<Receipt, Error> {
    let unreadable = || Error::Inconsistent("a certificate on record does not read");
    let key = Certificate::from_der(&witness.certificate.der)
        .map_err(|_| unreadable())?
        .public_key()
        .map_err(|_| unreadable())?;
    let receipt: Receipt = envelope.open([&key]).map_err(OrderRefusal::Receipt)?;
    if receipt.device != witness.certificate.device || receipt.tenant != witness.tenant.name {
        return Err(Error::AnotherDevice);
    }
    if receipt.erased.len() > MOST_ITEMS {
        return Err(Error::InvalidRequest(format!(
            "the receipt lists more than {MOST_ITEMS} items"
        )));
    }
    Ok(receipt)
}
