//! Staying out.

use std::sync::Arc;

use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{Certificate, chain_from_pem};
use enlist_testkit::refusal;
use enlist_wire::{
    Attestation, Enrollment, IdevidAttestation, ImportManufacturer, NewGroup, NewTenant, ZeroTouch,
};

use super::factory::Factory;

fn unknown() -> (u16, String) {
    (403, "attestation-unknown-manufacturer".to_owned())
}

fn refused() -> (u16, String) {
    (403, "attestation-refused".to_owned())
}

#[test]
fn a_root_that_nobody_imported_lets_nobody_in() {
    let factory = Factory::with_lamps();
    factory.sh("root other; device d SN-1 other");
    assert_eq!(factory.refusal("enroll d k"), unknown());
    // One that calls itself as the real one does.
    factory.sh("mkdir fake; cp ca.cnf index.txt fake; cd fake; root acme; device f SN-1 acme; mv f.pem f.key ..");
    assert_eq!(factory.refusal("enroll f k"), refused());
    assert!(factory.detail("enroll f k").contains("signature"));
}

#[test]
fn each_flaw_of_a_certificate_has_its_words() {
    let factory = Factory::with_lamps();
    for (name, make, words) in [
        (
            "late",
            r#"device late SN-1 plant "$LEAF" 20200101000000Z 20210101000000Z"#,
            "has expired",
        ),
        (
            "early",
            r#"device early SN-1 plant "$LEAF" 20990101000000Z"#,
            "not valid yet",
        ),
        (
            "ca",
            r#"device ca SN-1 plant 'basicConstraints=critical,CA:TRUE'"#,
            "of a CA and not of a device",
        ),
        (
            "web",
            r#"device web SN-1 plant "$LEAF\nextendedKeyUsage=serverAuth""#,
            "extKeyUsage without clientAuth",
        ),
        (
            "agree",
            r#"device agree SN-1 plant 'keyUsage=keyAgreement'"#,
            "keyUsage digitalSignature",
        ),
        (
            "nameless",
            r#"certify nameless /O=plant/CN=thing plant "$LEAF"; cat nameless.crt plant.crt > nameless.pem"#,
            "names no device",
        ),
        (
            "long",
            r#"certify long /O=plant plant "$LEAF\nsubjectAltName=otherName:1.3.6.1.5.5.7.8.4;SEQUENCE:h\n[h]\nt=OID:1.2.3\ns=FORMAT:HEX,OCTETSTRING:$(printf 'ff%.0s' $(seq 90))"; cat long.crt plant.crt > long.pem"#,
            "longer than 128",
        ),
        (
            "below",
            r#"device leaf SN-9 plant; certify below /O=leaf/serialNumber=SN-1 leaf "$LEAF"; cat below.crt leaf.crt plant.crt > below.pem"#,
            "not a CA",
        ),
        (
            "deep",
            r#"certify short /O=short acme 'basicConstraints=critical,CA:TRUE,pathlen:0'; certify sub /O=sub short "$CA"
               device deep SN-1 sub; cat deep.crt sub.crt short.crt > deep.pem"#,
            "does not allow so many CAs",
        ),
        (
            "bound",
            r#"certify named /O=named acme "$CA\nnameConstraints=critical,permitted;DNS:example.org"
               device bound SN-1 named; cat bound.crt named.crt > bound.pem"#,
            "critical extension",
        ),
        (
            "strange",
            r#"device strange SN-1 plant "$LEAF\n1.2.3.4=critical,ASN1:NULL""#,
            "",
        ),
    ] {
        let make = format!("({make}); enroll {name} k || true");
        if words.is_empty() {
            // TLS itself does not take it.
            let (went, said) = factory
                .hall
                .run(&format!("{}\n{make}", super::factory::TOOLS));
            assert!(!went || said.starts_with("000"), "{said}");
            continue;
        }
        assert_eq!(factory.refusal(&make), refused(), "{name}");
        let detail = factory.detail(&format!("enroll {name} k"));
        assert!(detail.contains(words), "{name}: {detail}");
    }
    let devices = factory
        .hall
        .rig
        .admin()
        .devices("default", "lamps", &Default::default());
    assert!(devices.unwrap().items.is_empty());
}

#[test]
fn purposes_that_include_being_a_client_will_do() {
    let factory = Factory::with_lamps();
    factory.sh(
        r#"device c 1 plant "$LEAF\nextendedKeyUsage=serverAuth,clientAuth"
        device a 2 plant "$LEAF\nextendedKeyUsage=anyExtendedKeyUsage"
        device n 3 plant 'basicConstraints=CA:FALSE'"#,
    );
    for device in ["c", "a", "n"] {
        factory.enters(&format!("enroll {device} k-{device}"));
    }
}

#[test]
fn without_a_certificate_on_the_connection_nothing_is_proved() {
    let factory = Factory::with_lamps();
    assert_eq!(factory.refusal("enroll - k"), refused());
    let nothing = factory.refusal("enroll - k attestation=null");
    assert_eq!(nothing, (403, "attestation-required".to_owned()));
    let neither = factory.refusal("enroll - k 'attestation={}'");
    assert_eq!(neither, (422, "invalid-request".to_owned()));
}

#[test]
fn a_certificate_of_our_own_is_no_manufacturers() {
    let factory = Factory::with_lamps();
    factory.sh("device d SN-1 plant");
    factory.enters("enroll d own");
    factory.sh(
        "python3 -c 'import json; print(json.load(open(\"body\"))[\"certificate\"])' > own.pem",
    );
    assert_eq!(factory.refusal("enroll own k2"), refused());
    assert!(factory.detail("enroll own k2").contains("issued here"));
}

#[test]
fn groups_that_take_no_proof_look_like_groups_that_are_not_there() {
    let factory = Factory::new();
    factory.hall.rig.group("plain", Enrollment::Open);
    factory.sh("device d SN-1 plant");
    for group in ["plain", "not-there", "No Name"] {
        assert_eq!(
            factory.refusal(&format!("GROUP='{group}'; enroll d k")),
            (403, "attestation-required".to_owned()),
            "{group}"
        );
    }
}

#[test]
fn a_deleted_manufacturer_is_not_believed_at_the_next_request() {
    let factory = Factory::with_lamps();
    factory.sh("device d SN-1 plant; device e SN-2 plant");
    factory.enters("enroll d k1");
    let admin = factory.hall.rig.admin();
    admin.delete_manufacturer("default", "acme").unwrap();
    assert_eq!(factory.refusal("enroll e k2"), unknown());
    factory.import("acme", "acme.crt");
    factory.enters("enroll e k2");
}

#[test]
fn what_one_tenant_believes_another_does_not() {
    let factory = Factory::new();
    let admin = factory.hall.rig.admin();
    let tenant = NewTenant {
        name: "beta".to_owned(),
        ..serde_json::from_str(r#"{"name":"beta"}"#).unwrap()
    };
    admin.create_tenant(&tenant).unwrap();
    let lamps = NewGroup {
        enrollment: Enrollment::Open,
        zero_touch: Some(ZeroTouch {
            accept: vec![enlist_wire::AttestationKind::Idevid],
            ..ZeroTouch::default()
        }),
        ..NewGroup::named("lamps")
    };
    admin.create_group("beta", &lamps).unwrap();
    factory.sh("device d SN-1 plant");
    let there = r#"enroll d k 'tenant="beta"'"#;
    assert_eq!(factory.refusal(there), unknown());
    let import = ImportManufacturer {
        name: "acme".to_owned(),
        certificates: factory.hall.read("acme.crt"),
    };
    admin.import_manufacturer("beta", &import).unwrap();
    factory.enters(there);
}

#[test]
fn who_tries_and_tries_is_slowed_down() {
    let factory = Factory::with_lamps();
    factory.sh("root other; device d SN-1 other");
    let rig = &factory.hall.rig;
    let key = FileKey::from_pkcs8_pem(&factory.sh("openssl pkey -in d.key")).unwrap();
    let chain = chain_from_pem(&factory.hall.read("d.pem")).unwrap();
    let client = rig.client_with_identity(Identity {
        chain: chain.iter().map(Certificate::to_rustls).collect(),
        key: Arc::new(key),
    });
    let mut request = rig.device("lamps", "x", "").request();
    request.secret = None;
    request.attestation = Some(Attestation {
        tpm: None,
        idevid: Some(IdevidAttestation {}),
    });
    let mut said = (0..10_000).map(|_| refusal(client.enroll(&request)));
    assert_eq!(said.next().unwrap(), "attestation-unknown-manufacturer");
    let last = said.find(|slug| slug != "attestation-unknown-manufacturer");
    assert_eq!(last.unwrap(), "guessing-slowed-down");
}
