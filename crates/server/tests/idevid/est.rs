//! The same by EST (RFC 7030 section 3.3.2): the client certificate is the manufacturer's.

use std::time::Duration;

use enlist_wire::{
    AttestationKind, Enrollment, GroupChange, Hardware, HardwareKind, NewDevice, WithoutProof,
    ZeroTouchChange,
};

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
fn the_csr_of_another_brings_nobody_the_answer_to_it() {
    let factory = Factory::with_lamps();
    factory.sh(&format!(
        "device d SN-1 plant; key k; csr k /CN=x > of-d
         device e SN-2 plant; key s; csr s /CN=x > of-e
         test $(est lamps/simpleenroll {SHOWN} < of-d) = 200
         test $(est lamps/simpleenroll --cert e.pem --key e.key < of-e) = 200
         device f SN-3 plant"
    ));
    let asks = |device: &str, csr: &str| {
        let shown = format!("--cert {device}.pem --key {device}.key");
        let hall = &factory.hall;
        hall.refusal(&format!("est lamps/simpleenroll {shown} < {csr}"))
    };
    assert_eq!(
        asks("d", "of-e"),
        (409, "attested-already-enrolled".to_owned())
    );
    assert_eq!(asks("f", "of-e"), (409, "enrollment-conflict".to_owned()));
    factory.sh(&format!(
        "test $(est lamps/simpleenroll {SHOWN} < of-d) = 200"
    ));
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
fn an_expired_certificate_is_issued_anew_only_while_the_group_takes_the_proof() {
    let factory = Factory::with_lamps();
    let hall = &factory.hall;
    factory.sh(&format!(
        "device d SN-1 plant; key k
         test $(csr k /CN=x | est lamps/simpleenroll {SHOWN}) = 200; certificates < body > k.crt
         device e SN-5 plant; key s
         test $(csr s /CN=x | est lamps/serverkeygen --cert e.pem --key e.key) = 200"
    ));
    let admin = hall.rig.admin();
    let change = |zero_touch: ZeroTouchChange| {
        let change = GroupChange {
            zero_touch: Some(zero_touch),
            ..GroupChange::default()
        };
        admin.change_group("default", "lamps", &change).unwrap();
    };
    let import = |serial: &str| {
        let bearer = format!("Bearer {}", hall.rig.admin_token());
        let headers = [
            ("authorization", bearer.as_str()),
            ("content-type", "text/csv"),
        ];
        let path = "/v1/tenants/default/manifests/batch/entries";
        let row = format!("idevid\nacme/{serial}\n");
        let answer = hall.rig.raw("POST", path, &headers, row.as_bytes());
        assert_eq!(answer.status, 200, "{answer:?}");
    };
    hall.rig.clock.advance(Duration::from_secs(8 * 24 * 3600));
    let again = format!("csr k /CN=x | est lamps/simpleenroll {SHOWN}");
    let accept = |kind| ZeroTouchChange {
        accept: Some(vec![kind]),
        ..ZeroTouchChange::default()
    };
    change(accept(AttestationKind::Tpm));
    let required = (401, "attestation-required".to_owned());
    assert_eq!(hall.refusal(&again), required);
    // So it is with a key that the server has made, and makes anew until it is used.
    let made = "csr s /CN=x | est lamps/serverkeygen --cert e.pem --key e.key";
    assert_eq!(hall.refusal(made), required);
    change(accept(AttestationKind::Idevid));
    assert_eq!(hall.answer(made).0, 200);
    import("SN-2");
    for without_proof in [WithoutProof::Refuse, WithoutProof::Approve] {
        change(ZeroTouchChange {
            manifest: Some("batch".to_owned()),
            without_proof: Some(without_proof),
            ..accept(AttestationKind::Idevid)
        });
        let unlisted = (401, "attestation-not-on-manifest".to_owned());
        assert_eq!(hall.refusal(&again), unlisted, "{without_proof:?}");
    }
    import("SN-1");
    factory.sh(&format!(
        "test $({again}) = 200; certificates < body > anew.crt; ! cmp -s anew.crt k.crt"
    ));
    let devices = admin.devices("default", "lamps", &Default::default());
    assert_eq!(devices.unwrap().items.len(), 2, "each as the same device");
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
