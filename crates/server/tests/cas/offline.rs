use std::io::{Read, Write};
use std::net::TcpStream;

use enlist_keys::{FileKey, WrappingKey};
use enlist_ops::{CaToSign, offline_message, sign_issuing_ca};
use enlist_pki::{Certificate, Csr, KeyKind, Signer};
use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    Binary, CaKeyPlace, CaStanding, ExportRoot, NewCa, NewTenant, TakeRootOffline, TenantState,
};

use super::{NOW, chains, device, imported, request_of, standings};

const PASSPHRASE: &str = "correct horse battery staple";

fn offline(rig: &Rig) -> (Certificate, FileKey) {
    let exported = rig
        .admin()
        .export_root(&ExportRoot {
            passphrase: PASSPHRASE.to_owned().into(),
        })
        .unwrap();
    assert!(!exported.key.contains("BEGIN PRIVATE KEY"));
    let passphrase = WrappingKey::from_text(&PASSPHRASE.into()).unwrap();
    let key = passphrase.unwrap_pem(&exported.key).unwrap();
    let root = Certificate::from_pem(&exported.certificate).unwrap();
    let message = offline_message(&root.fingerprint_hex());
    let proof = |key: &FileKey, message: &[u8]| TakeRootOffline {
        signature: Binary(key.sign(message).unwrap()),
    };
    let stranger = FileKey::generate(KeyKind::P384).unwrap();
    for wrong in [proof(&stranger, &message), proof(&key, b"something else")] {
        let refused = rig.admin().take_root_offline(&wrong);
        assert_eq!(refusal(refused), "root-not-shown");
    }
    let taken = rig
        .admin()
        .take_root_offline(&proof(&key, &message))
        .unwrap();
    assert!(taken.offline);
    (root, key)
}

fn sign(
    rig: &Rig,
    (root, key): &(Certificate, FileKey),
    request: &str,
) -> Result<Certificate, enlist_ops::Error> {
    let copy = FileKey::from_pkcs8_der(secrecy::ExposeSecret::expose_secret(
        &key.to_pkcs8_der().unwrap(),
    ));
    let asked = CaToSign {
        csr: Csr::from_pem(request).unwrap(),
        root: root.clone(),
        key: copy.unwrap(),
    };
    sign_issuing_ca(asked, &*rig.clock, &*rig.rng)
}

/// Only where the keys of CAs are not in a token, which gives none away.
fn keys_are_in_the_database(rig: &Rig) -> bool {
    rig.admin().cas("default").unwrap().items[0].key == CaKeyPlace::Database
}

#[test]
fn with_the_root_offline_whoever_asks_for_its_list_is_told_so() {
    let rig = Rig::new();
    if !keys_are_in_the_database(&rig) {
        return;
    }
    let url = rig.status_url();
    let get = |path: &str| {
        let mut door = TcpStream::connect(url.trim_start_matches("http://")).unwrap();
        write!(
            door,
            "GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = Vec::new();
        door.read_to_end(&mut answer).unwrap();
        String::from_utf8_lossy(&answer).into_owned()
    };
    assert!(get("/crl/root.crl").starts_with("HTTP/1.1 200"));
    offline(&rig);
    let told = get("/crl/root.crl");
    assert!(told.starts_with("HTTP/1.1 404"), "{told}");
    for words in [
        "crl-not-found",
        "the root's key is offline",
        "enlist get anchor",
    ] {
        assert!(told.contains(words), "{told}");
    }
    assert!(!told.contains(&rig.ops.root_ca().to_string()), "{told}");
}

#[test]
fn with_the_root_offline_a_new_tenant_waits_for_what_the_root_signs_elsewhere() {
    let rig = Rig::new();
    if !keys_are_in_the_database(&rig) {
        let passphrase = PASSPHRASE.to_owned().into();
        let refused = rig.admin().export_root(&ExportRoot { passphrase });
        assert_eq!(refusal(refused), "root-in-token");
        return;
    }
    let short = ExportRoot {
        passphrase: "short".to_owned().into(),
    };
    assert_eq!(refusal(rig.admin().export_root(&short)), "invalid-request");
    let kept = offline(&rig);
    let again = ExportRoot {
        passphrase: PASSPHRASE.to_owned().into(),
    };
    assert_eq!(refusal(rig.admin().export_root(&again)), "root-offline");
    assert_eq!(refusal(rig.admin().add_root()), "root-offline");
    assert!(rig.admin().roots().unwrap().items[0].offline);

    let tenant = rig
        .admin()
        .create_tenant(&NewTenant::named("acme"))
        .unwrap();
    assert_eq!(tenant.state, TenantState::AwaitingCa);
    let mut device = device(&rig, "acme", "pump-1");
    assert_eq!(refusal(device.enroll(&rig)), "awaiting-ca");
    assert_eq!(refusal(rig.admin().issuing_ca("acme")), "awaiting-ca");
    let request = request_of(&rig, "acme");
    let signed = sign(&rig, &kept, &request).unwrap();
    let ca = rig
        .admin()
        .import_ca("acme", &imported(&[&signed]))
        .unwrap();
    assert_eq!((ca.standing, ca.chain.len()), (CaStanding::Current, 0));
    assert_eq!(ca.certificate, signed.to_pem());
    assert!(rig.admin().ca_requests("acme").unwrap().items.is_empty());
    let tenants = rig.admin().tenants().unwrap().items;
    assert!(tenants.iter().all(|one| one.state == TenantState::Active));
    let enrolled = device.enroll(&rig).unwrap();
    assert!(chains(&rig, &enrolled));
    assert_eq!(
        refusal(rig.admin().import_ca("acme", &imported(&[&signed]))),
        "no-ca-request"
    );

    // Its next one, and the renewal of what it has, are signed there too.
    let next = rig.admin().add_ca("acme", &NewCa::default()).unwrap();
    assert_eq!(next.ca, None);
    let next = next.request.unwrap();
    let same = rig.admin().add_ca("acme", &NewCa::default()).unwrap();
    assert_eq!(same.request.unwrap().csr, next.csr, "asked once");
    let renewal = rig.admin().renew_ca("acme").unwrap().request.unwrap();
    assert!(renewal.renews && !next.renews);
    let renewed = sign(&rig, &kept, &renewal.csr).unwrap();
    let ca = rig
        .admin()
        .import_ca("acme", &imported(&[&renewed]))
        .unwrap();
    assert_eq!(ca.standing, CaStanding::Current);
    assert_eq!(standings(rig.admin(), "acme"), [CaStanding::Current]);
    let again = device.enroll(&rig).unwrap();
    assert_eq!(again.issuing_ca, renewed.to_pem());
    assert!(chains(&rig, &again));
    let next = sign(&rig, &kept, &next.csr).unwrap();
    let ca = rig.admin().import_ca("acme", &imported(&[&next])).unwrap();
    assert_eq!(ca.standing, CaStanding::Next);
    rig.admin().retire_ca("acme", &NOW).unwrap();
    let renewed = device.renew(&rig).unwrap();
    assert_eq!(renewed.issuing_ca, next.to_pem());
    assert!(chains(&rig, &renewed));

    // Where the key is, nothing else is signed with it.
    let key = FileKey::generate(KeyKind::P256).unwrap();
    for name in ["acme", "Enlist Service CA 00000000"] {
        let csr = enlist_pki::csr::build(&key, name).unwrap();
        let csr = Csr::from_der(&csr).unwrap().to_pem();
        assert_eq!(sign(&rig, &kept, &csr).unwrap_err().slug(), "ca-refused");
    }
}
