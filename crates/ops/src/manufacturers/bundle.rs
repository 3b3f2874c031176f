//! The CAs of one manufacturer, as somebody imports them.

use std::sync::Arc;

use enlist_core::{CaRecord, Digest, ManufacturerRecord, Name, Timestamp};
use enlist_pki::manufacturer::{Manufacturer, is_root, may_be_climbed};
use enlist_pki::{Certificate, chain_from_pem};

use super::{ManufacturerCa, ManufacturerView};
use crate::Error;
use crate::zero_touch::Believed;

/// The largest import, in bytes.
const LARGEST: usize = 256 * 1024;
/// Certificates in one.
const MOST: usize = 64;

pub(super) struct Bundle {
    manufacturer: Manufacturer,
}

impl Bundle {
    /// Reads what somebody wants to import.
    pub(super) fn read(pem: &str) -> Result<Self, Error> {
        if pem.len() > LARGEST {
            return Err(refused(format!("it is over the limit of {LARGEST} bytes")));
        }
        let given = chain_from_pem(pem).map_err(|error| refused(error.to_string()))?;
        let mut certificates: Vec<Certificate> = Vec::with_capacity(given.len());
        for one in given {
            if !certificates.contains(&one) {
                certificates.push(one);
            }
        }
        if certificates.len() > MOST {
            return Err(refused(format!("it holds over {MOST} certificates")));
        }
        if let Some(leaf) = certificates.iter().find(|one| !one.is_ca()) {
            return Err(refused(format!(
                "`{}` is not the certificate of a CA: import roots and the CAs between alone",
                leaf.subject()
            )));
        }
        let roots = || certificates.iter().filter(|one| is_root(one));
        if roots().next().is_none() {
            return Err(refused(
                "there is no root among the certificates, one that has signed itself: import that as well",
            ));
        }
        if let Some(why) = roots().map(may_be_climbed).find_map(Result::err)
            && roots().all(|root| may_be_climbed(root).is_err())
        {
            return Err(refused(format!("the root is not usable: {why}")));
        }
        Ok(Self {
            manufacturer: Manufacturer::new(certificates),
        })
    }

    /// What was imported once.
    pub(super) fn on_record(record: &ManufacturerRecord) -> Result<Self, Error> {
        let manufacturer = Manufacturer::from_pem(&record.certificates)
            .map_err(|_| Error::Inconsistent("a manufacturer's certificates that don't read"))?;
        Ok(Self { manufacturer })
    }

    /// As it is kept, and the digest of that.
    pub(super) fn text(&self) -> (String, Digest) {
        let certificates = self.manufacturer.certificates();
        let text: String = certificates.iter().map(Certificate::to_pem).collect();
        let digest = Digest::of(text.as_bytes());
        (text, digest)
    }

    /// The fingerprints of its roots.
    pub(super) fn roots(&self) -> Vec<String> {
        let certificates = self.manufacturer.certificates().iter();
        certificates
            .filter(|one| is_root(one))
            .map(Certificate::fingerprint_hex)
            .collect()
    }

    /// Refuses CAs of this installation's: what they have signed was let in here, and is no proof of
    /// anything else.
    pub(super) fn is_not_of(&self, own: &[CaRecord]) -> Result<(), Error> {
        for ca in own {
            let ca = Certificate::from_der(&ca.certificate)
                .map_err(|_| Error::Inconsistent("a CA's certificate that does not read"))?;
            let same_key = |one: &&Certificate| one.spki_der() == ca.spki_der();
            if let Some(one) = self.manufacturer.certificates().iter().find(same_key) {
                return Err(refused(format!(
                    "`{}` is a CA of this installation, and no manufacturer's",
                    one.subject()
                )));
            }
        }
        Ok(())
    }

    /// Refuses CAs that another manufacturer has as well: a device below would be two.
    pub(super) fn is_nobody_elses(
        &self,
        name: &Name,
        others: &[Arc<Believed>],
    ) -> Result<(), Error> {
        for other in others.iter().filter(|other| other.name != *name) {
            let theirs = other.cas.certificates();
            let shared = |one: &&Certificate| {
                let key = one.spki_der();
                theirs.iter().any(|their| their.spki_der() == key)
            };
            if let Some(one) = self.manufacturer.certificates().iter().find(shared) {
                return Err(refused(format!(
                    "`{}` was imported as manufacturer `{}` already",
                    one.subject(),
                    other.name
                )));
            }
        }
        Ok(())
    }

    pub(super) fn view(&self, name: Name, created_at: Timestamp) -> ManufacturerView {
        let certificates = self.manufacturer.certificates().iter();
        let cas = certificates.map(|certificate| ManufacturerCa {
            certificate: certificate.clone(),
            is_anchor: self.manufacturer.is_anchor(certificate),
            unusable: may_be_climbed(certificate).err().map(|why| why.to_string()),
        });
        ManufacturerView {
            name,
            cas: cas.collect(),
            created_at,
        }
    }
}

pub(super) fn refused(why: impl Into<String>) -> Error {
    Error::ManufacturerRefused(why.into())
}
