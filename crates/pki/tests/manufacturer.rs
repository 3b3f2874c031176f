//! Certificates in hardware, and the manufacturers who vouch for them.

#![allow(clippy::unwrap_used, reason = "a test may")]

use enlist_pki::manufacturer::{MAX_PATH, Manufacturer, NotVouched, Vouching, certifies, voucher};
use enlist_pki::{Certificate, PublicKey};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DistinguishedName, DnType, IsCa, KeyPair,
    KeyUsagePurpose, PublicKeyData, date_time_ymd,
};

const NOW: i64 = 1_800_000_000;

/// A certificate and its key.
struct Made {
    params: CertificateParams,
    key: KeyPair,
    certificate: Certificate,
}

/// Anything about a certificate that is to be otherwise.
type Otherwise = fn(&mut CertificateParams);

fn as_it_is(_: &mut CertificateParams) {}

fn params(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.not_before = date_time_ymd(2020, 1, 1);
    params.not_after = date_time_ymd(9999, 12, 31);
    params.use_authority_key_identifier_extension = true;
    params
}

fn authority(name: &str, issuer: Option<&Made>, otherwise: Otherwise) -> Made {
    let mut params = params(name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // As swtpm's own manufacturer has it: a CA that signs no revocation lists.
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    otherwise(&mut params);
    issue(params, issuer)
}

/// The certificate of an endorsement key: an empty subject, a critical name of its own kind.
fn endorsement(issuer: &Made, otherwise: Otherwise) -> Made {
    let mut params = params("");
    params.distinguished_name = DistinguishedName::new();
    // GeneralNames of one directoryName: 2.23.133.2.1 (the TPM's manufacturer) is id:00001014.
    let name = [
        &[0x30, 0x1d, 0xa4, 0x1b, 0x30, 0x19, 0x31, 0x17, 0x30, 0x15][..],
        &[0x06, 0x05, 0x67, 0x81, 0x05, 0x02, 0x01, 0x0c, 0x0c],
        b"id:00001014\0",
    ]
    .concat();
    params
        .custom_extensions
        .push(critical(&[2, 5, 29, 17], name));
    params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::Other(vec![
        2, 23, 133, 8, 1,
    ])];
    params.key_usages = vec![KeyUsagePurpose::KeyAgreement];
    params.is_ca = IsCa::ExplicitNoCa;
    otherwise(&mut params);
    issue(params, Some(issuer))
}

/// GeneralNames of one directoryName with these of TCG's attributes, 2.23.133.2.x.
fn names(attributes: &[u8]) -> Vec<u8> {
    let tlv = |tag: u8, content: &[u8]| {
        let length = u8::try_from(content.len()).unwrap();
        [&[tag, length], content].concat()
    };
    let one = |last: &u8| {
        let kind = tlv(0x06, &[0x67, 0x81, 0x05, 0x02, *last]);
        let pair = [kind, tlv(0x0c, b"id:1")].concat();
        tlv(0x31, &tlv(0x30, &pair))
    };
    let all: Vec<u8> = attributes.iter().flat_map(one).collect();
    tlv(0x30, &tlv(0xa4, &tlv(0x30, &all)))
}

fn critical(oid: &[u64], content: Vec<u8>) -> CustomExtension {
    let mut extension = CustomExtension::from_oid_content(oid, content);
    extension.set_criticality(true);
    extension
}

fn issue(params: CertificateParams, issuer: Option<&Made>) -> Made {
    let key = KeyPair::generate().unwrap();
    let issued = match issuer {
        Some(issuer) => {
            let issuer = rcgen::Issuer::from_params(&issuer.params, &issuer.key);
            params.signed_by(&key, &issuer).unwrap()
        }
        None => params.self_signed(&key).unwrap(),
    };
    Made {
        certificate: Certificate::from_der(issued.der()).unwrap(),
        params,
        key,
    }
}

fn imported(all: &[&Made]) -> Manufacturer {
    Manufacturer::new(all.iter().map(|made| made.certificate.clone()).collect())
}

fn given(all: &[&Made]) -> Vec<Certificate> {
    all.iter().map(|made| made.certificate.clone()).collect()
}

/// A root, a CA between, and an endorsement key's certificate, each otherwise than usual.
fn verdict(root: Otherwise, between: Otherwise, leaf: Otherwise) -> Result<(), NotVouched> {
    let root = authority("Root", None, root);
    let between = authority("Between", Some(&root), between);
    let leaf = endorsement(&between, leaf);
    imported(&[&root, &between]).vouches_for(&leaf.certificate, &[], Vouching::Endorsement, NOW)
}

#[test]
fn an_endorsement_key_chains_to_its_manufacturer() {
    verdict(as_it_is, as_it_is, as_it_is).unwrap();
    let root = authority("Root", None, as_it_is);
    let between = authority("Between", Some(&root), as_it_is);
    let leaf = endorsement(&between, as_it_is).certificate;
    assert_eq!(leaf.common_name(), None);
    assert_eq!(leaf.not_after(), 253_402_214_400);
    let vouches = |manufacturer: &Manufacturer, with: &[Certificate]| {
        manufacturer.vouches_for(&leaf, with, Vouching::Endorsement, NOW)
    };
    // The CA between may come with the device, in company.
    let stranger = authority("Between", None, as_it_is);
    vouches(&imported(&[&root]), &given(&[&stranger, &between, &root])).unwrap();
    // It may be all that is believed.
    vouches(&imported(&[&between]), &[]).unwrap();
    for (what, manufacturer) in [
        ("nobody", imported(&[])),
        ("without the CA between", imported(&[&root])),
        ("of the same name", imported(&[&stranger])),
        (
            "of another name",
            imported(&[&authority("Other", None, as_it_is)]),
        ),
    ] {
        let refusal = vouches(&manufacturer, &[]).unwrap_err();
        assert!(
            matches!(refusal, NotVouched::UnknownIssuer),
            "{what}: {refusal}"
        );
    }
    // What comes with the device is no root, whatever it says.
    let refusal = vouches(&imported(&[&stranger]), &given(&[&between, &root])).unwrap_err();
    assert!(matches!(refusal, NotVouched::UnknownIssuer), "{refusal}");
}

#[test]
fn each_certificate_has_to_hold_at_the_time() {
    let expired: Otherwise = |params| params.not_after = date_time_ymd(2026, 1, 1);
    let early: Otherwise = |params| params.not_before = date_time_ymd(2030, 1, 1);
    for place in 0..3 {
        let at = |otherwise: Otherwise| {
            let mut all = [as_it_is as Otherwise; 3];
            all[place] = otherwise;
            verdict(all[0], all[1], all[2]).unwrap_err()
        };
        assert!(matches!(at(expired), NotVouched::Expired), "{place}");
        assert!(matches!(at(early), NotVouched::NotYetValid), "{place}");
        // Name constraints: critical, and not understood here.
        let constrained: Otherwise = |params| {
            let nothing = vec![0x30, 0x00];
            params
                .custom_extensions
                .push(critical(&[2, 5, 29, 30], nothing));
        };
        assert!(
            matches!(at(constrained), NotVouched::CriticalExtension),
            "{place}"
        );
    }
}

#[test]
fn only_a_ca_vouches_and_only_as_deep_as_it_may() {
    let no_ca: Otherwise = |params| params.is_ca = IsCa::ExplicitNoCa;
    let no_signer: Otherwise = |params| params.key_usages = vec![KeyUsagePurpose::CrlSign];
    let childless: Otherwise = |params| params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    for (refused, why) in [
        (verdict(as_it_is, no_ca, as_it_is), "a device that issues"),
        (verdict(as_it_is, no_signer, as_it_is), "a signer of lists"),
        (verdict(no_signer, as_it_is, as_it_is), "the root too"),
    ] {
        assert!(matches!(refused, Err(NotVouched::NotACa)), "{why}");
    }
    let refusal = verdict(childless, as_it_is, as_it_is).unwrap_err();
    assert!(matches!(refusal, NotVouched::PathLength), "{refusal}");
    verdict(as_it_is, childless, as_it_is).unwrap();
}

#[test]
fn what_is_not_an_endorsement_key_is_not_taken_for_one() {
    let other: Otherwise = |params| {
        params.extended_key_usages = vec![rcgen::ExtendedKeyUsagePurpose::ClientAuth];
    };
    let a_ca: Otherwise = |params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let refusal = verdict(as_it_is, as_it_is, other).unwrap_err();
    assert!(matches!(refusal, NotVouched::Purpose), "{refusal}");
    let refusal = verdict(as_it_is, as_it_is, a_ca).unwrap_err();
    assert!(matches!(refusal, NotVouched::IsACa), "{refusal}");
    // An identity of a device may be for whatever it says.
    let root = authority("Root", None, as_it_is);
    let leaf = endorsement(&root, other).certificate;
    imported(&[&root])
        .vouches_for(&leaf, &[], Vouching::Identity, NOW)
        .unwrap();
    // But that of an endorsement key is none.
    let leaf = endorsement(&root, as_it_is).certificate;
    let refusal = imported(&[&root])
        .vouches_for(&leaf, &[], Vouching::Identity, NOW)
        .unwrap_err();
    assert!(matches!(refusal, NotVouched::IsEndorsement), "{refusal}");
}

#[test]
fn a_certificate_that_does_not_say_so_is_no_endorsement_keys() {
    let silent: Otherwise = |params| params.extended_key_usages.clear();
    let old: Otherwise = |params| {
        params.extended_key_usages.clear();
        params.custom_extensions = vec![critical(&[2, 5, 29, 17], names(&[1, 2, 3]))];
    };
    let old_without_usage: Otherwise = |params| {
        params.extended_key_usages.clear();
        params.key_usages.clear();
        params.custom_extensions = vec![critical(&[2, 5, 29, 17], names(&[1, 2, 3]))];
    };
    let without_usage: Otherwise = |params| params.key_usages.clear();
    let signs: Otherwise = |params| {
        let usages = [
            KeyUsagePurpose::KeyAgreement,
            KeyUsagePurpose::DigitalSignature,
        ];
        params.key_usages = usages.into();
    };
    let certifies: Otherwise = |params| params.key_usages.push(KeyUsagePurpose::KeyCertSign);
    let neither: Otherwise = |params| params.key_usages = vec![KeyUsagePurpose::DataEncipherment];
    // As many IDevIDs are: no purpose, a key that signs.
    let idevid: Otherwise = |params| {
        params.extended_key_usages.clear();
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
    };
    let enciphers: Otherwise = |params| params.key_usages = vec![KeyUsagePurpose::KeyEncipherment];
    for (what, taken) in [
        ("one of the older", old),
        ("the purpose alone", without_usage),
        ("an RSA key", enciphers),
    ] {
        let verdict = verdict(as_it_is, as_it_is, taken);
        assert!(verdict.is_ok(), "{what}: {verdict:?}");
    }
    for (what, refused) in [
        ("a maker alone", silent),
        ("names alone", old_without_usage),
        ("one that signs", signs),
        ("one that certifies", certifies),
        ("one that takes no keys", neither),
        ("an IDevID", idevid),
    ] {
        let verdict = verdict(as_it_is, as_it_is, refused);
        assert!(
            matches!(verdict, Err(NotVouched::Purpose)),
            "{what}: {verdict:?}"
        );
    }
}

#[test]
fn all_manufacturers_together_cost_no_more_signature_checks_than_one() {
    let silent: Otherwise = |params| params.use_authority_key_identifier_extension = false;
    let right = authority("Root", None, silent);
    let leaf = endorsement(&right, silent).certificate;
    let right = imported(&[&right]);
    let wrong: Vec<_> = (0..24)
        .map(|_| imported(&[&authority("Root", None, silent)]))
        .collect();
    let place = |all: &[&Manufacturer]| {
        let all = all.iter().copied();
        voucher(all, &leaf, &[], Vouching::Endorsement, NOW)
    };
    let with = |wrong: &[Manufacturer]| {
        let mut all: Vec<&Manufacturer> = wrong.iter().collect();
        all.push(&right);
        place(&all)
    };
    assert_eq!(with(&wrong[..23]).unwrap(), 23);
    let refusal = with(&wrong).unwrap_err();
    assert!(matches!(refusal, NotVouched::WrongSignature), "{refusal}");
    // Those of other names cost nothing.
    let others: Vec<_> = (0..30)
        .map(|number| imported(&[&authority(&format!("Other {number}"), None, silent)]))
        .collect();
    assert_eq!(with(&others).unwrap(), 30);
}

#[test]
fn a_path_is_bounded_in_length_and_in_branches() {
    let root = authority("CA 0", None, as_it_is);
    let mut chain = vec![root];
    for depth in 1..MAX_PATH {
        let next = authority(&format!("CA {depth}"), chain.last(), as_it_is);
        chain.push(next);
    }
    let roots = imported(&[&chain[0]]);
    let between: Vec<_> = chain[1..]
        .iter()
        .map(|made| made.certificate.clone())
        .collect();
    let leaf = endorsement(&chain[MAX_PATH - 2], as_it_is).certificate;
    let verdict = |leaf: &Certificate, given: &[Certificate]| {
        roots.vouches_for(leaf, given, Vouching::Endorsement, NOW)
    };
    verdict(&leaf, &between).unwrap();
    let leaf = endorsement(&chain[MAX_PATH - 1], as_it_is).certificate;
    let refusal = verdict(&leaf, &between).unwrap_err();
    assert!(matches!(refusal, NotVouched::TooLong), "{refusal}");
    let refusal = verdict(&leaf, &vec![between[0].clone(); MAX_PATH]).unwrap_err();
    assert!(matches!(refusal, NotVouched::TooLong), "{refusal}");

    // Two that have issued each other, in many versions: every way is tried once, but not for ever.
    let silent: Otherwise = |params| params.use_authority_key_identifier_extension = false;
    let (a, b) = (authority("A", None, silent), authority("B", None, silent));
    let mut ring = Vec::new();
    for _ in 0..3 {
        for (subject, issuer) in [(&a, &b), (&b, &a)] {
            let by = rcgen::Issuer::from_params(&issuer.params, &issuer.key);
            let issued = subject.params.signed_by(&subject.key, &by).unwrap();
            ring.push(Certificate::from_der(issued.der()).unwrap());
        }
    }
    let leaf = endorsement(&a, silent).certificate;
    let refusal = verdict(&leaf, &ring).unwrap_err();
    assert!(matches!(refusal, NotVouched::TooLong), "{refusal}");
}

#[test]
fn a_signature_that_is_not_the_issuers_is_refused() {
    let silent: Otherwise = |params| params.use_authority_key_identifier_extension = false;
    let (root, same_name) = (
        authority("Root", None, silent),
        authority("Root", None, silent),
    );
    let leaf = endorsement(&same_name, silent).certificate;
    // Its key identifier says nothing, since it has none.
    let refusal = imported(&[&root])
        .vouches_for(&leaf, &[], Vouching::Endorsement, NOW)
        .unwrap_err();
    assert!(matches!(refusal, NotVouched::WrongSignature), "{refusal}");
    // Where both are believed, the right one is found behind the wrong one.
    imported(&[&root, &same_name])
        .vouches_for(&leaf, &[], Vouching::Endorsement, NOW)
        .unwrap();
}

#[test]
fn a_certificate_certifies_its_own_key() {
    let root = authority("Root", None, as_it_is);
    let leaf = endorsement(&root, as_it_is);
    let key = PublicKey::from_spki_der(&leaf.key.subject_public_key_info()).unwrap();
    assert!(certifies(&leaf.certificate, &key));
    assert!(!certifies(&root.certificate, &key));
}

#[test]
fn a_key_that_says_it_is_for_oaep_is_the_same_key() {
    let key = KeyPair::generate_for(&rcgen::PKCS_RSA_SHA256).unwrap();
    let issued = params("EK").self_signed(&key).unwrap();
    let plain = Certificate::from_der(issued.der()).unwrap();
    let key = PublicKey::from_spki_der(plain.spki_der()).unwrap();
    // rsaEncryption, and id-RSAES-OAEP: the last arc is another.
    let oid = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    let mut der = plain.der().to_vec();
    let at = der.windows(oid.len()).position(|part| part == oid).unwrap();
    der[at + oid.len() - 1] = 7;
    let oaep = Certificate::from_der(&der).unwrap();
    assert!(oaep.public_key().is_err(), "it signs nothing");
    assert!(certifies(&plain, &key) && certifies(&oaep, &key));
    der[at + oid.len() - 1] = 10;
    assert!(
        !certifies(&Certificate::from_der(&der).unwrap(), &key),
        "for PSS"
    );
}
