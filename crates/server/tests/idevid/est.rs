//! The same by EST (RFC 7030 section 3.3.2): the client certificate is the manufacturer's.

use enlist_wire::{Enrollment, Hardware, HardwareKind, NewDevice};

use super::factory::Factory;

const SHOWN: &str = "--cert d.pem --key d.key";

#[test]
fn simpleenroll_takes_a_manufacturers_certificate_in_place_of_a_secret() {
    let factory = Factory::with_lamps();
    factory.sh(&format!(
        "device d SN-1 plant; key k
         test $(csr k /CN=x | est lamps/simpleenroll {SHOWN}) = 200
         certificates < body > k.crt; openssl x509 -in k.crt -noout -pubkey | cmp - <(openssl pkey -in k -pubout)
         cp body first; csr k /CN=x | est lamps/simpleenroll {SHOWN}; cmp body first
         key k2"
    ));
    let again = "csr k2 / | est lamps/simplereenroll --cert k.crt --key k";
    let (status, body) = factory.hall.answer(again);
    assert_eq!(status, 200, "{body}");
    let devices = factory
        .hall
        .rig
        .admin()
        .devices("default", "lamps", &Default::default());
    let devices = devices.unwrap().items;
    let attested = devices[0].attested.as_ref().unwrap();
    assert_eq!(attested.value, "acme/SN-1");
    let second = factory.hall.refusal(&format!(
        "key k3; csr k3 / | est lamps/simpleenroll {SHOWN}"
    ));
    assert_eq!(second, (409, "attested-already-enrolled".to_owned()));
}

#[test]
fn serverkeygen_does_too() {
    let factory = Factory::with_lamps();
    factory.sh(&format!(
        "device d SN-1 plant; key k
         test $(csr k /CN=x | est lamps/serverkeygen {SHOWN}) = 200; grep -q pkcs8 body"
    ));
}

#[test]
fn one_that_was_announced_gets_its_name() {
    let factory = Factory::new();
    factory.group("lamps", Enrollment::Known, Default::default());
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
    let subject = factory.sh(&format!(
        "device d SN-7 plant; key k
         test $(csr k /CN=x | est lamps/simpleenroll {SHOWN}) = 200
         certificates < body | openssl x509 -noout -subject"
    ));
    assert!(subject.contains("CN = lamp-7"), "{subject}");
}

#[test]
fn who_shows_a_certificate_that_lets_nobody_in_is_asked_for_a_secret() {
    let factory = Factory::with_lamps();
    let hall = &factory.hall;
    hall.keep(&hall.rig.group("pumps", Enrollment::Open));
    factory.sh("root other; device d SN-1 other; key k");
    for (group, slug) in [
        ("lamps", "attestation-unknown-manufacturer"),
        ("pumps", "attestation-required"),
    ] {
        let refused = hall.refusal(&format!("csr k / | est {group}/simpleenroll {SHOWN}"));
        assert_eq!(refused, (401, slug.to_owned()));
        assert!(hall.read("head").contains("Basic realm="));
    }
    // As clients do that wait to be asked.
    factory.sh(&format!(
        "test $(csr k / | est pumps/simpleenroll {SHOWN} --anyauth -u p-1:$SECRET) = 200"
    ));
    let device = hall.rig.admin().device("default", "pumps", "p-1").unwrap();
    assert_eq!(device.attested, None, "the secret let it in");
}
