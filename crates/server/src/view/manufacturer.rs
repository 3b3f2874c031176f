use enlist_ops::{ManufacturerCa, ManufacturerView};
use enlist_wire as wire;

use super::time;

pub(crate) fn manufacturer(manufacturer: &ManufacturerView) -> wire::Manufacturer {
    let cas = &manufacturer.cas;
    let first = cas.iter().map(|ca| ca.certificate.not_after()).min();
    wire::Manufacturer {
        name: manufacturer.name.to_string(),
        cas: u32::try_from(cas.len()).unwrap_or(u32::MAX),
        first_expiry: first.map(wire::Time::from_secs),
        created_at: time(manufacturer.created_at),
    }
}

pub(crate) fn manufacturer_in_full(manufacturer: &ManufacturerView) -> wire::ManufacturerInFull {
    wire::ManufacturerInFull {
        name: manufacturer.name.to_string(),
        cas: manufacturer.cas.iter().map(ca).collect(),
        created_at: time(manufacturer.created_at),
    }
}

fn ca(ca: &ManufacturerCa) -> wire::ManufacturerCa {
    let certificate = &ca.certificate;
    wire::ManufacturerCa {
        subject: certificate.subject().to_string(),
        fingerprint: certificate.fingerprint_hex(),
        is_anchor: ca.is_anchor,
        unusable: ca.unusable.clone(),
        not_before: wire::Time::from_secs(certificate.not_before()),
        not_after: wire::Time::from_secs(certificate.not_after()),
        certificate: certificate.to_pem(),
    }
}
