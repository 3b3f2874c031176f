//! What a soft TPM brings: right, and wrong in every way that we know.

use enlist_attest::tpm::{Attribute, TpmEvidence, TpmKey, TpmRefusal, Unreadable};
use enlist_core::{HardwareKind, SystemRng, lower_hex};
use enlist_pki::Csr;
use proptest::prelude::*;

use crate::rig::{NOW, RIG, Rig, TestKey, csr_over, verify};
use crate::soft_tpm::{self, SoftTpm};

/// A part of the evidence, to be spoilt.
type Part = fn(&mut TpmEvidence) -> &mut Vec<u8>;

const PARTS: [(&str, Part); 5] = [
    ("ek_public", |evidence| &mut evidence.endorsement.ek_public),
    ("ak_public", |evidence| &mut evidence.endorsement.ak_public),
    ("key_public", |evidence| &mut evidence.key_public),
    ("certify_info", |evidence| &mut evidence.certify_info),
    ("certify_signature", |evidence| {
        &mut evidence.certify_signature
    }),
];

#[test]
fn a_tpm_that_is_what_it_should_be_attests_its_key() {
    let attested = RIG.verify().unwrap();
    let ek = lower_hex(&RIG.tpm.ek_key().digest());
    assert_eq!(attested.identity().kind(), HardwareKind::TpmEk);
    assert_eq!(attested.identity().value(), ek);
    assert_eq!(attested.verified().key(), RIG.csr.public_key());
    assert_eq!(attested.once().unwrap().expires_at, NOW);
}

#[test]
fn a_credential_is_given_out_by_its_tpm_for_its_key_alone() {
    let own = Rig::new();
    let endorsed = own.evidence.endorsement.read().unwrap();
    for secret in [[0; 32], [9; 32]] {
        let made = endorsed.credential(&secret, &SystemRng).unwrap();
        let given = own.tpm.activate(&made.blob, &made.encrypted_secret);
        assert_eq!(given.as_deref(), Some(secret.as_slice()));
        let other = SoftTpm::new().activate(&made.blob, &made.encrypted_secret);
        assert_eq!(other, None, "another TPM");
    }
    let mut mixed = own.evidence.endorsement.clone();
    mixed.ak_public = SoftTpm::new().ak_public;
    let made = mixed.read().unwrap();
    let made = made.credential(&[9; 32], &SystemRng).unwrap();
    let given = own.tpm.activate(&made.blob, &made.encrypted_secret);
    assert_eq!(given, None, "another attestation key");
}

#[test]
fn evidence_that_is_cut_off_anywhere_or_goes_on_is_refused() {
    for (what, part) in PARTS {
        let length = part(&mut RIG.evidence.clone()).len();
        for at in 0..length {
            let mut evidence = RIG.evidence.clone();
            part(&mut evidence).truncate(at);
            let refusal = verify(&evidence, &RIG.csr).unwrap_err();
            assert!(
                matches!(refusal, TpmRefusal::Unreadable { .. })
                    // Shorter coordinates are read as if zeros stood before them.
                    || matches!(refusal, TpmRefusal::Key { .. }),
                "{what} cut at {at}: {refusal}"
            );
        }
        let mut evidence = RIG.evidence.clone();
        part(&mut evidence).push(0);
        let refusal = verify(&evidence, &RIG.csr).unwrap_err();
        let trailing = matches!(
            refusal,
            TpmRefusal::Unreadable {
                source: Unreadable::Trailing,
                ..
            }
        );
        assert!(trailing, "{what}: {refusal}");
    }
}

#[test]
fn every_bit_of_what_is_signed_or_named_counts() {
    // A bit of the endorsement key is caught by the challenge, which is bound to it: see the server.
    for (what, part) in &PARTS[1..] {
        let bits = part(&mut RIG.evidence.clone()).len() * 8;
        for bit in 0..bits {
            let mut evidence = RIG.evidence.clone();
            part(&mut evidence)[bit / 8] ^= 1 << (bit % 8);
            if *what == "ak_public" && verify(&evidence, &RIG.csr).is_ok() {
                // The name is another, so no challenge for the right one is answered by it.
                let own = RIG.evidence.endorsement.read().unwrap().ak_name();
                let other = evidence.endorsement.read().unwrap().ak_name();
                assert_ne!(own, other, "{what}, bit {bit}");
                continue;
            }
            assert!(verify(&evidence, &RIG.csr).is_err(), "{what}, bit {bit}");
        }
    }
}

#[test]
fn a_certification_holds_for_its_challenge_and_its_csr_alone() {
    let rig = Rig::new();
    let mut evidence = rig.evidence.clone();
    evidence.challenge[0] ^= 1;
    let refusal = verify(&evidence, &rig.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::OtherChallenge), "{refusal}");
    let other = csr_over(&TestKey::new());
    let refusal = verify(&rig.evidence, &other).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::OtherChallenge), "{refusal}");
}

#[test]
fn a_certification_of_another_key_is_refused() {
    let rig = Rig::new();
    // The TPM has certified a key of its own, and the CSR is over one outside of it.
    let outside = csr_over(&TestKey::new());
    let evidence = certified(&rig, &rig.evidence.key_public, &outside);
    let refusal = verify(&evidence, &outside).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::OtherCsr), "{refusal}");
    // It shows the key outside as if it were the one that was certified.
    let mut evidence = certified(&rig, &rig.evidence.key_public, &outside);
    evidence.key_public = soft_tpm::key_public(soft_tpm::KEY, outside.public_key());
    let refusal = verify(&evidence, &outside).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::OtherKey), "{refusal}");
}

#[test]
fn what_the_tpm_did_not_say_itself_is_refused() {
    let rig = Rig::new();
    // A statement of another type, and one that no TPM makes, both signed by the attestation key.
    for (at, part) in [(0, "magic"), (5, "type")] {
        let mut evidence = rig.evidence.clone();
        evidence.certify_info[at] ^= 1;
        evidence.certify_signature = rig.tpm.sign(&evidence.certify_info);
        let refusal = verify(&evidence, &rig.csr).unwrap_err();
        assert!(
            matches!(refusal, TpmRefusal::NotCertified(what) if what == part),
            "{refusal}"
        );
    }
    // The right statement, signed by the key of another TPM.
    let mut evidence = rig.evidence.clone();
    evidence.certify_signature = SoftTpm::new().sign(&evidence.certify_info);
    let refusal = verify(&evidence, &rig.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::WrongSignature), "{refusal}");
    // Signed by another scheme than the one that its key says.
    let mut evidence = rig.evidence.clone();
    evidence.certify_signature[3] = 0x0c;
    let refusal = verify(&evidence, &rig.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::OtherScheme), "{refusal}");
}

#[test]
fn each_key_has_to_be_what_it_is_for() {
    use Attribute::{FixedParent, FixedTpm, Restricted, SensitiveDataOrigin, Sign};
    for (bit, attribute) in [
        (1, FixedTpm),
        (4, FixedParent),
        (5, SensitiveDataOrigin),
        (16, Restricted),
        (18, Sign),
    ] {
        let mut tpm = SoftTpm::new();
        tpm.set_ak_attributes(soft_tpm::AK & !(1 << bit));
        let refusal = Rig::with(tpm, soft_tpm::KEY).verify().unwrap_err();
        lacks(&refusal, TpmKey::Attestation, attribute);

        let mut tpm = SoftTpm::new();
        tpm.set_ek_attributes(soft_tpm::EK & !(1 << bit));
        let refusal = Rig::with(tpm, soft_tpm::KEY).verify();
        if attribute != Sign {
            lacks(&refusal.unwrap_err(), TpmKey::Endorsement, attribute);
        }
        let refusal = Rig::with(SoftTpm::new(), soft_tpm::KEY & !(1 << bit)).verify();
        if attribute != Restricted {
            lacks(&refusal.unwrap_err(), TpmKey::Device, attribute);
        }
    }
    let has = |refusal: TpmRefusal, of: TpmKey, what: Attribute| {
        let is_it = matches!(refusal, TpmRefusal::Has { which, attribute } if which == of && attribute == what);
        assert!(is_it, "{refusal}");
    };
    let mut tpm = SoftTpm::new();
    tpm.set_ak_attributes(soft_tpm::AK | soft_tpm::DECRYPT);
    let refusal = Rig::with(tpm, soft_tpm::KEY).verify().unwrap_err();
    has(refusal, TpmKey::Attestation, Attribute::Decrypt);
    let mut tpm = SoftTpm::new();
    tpm.set_ek_attributes(soft_tpm::EK | soft_tpm::SIGN);
    let refusal = Rig::with(tpm, soft_tpm::KEY).verify().unwrap_err();
    has(refusal, TpmKey::Endorsement, Sign);
    let restricted = soft_tpm::KEY | soft_tpm::RESTRICTED;
    let refusal = Rig::with(SoftTpm::new(), restricted).verify().unwrap_err();
    has(refusal, TpmKey::Device, Restricted);
}

#[test]
fn an_endorsement_key_after_another_template_is_refused() {
    let mut evidence = RIG.evidence.clone();
    // The first byte of the policy.
    evidence.endorsement.ek_public[10] ^= 1;
    let refusal = verify(&evidence, &RIG.csr).unwrap_err();
    assert!(
        matches!(refusal, TpmRefusal::Template("policy")),
        "{refusal}"
    );
}

#[test]
fn a_certificate_of_another_endorsement_key_and_a_flood_of_them_are_refused() {
    let mut evidence = RIG.evidence.clone();
    evidence.endorsement.ek_certificates = vec![vec![0; 9000]];
    let refusal = verify(&evidence, &RIG.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::TooMuch), "{refusal}");
    evidence.endorsement.ek_certificates = vec![vec![0; 10]; 9];
    let refusal = verify(&evidence, &RIG.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::TooMuch), "{refusal}");
    evidence.endorsement.ek_certificates = vec![vec![0; 10]];
    let refusal = verify(&evidence, &RIG.csr).unwrap_err();
    assert!(matches!(refusal, TpmRefusal::Certificate(_)), "{refusal}");
    let issued = rcgen::generate_simple_self_signed(["tpm".to_owned()]).unwrap();
    evidence.endorsement.ek_certificates = vec![issued.cert.der().to_vec()];
    let refusal = verify(&evidence, &RIG.csr).unwrap_err();
    assert!(
        matches!(refusal, TpmRefusal::OtherEndorsementKey),
        "{refusal}"
    );
}

proptest! {
    #[test]
    fn whatever_comes_is_refused_and_nothing_panics(
        which in 0..PARTS.len(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        let mut evidence = RIG.evidence.clone();
        *PARTS[which].1(&mut evidence) = bytes;
        prop_assert!(verify(&evidence, &RIG.csr).is_err());
    }

    #[test]
    fn lengths_that_lie_are_refused(which in 0..PARTS.len(), at in any::<prop::sample::Index>(), value in any::<u16>()) {
        let mut evidence = RIG.evidence.clone();
        let part = PARTS[which].1(&mut evidence);
        let at = at.index(part.len() - 1);
        let before = part.clone();
        part[at..at + 2].copy_from_slice(&value.to_be_bytes());
        let changed = *part != before;
        // The attributes that nobody asks about, and the clock, are free: the challenge binds the first,
        // and the signature the second.
        if changed && verify(&evidence, &RIG.csr).is_ok() {
            prop_assert!(which < 2, "{} at {at}", PARTS[which].0);
            let own = RIG.evidence.endorsement.read().unwrap();
            let other = evidence.endorsement.read().unwrap();
            prop_assert!(
                own.ak_name() != other.ak_name() || own.ek_digest() != other.ek_digest()
            );
        }
    }
}

fn certified(rig: &Rig, object: &[u8], csr: &Csr) -> TpmEvidence {
    let mut evidence = rig.evidence.clone();
    let qualifying = enlist_core::tpm_certify_data(&evidence.challenge, csr.der());
    (evidence.certify_info, evidence.certify_signature) =
        rig.tpm.certify(object, qualifying.as_bytes());
    evidence
}

fn lacks(refusal: &TpmRefusal, of: TpmKey, what: Attribute) {
    let is_it = matches!(refusal, TpmRefusal::Lacks { which, attribute } if *which == of && *attribute == what);
    assert!(is_it, "{refusal}");
}
