//! Getting in.

use enlist_wire::{Enrollment, Hardware, HardwareKind, NewDevice, WithoutProof};

use super::factory::Factory;

#[test]
fn a_manufacturers_certificate_that_never_ends_is_all_it_takes() {
    let factory = Factory::with_lamps();
    factory.sh("device d SN-4711 plant; cat d.crt plant.crt > d.pem
        openssl x509 -in d.crt -noout -enddate | grep 9999");
    let name = factory.enters("enroll d ldevid");
    assert_eq!(
        factory.attested("lamps", &name).unwrap(),
        "idevid:acme/sn-4711"
    );
    assert_eq!(
        factory.told("device-enrolled", "attested").unwrap(),
        "idevid:acme/SN-4711"
    );
    factory.sh(
        "python3 -c 'import json; print(json.load(open(\"body\"))[\"certificate\"])' > ldevid.crt
        openssl x509 -in ldevid.crt -noout -pubkey | cmp - <(openssl pkey -in ldevid.key -pubout)",
    );
    // A lost reply: the same again.
    factory.sh("cp body first");
    assert_eq!(factory.enters("enroll d ldevid"), name);
    factory.sh("python3 -c 'import json; a, b = (json.load(open(n))[\"serial\"] for n in (\"body\", \"first\")); assert a == b'");
}

#[test]
fn the_chain_may_come_from_the_device_or_from_the_import() {
    let factory = Factory::with_lamps();
    factory.sh("device d 1 plant; device e 2 plant; cp e.crt e.pem");
    factory.enters("enroll d k1");
    let alone = factory.refusal("enroll e k2");
    assert_eq!(
        alone,
        (403, "attestation-unknown-manufacturer".to_owned()),
        "nobody knows who plant is"
    );
    factory.import("acme", "acme.crt plant.crt");
    factory.enters("enroll e k2");
}

#[test]
fn devices_without_a_serial_number_go_by_their_hardware_module() {
    let factory = Factory::with_lamps();
    for (at, serial, identity) in [
        (0, "FORMAT:ASCII,OCTETSTRING:SN 1/a", "idevid:acme/sn 1/a"),
        (1, "FORMAT:HEX,OCTETSTRING:00ff20", "idevid:acme/%00%ff%20"),
    ] {
        let made = format!(
            "certify m{at} /O=plant/CN=thing plant \"$LEAF\\nsubjectAltName=critical,otherName:1.3.6.1.5.5.7.8.4;SEQUENCE:h\
             \\n[h]\\nt=OID:1.3.6.1.4.1.32473.1\\ns={serial}\"
             cat m{at}.crt plant.crt > m{at}.pem; enroll m{at} k{at}"
        );
        let name = factory.enters(&made);
        assert_eq!(factory.attested("lamps", &name).unwrap(), identity);
    }
}

#[test]
fn one_that_was_announced_gets_its_name() {
    let factory = Factory::new();
    factory.group("lamps", Enrollment::Known, WithoutProof::Refuse);
    let announced = NewDevice {
        name: "lamp-7".to_owned(),
        labels: Default::default(),
        hardware: Some(Hardware {
            kind: HardwareKind::Idevid,
            value: "acme/SN-7".to_owned(),
        }),
    };
    let admin = factory.hall.rig.admin();
    admin.create_device("default", "lamps", &announced).unwrap();
    factory.sh("device d SN-7 plant; device e SN-8 plant");
    assert_eq!(
        factory.refusal("enroll e k8"),
        (403, "unknown-device".to_owned())
    );
    assert_eq!(factory.enters("enroll d k7"), "lamp-7");
}

#[test]
fn the_same_serial_number_of_two_manufacturers_is_two_devices() {
    let factory = Factory::with_lamps();
    factory.sh("root zeta");
    factory.import("zeta", "zeta.crt");
    factory.sh("device a SN-1 acme; device z SN-1 zeta");
    let (a, z) = (factory.enters("enroll a ka"), factory.enters("enroll z kz"));
    assert_eq!(factory.attested("lamps", &a).unwrap(), "idevid:acme/sn-1");
    assert_eq!(factory.attested("lamps", &z).unwrap(), "idevid:zeta/sn-1");
}

#[test]
fn no_claim_stands_in_the_way_of_a_proof_and_none_is_made_for_one() {
    let factory = Factory::new();
    let rig = &factory.hall.rig;
    let secret = rig.group_with(&enlist_wire::NewGroup {
        enrollment: Enrollment::Open,
        hardware_is_identity: true,
        zero_touch: Some(enlist_wire::ZeroTouch {
            accept: vec![enlist_wire::AttestationKind::Idevid],
            ..Default::default()
        }),
        ..enlist_wire::NewGroup::named("lamps")
    });
    let serial = Hardware {
        kind: HardwareKind::Serial,
        value: "SN-1".to_owned(),
    };
    let mut squatter = rig.device("lamps", "squatter", &secret);
    squatter.hardware = Some(Hardware {
        kind: HardwareKind::Idevid,
        value: "acme/SN-1".to_owned(),
    });
    let refused = enlist_testkit::refusal(squatter.enroll(rig));
    assert_eq!(refused, "invalid-hardware-identity");
    squatter.hardware = Some(serial);
    squatter.enroll(rig).unwrap();
    factory.sh("device d SN-1 plant");
    let claim = r#"'hardware={"kind":"serial","value":"SN-1"}'"#;
    let name = factory.enters(&format!("enroll d k {claim}"));
    assert_eq!(
        factory.attested("lamps", &name).unwrap(),
        "idevid:acme/sn-1"
    );
}

#[test]
fn a_secret_and_a_proof_go_together() {
    let factory = Factory::new();
    let secret = factory.hall.rig.group("pumps", Enrollment::Open);
    factory.sh("device d SN-1 plant; root other; device f SN-2 other");
    let with = format!("'secret=\"{secret}\"' 'group=\"pumps\"' 'name=\"p-1\"'");
    assert_eq!(
        factory.refusal(&format!("enroll f kf {with}")),
        (403, "attestation-unknown-manufacturer".to_owned())
    );
    assert_eq!(factory.enters(&format!("enroll d k {with}")), "p-1");
    assert_eq!(
        factory.attested("pumps", "p-1").unwrap(),
        "idevid:acme/sn-1"
    );
    assert_eq!(
        factory.refusal("device g SN-3 plant; GROUP=pumps; enroll g kg"),
        (403, "attestation-required".to_owned()),
        "the group asks for its secret"
    );
}
