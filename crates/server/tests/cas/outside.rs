use std::sync::Arc;

use enlist_core::{Clock, Serial};
use enlist_keys::FileKey;
use enlist_pki::{
    Attribute, Certificate, CertificateSpec, Csr, DistinguishedName, Extension, KeyKind,
    KeyPurpose, KeyUse, PublicKey, Signer, sign_certificate,
};
use enlist_testkit::{Rig, refusal};
use enlist_wire::{
    CaStanding, ClientError, Enrollment, ImportCa, NewCa, NewTenant, NewToken, Role, TenantState,
};

use super::{NOW, chains, device, imported, leaf, request_of, standings};

/// A CA that this installation does not have.
struct Outside {
    name: DistinguishedName,
    key: Arc<FileKey>,
    certificate: Certificate,
}

/// What an outside CA writes into a certificate of another one.
#[derive(Clone, Copy)]
struct Says {
    ca: bool,
    path_len: Option<u8>,
    signs: bool,
    /// From and until when it is valid, in seconds from now.
    valid: (i64, i64),
    /// What it is good for, where it says so.
    purpose: Option<KeyPurpose>,
}

const GOOD: Says = Says {
    ca: true,
    path_len: Some(0),
    signs: true,
    valid: (-60, 3600 * 24 * 365),
    purpose: None,
};

impl Outside {
    fn root(rig: &Rig, common_name: &str, path_len: Option<u8>) -> Self {
        let name = DistinguishedName::new(&[(Attribute::CommonName, common_name)]).unwrap();
        let key = Arc::new(FileKey::generate(KeyKind::P384).unwrap());
        let says = Says { path_len, ..GOOD };
        let certificate = certify(rig, (&name, &key), (&name, key.public_key()), says);
        Self {
            name,
            key,
            certificate,
        }
    }

    fn below(&self, rig: &Rig, common_name: &str, path_len: Option<u8>) -> Self {
        let mut below = Self::root(rig, common_name, path_len);
        let says = Says { path_len, ..GOOD };
        below.certificate = self.certify(rig, (&below.name, below.key.public_key()), says);
        below
    }

    fn certify(
        &self,
        rig: &Rig,
        whom: (&DistinguishedName, &PublicKey),
        says: Says,
    ) -> Certificate {
        certify(rig, (&self.name, &self.key), whom, says)
    }

    /// What comes of a request: its name and key, certified.
    fn answer(&self, rig: &Rig, request: &str, says: Says) -> Certificate {
        let csr = Csr::from_pem(request).unwrap();
        self.certify(rig, (&csr.subject(), csr.public_key()), says)
    }
}

fn certify(
    rig: &Rig,
    by: (&DistinguishedName, &FileKey),
    whom: (&DistinguishedName, &PublicKey),
    says: Says,
) -> Certificate {
    let mut extensions = vec![Extension::subject_key_id(&whom.1.key_id()).unwrap()];
    extensions.push(Extension::authority_key_id(&by.1.public_key().key_id()).unwrap());
    if says.ca {
        extensions.push(Extension::certificate_authority(says.path_len).unwrap());
    }
    let uses: &[KeyUse] = match says.signs {
        true => &[KeyUse::CertificateSigning, KeyUse::CrlSigning],
        false => &[KeyUse::DigitalSignature],
    };
    extensions.push(Extension::key_usage(uses).unwrap());
    if let Some(purpose) = says.purpose {
        extensions.push(Extension::key_purposes(&[purpose]).unwrap());
    }
    let now = rig.clock.now().as_secs();
    let serial = Serial::new(&*rig.clock, &*rig.rng);
    let spec = CertificateSpec {
        serial: serial.as_bytes(),
        issuer: by.0,
        subject: whom.0,
        public_key: whom.1,
        not_before: now + says.valid.0,
        not_after: now + says.valid.1,
        extensions: &extensions.iter().collect::<Vec<_>>(),
    };
    sign_certificate(&spec, by.1).unwrap()
}

#[test]
fn a_root_of_their_own_signs_for_a_tenant_and_devices_present_its_chain() {
    let rig = Rig::new();
    let mut new = NewTenant::named("acme");
    new.request_ca = true;
    assert_eq!(
        rig.admin().create_tenant(&new).unwrap().state,
        TenantState::AwaitingCa
    );
    let root = Outside::root(&rig, "Corporate Root", None);
    let middle = root.below(&rig, "Corporate Devices", Some(1));
    let request = request_of(&rig, "acme");
    let issuing = middle.answer(&rig, &request, GOOD);
    let mut device = device(&rig, "acme", "pump-1");
    let all = [&root.certificate, &issuing, &middle.certificate];
    let ca = rig.admin().import_ca("acme", &imported(&all)).unwrap();
    assert_eq!(
        ca.chain,
        [middle.certificate.to_pem(), root.certificate.to_pem()]
    );

    let enrolled = device.enroll(&rig).unwrap();
    assert_eq!(enrolled.issuing_ca, issuing.to_pem());
    assert_eq!(enrolled.chain, ca.chain);
    assert_eq!(
        enrolled.root,
        rig.ops.root().to_pem(),
        "the server's own root"
    );
    assert!(chains(&rig, &enrolled));
    assert!(device.client(&rig).device_self().is_ok());
    let authority = rig.admin().issuing_ca("acme").unwrap();
    assert_eq!(authority.chain, ca.chain);

    // A rollover of the installation's root is none of its business.
    rig.admin().add_root().unwrap();
    let retire = enlist_wire::RetireRoot {
        threshold: None,
        force: true,
    };
    rig.admin().retire_root(&retire).unwrap();
    let who = rig
        .block_on(rig.ops.authenticate(rig.admin_token()))
        .unwrap();
    let cas = rig.block_on(rig.ops.cas(&who, "acme".to_owned())).unwrap();
    assert_eq!(cas[0].certificate, issuing);
    assert_eq!(cas.len(), 1);
}

fn stranger_name() -> DistinguishedName {
    DistinguishedName::new(&[(Attribute::CommonName, "Another")]).unwrap()
}

#[test]
fn what_will_not_do_for_an_issuing_ca_is_not_taken() {
    let rig = Rig::new();
    let asked = NewCa { request: true };
    let request = rig
        .admin()
        .add_ca("default", &asked)
        .unwrap()
        .request
        .unwrap();
    let csr = request.csr;
    let root = Outside::root(&rig, "Corporate Root", None);
    let impostor = Outside::root(&rig, "Corporate Root", None);
    let narrow = Outside::root(&rig, "Narrow Root", Some(0));
    let middle = root.below(&rig, "Corporate Devices", Some(0));
    let stranger = FileKey::generate(KeyKind::P256).unwrap();
    let other_key = root.certify(&rig, (&root.name, stranger.public_key()), GOOD);
    let key = Csr::from_pem(&csr).unwrap();
    let other_subject = root.certify(&rig, (&stranger_name(), key.public_key()), GOOD);
    let good = root.answer(&rig, &csr, GOOD);
    let import =
        |certificates: &[&Certificate]| rig.admin().import_ca("default", &imported(certificates));
    let day = 24 * 3600;
    let bad = |says: Says| root.answer(&rig, &csr, says);
    for (why, refused) in [
        ("no root", import(&[&good])),
        (
            "another root of that name",
            import(&[&good, &impostor.certificate]),
        ),
        ("another key", import(&[&other_key, &root.certificate])),
        (
            "no CA",
            import(&[&bad(Says { ca: false, ..GOOD }), &root.certificate]),
        ),
        (
            "CAs below it",
            import(&[
                &bad(Says {
                    path_len: None,
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "CAs below it",
            import(&[
                &bad(Says {
                    path_len: Some(1),
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "no CRLs",
            import(&[
                &bad(Says {
                    signs: false,
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "expired",
            import(&[
                &bad(Says {
                    valid: (-2 * day, -day),
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "later",
            import(&[
                &bad(Says {
                    valid: (day, 2 * day),
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "no devices",
            import(&[
                &bad(Says {
                    purpose: Some(KeyPurpose::ServerAuth),
                    ..GOOD
                }),
                &root.certificate,
            ]),
        ),
        (
            "another subject",
            import(&[&other_subject, &root.certificate]),
        ),
        (
            "a root for no CAs",
            import(&[&narrow.answer(&rig, &csr, GOOD), &narrow.certificate]),
        ),
        (
            "a CA for no CAs",
            import(&[
                &middle.answer(&rig, &csr, GOOD),
                &middle.certificate,
                &root.certificate,
            ]),
        ),
    ] {
        match refused {
            Err(ClientError::Problem(problem)) => {
                assert_eq!(problem.slug(), "ca-refused", "{why}");
                assert!(problem.detail.len() > 40, "{why}: {}", problem.detail);
            }
            other => panic!("{why}: {other:?}"),
        }
    }
    let words = ImportCa {
        certificates: "nothing".to_owned(),
    };
    assert_eq!(
        refusal(rig.admin().import_ca("default", &words)),
        "ca-refused"
    );
    assert_eq!(standings(rig.admin(), "default"), [CaStanding::Current]);

    // The request is still there, and the right answer is taken.
    let viewer = NewToken {
        label: "looks".to_owned(),
        role: Role::Viewer,
        group: None,
        expires_in_s: None,
    };
    let viewer = rig.admin().create_token("default", &viewer).unwrap();
    let viewer = rig.client_with_token(viewer.token.expose());
    let answer = imported(&[&good, &root.certificate]);
    assert_eq!(refusal(viewer.import_ca("default", &answer)), "forbidden");
    let ca = rig.admin().import_ca("default", &answer).unwrap();
    assert_eq!(ca.standing, CaStanding::Next);

    // Over to it, with a device of before.
    let secret = rig.group("pumps", Enrollment::Open);
    let mut device = rig.enrolled_device("pumps", "pump-1", &secret);
    rig.admin().retire_ca("default", &NOW).unwrap();
    let renewed = device.renew(&rig).unwrap();
    assert_eq!(renewed.issuing_ca, good.to_pem());
    assert!(chains(&rig, &renewed));
    assert_ne!(leaf(&renewed).issuer_der(), rig.ops.root().subject_der());
}

#[test]
fn a_renewal_by_a_root_of_their_own_keeps_the_name() {
    let rig = Rig::new();
    let root = Outside::root(&rig, "Corporate Root", None);
    let asked = NewCa { request: true };
    let request = rig
        .admin()
        .add_ca("default", &asked)
        .unwrap()
        .request
        .unwrap();
    let first = root.answer(&rig, &request.csr, GOOD);
    rig.admin()
        .import_ca("default", &imported(&[&first, &root.certificate]))
        .unwrap();
    rig.admin().retire_ca("default", &NOW).unwrap();

    let renewal = rig.admin().renew_ca("default").unwrap().request.unwrap();
    assert!(renewal.renews);
    let csr = Csr::from_pem(&renewal.csr).unwrap();
    let misnamed = root.certify(&rig, (&root.name, csr.public_key()), GOOD);
    // Named like its issuer it would pass for a root.
    let refused = rig
        .admin()
        .import_ca("default", &imported(&[&misnamed, &root.certificate]));
    assert_eq!(refusal(refused), "ca-refused");
    let other = DistinguishedName::new(&[(Attribute::CommonName, "Another")]).unwrap();
    let misnamed = root.certify(&rig, (&other, csr.public_key()), GOOD);
    let refused = rig
        .admin()
        .import_ca("default", &imported(&[&misnamed, &root.certificate]));
    assert_eq!(refusal(refused), "ca-refused");
    let short = Says {
        valid: (-60, 3600 * 24 * 364),
        ..GOOD
    };
    let short = root.answer(&rig, &renewal.csr, short);
    let refused = rig
        .admin()
        .import_ca("default", &imported(&[&short, &root.certificate]));
    assert_eq!(refusal(refused), "ca-refused");
    let renewed = root.answer(&rig, &renewal.csr, GOOD);
    let ca = rig
        .admin()
        .import_ca("default", &imported(&[&renewed, &root.certificate]))
        .unwrap();
    assert_eq!(ca.standing, CaStanding::Current);
    assert_eq!(ca.certificate, renewed.to_pem());
}

#[test]
fn requests_are_each_over_a_key_of_their_own() {
    let rig = Rig::new();
    let mut keys = Vec::new();
    for n in 0..3 {
        let mut new = NewTenant::named(format!("tenant-{n}"));
        new.request_ca = true;
        rig.admin().create_tenant(&new).unwrap();
        let csr = Csr::from_pem(&request_of(&rig, &new.name)).unwrap();
        assert_eq!(csr.subject().organization(), Some(new.name));
        keys.push(csr.public_key().spki_der().to_vec());
    }
    keys.sort_unstable();
    keys.dedup();
    assert_eq!(keys.len(), 3);
}
