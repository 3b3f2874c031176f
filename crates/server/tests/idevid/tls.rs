//! Possession is proved by the handshake, for any kind of key and whatever the dates say.

use std::sync::Arc;

use enlist_keys::FileKey;
use enlist_keys::tls::Identity;
use enlist_pki::{Certificate, KeyKind, chain_from_pem};

use super::factory::Factory;

#[test]
fn keys_of_every_kind_by_tls_1_2_and_1_3() {
    let factory = Factory::with_lamps();
    for (kind, make) in [
        ("p256", "key d.key"),
        (
            "p384",
            "openssl ecparam -name secp384r1 -genkey -noout -out d.key",
        ),
        ("ed25519", "openssl genpkey -algorithm ed25519 -out d.key"),
        ("rsa", "openssl genrsa -out d.key 2048"),
    ] {
        for version in ["--tls-max 1.2", "--tlsv1.3"] {
            let serial = format!("{kind}{}", &version[version.len() - 1..]);
            let name = factory.enters(&format!(
                "rm -f d.key; {make} 2> log; device d {serial} plant; CURL='{version}'; enroll d k-{serial}"
            ));
            assert_eq!(
                factory.attested("lamps", &name).unwrap(),
                format!("idevid:acme/{serial}")
            );
        }
    }
}

#[test]
fn an_expired_one_gets_through_the_handshake_and_no_further() {
    let factory = Factory::with_lamps();
    factory.sh(r#"device d SN-1 plant "$LEAF" 20200101000000Z 20210101000000Z"#);
    assert_eq!(
        factory.refusal("enroll d k"),
        (403, "attestation-refused".to_owned())
    );
}

#[test]
fn who_does_not_hold_the_key_gets_nowhere() {
    let factory = Factory::with_lamps();
    factory.sh("device d SN-1 plant");
    let rig = &factory.hall.rig;
    let chain = chain_from_pem(&factory.hall.read("d.pem")).unwrap();
    let thief = Identity {
        chain: chain.iter().map(Certificate::to_rustls).collect(),
        key: Arc::new(FileKey::generate(KeyKind::P256).unwrap()),
    };
    let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let device = rig.device("lamps", "x", "");
        let mut request = device.request();
        request.secret = None;
        request.name = None;
        request.attestation = Some(enlist_wire::Attestation {
            tpm: None,
            idevid: Some(enlist_wire::IdevidAttestation {}),
        });
        rig.client_with_identity(thief).enroll(&request)
    }));
    assert!(
        !matches!(outcome, Ok(Ok(_))),
        "another key signs for the certificate"
    );
    let devices = rig.admin().devices("default", "lamps", &Default::default());
    assert!(devices.unwrap().items.is_empty());
}
