//! What device certificates say of hardware, and where they point to.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use common::{NOW, Rig, WEEK, key, openssl_ok, plain_csr, verified};
use enlist_ca::{IssueRefusal, IssuingCa, Partition, Pointers};
use enlist_core::{CaId, CertificateProfile, HardwareIdentity, HardwareKind, Serial};
use enlist_pki::{Csr, Extension, KeyKind, SubjectName, oid};
use rcgen::CertificateParams;

/// A CSR that asks for these names.
fn csr_that_names(names: &[SubjectName]) -> Csr {
    let wanted = Extension::subject_names(names).unwrap();
    let content = wanted.der();
    let at = content
        .windows(2)
        .position(|bytes| bytes[0] == 0x04)
        .unwrap();
    let mut params = CertificateParams::default();
    // Short enough that its length takes one octet.
    let value = content[at + 2..].to_vec();
    params
        .custom_extensions
        .push(rcgen::CustomExtension::from_oid_content(
            &[2, 5, 29, 17],
            value,
        ));
    let key = rcgen::KeyPair::generate().unwrap();
    let csr = Csr::from_der(params.serialize_request(&key).unwrap().der()).unwrap();
    assert_eq!(csr.requested().names, names);
    csr
}

#[test]
fn hardware_is_named_as_it_is_on_record_and_never_as_the_csr_has_it() {
    let mut rig = Rig::new();
    let claimed = SubjectName::HardwareModule {
        hw_type: oid::hardware::SERIAL,
        serial: b"claimed".to_vec(),
    };
    let csr = csr_that_names(&[claimed.clone(), SubjectName::Dns("*.example".into())]);
    let names = |rig: &Rig| {
        let device = rig.device(&csr, &CertificateProfile::default(), WEEK, NOW);
        device.unwrap().names()[2..].to_vec()
    };
    assert_eq!(names(&rig), []);
    for kind in HardwareKind::ALL {
        let hardware = HardwareIdentity::new(kind, "4c:11:AE:7f:00:01").unwrap();
        let value = hardware.value().as_bytes().to_vec();
        rig.hardware = Some(hardware);
        let [SubjectName::HardwareModule { hw_type, serial }] = &names(&rig)[..] else {
            panic!("{:?}", names(&rig));
        };
        assert_eq!(*serial, value);
        let arc = HardwareKind::ALL
            .iter()
            .position(|one| *one == kind)
            .unwrap()
            + 1;
        assert!(
            hw_type.to_string().ends_with(&format!(".{arc}")),
            "{hw_type}"
        );
    }
}

#[test]
fn each_certificate_points_to_its_part_of_a_list_in_parts() {
    let ca: CaId = "0190f3a2-7c1e-7d55-9b1a-3f2c8e6d4a11".parse().unwrap();
    let pointers = |parts| Pointers::at("http://enlist.example", ca, parts);
    let rig = Rig::new();
    let issuing = |pointers: &Pointers| IssuingCa::new(rig.issuing.authority().clone(), pointers);
    let dir = tempfile::tempdir().unwrap();
    let csr = plain_csr(&*key(KeyKind::P256));
    for parts in [4, 1] {
        let issuing = issuing(&pointers(parts)).unwrap();
        for last in [0, 3, 6] {
            let mut bytes = [0x9f; 16];
            bytes[9] = last;
            let serial = Serial::from_be_bytes(&bytes).unwrap();
            let profile = CertificateProfile::default();
            let device = issuing
                .device(&verified(&csr), &rig.subject(), &profile, WEEK, serial, NOW)
                .unwrap();
            std::fs::write(dir.path().join("device"), device.to_pem()).unwrap();
            let shown = openssl_ok(dir.path(), "x509 -in device -noout -text");
            let part = Partition::of_serial(serial, parts);
            let url = pointers(parts).crl_url(part).unwrap();
            assert!(
                shown.contains(&format!("URI:{url}\n")),
                "{url} not in {shown}"
            );
            assert_eq!(
                part.map(Partition::index),
                (parts == 4).then_some(u16::from(last) % 4)
            );
        }
    }
    assert!(matches!(
        issuing(&Pointers::at("http://no blanks", ca, 1)),
        Err(IssueRefusal::Failed(_))
    ));
}
