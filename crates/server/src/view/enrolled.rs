use enlist_keys::FileKeyError;
use enlist_ops::{Enrolled, PreEnrolled};
use enlist_pki::certificate_pem;
use enlist_wire as wire;

use super::policy::policy;
use super::{time, uuid};

pub(crate) fn enrolled(enrolled: &Enrolled) -> wire::Enrolled {
    wire::Enrolled {
        device_id: uuid(enrolled.device.id.as_bytes()),
        tenant: enrolled.tenant.to_string(),
        group: enrolled.group.to_string(),
        name: enrolled.device.name.to_string(),
        certificate: certificate_pem(&enrolled.certificate.der),
        issuing_ca: enrolled.issuing_pem.to_string(),
        chain: enrolled.chain_pem.clone(),
        root: enrolled.root_pem.to_string(),
        not_before: time(enrolled.certificate.not_before),
        not_after: time(enrolled.certificate.not_after),
        serial: enrolled.certificate.serial.to_string(),
        issued_at: Some(time(enrolled.issued_at)),
        command_keys: vec![enrolled.command_key_pem.to_string()],
        policy: policy(enrolled.practice),
    }
}

pub(crate) fn quadruple(made: &PreEnrolled) -> Result<wire::Quadruple, FileKeyError> {
    Ok(wire::Quadruple {
        device_id: uuid(made.enrolled.device.id.as_bytes()),
        device_token: made.token.expose().to_owned().into(),
        device_certificate_pem: certificate_pem(&made.enrolled.certificate.der),
        device_private_key_pem: made.key.to_pkcs8_pem()?.into(),
        issuing_ca_pem: made.enrolled.issuing_pem.to_string(),
        chain_pem: made.enrolled.chain_pem.clone(),
        root_pem: made.enrolled.root_pem.to_string(),
        not_after: time(made.enrolled.certificate.not_after),
    })
}
