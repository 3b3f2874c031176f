//! What TPMs say, true and false.

use enlist_core::tpm_certify_data;
use enlist_keys::FileKey;
use enlist_pki::{KeyKind, Signer, csr};

use crate::Corpus;
use crate::soft_tpm::{self, SoftTpm};

pub fn seeds(corpus: &Corpus) {
    let tpm = SoftTpm::new();
    let good = evidence(&tpm, soft_tpm::KEY);
    corpus.taken("p256", &joined(&good));
    corpus.refused("cut-off", &joined(&good)[..joined(&good).len() - 1]);
    corpus.refused("with-more-after-it", &[joined(&good), vec![0]].concat());
    corpus.refused("nothing", b"");

    let mut ak = SoftTpm::new();
    ak.set_ak_attributes(soft_tpm::AK & !soft_tpm::RESTRICTED);
    corpus.refused("ak-not-restricted", &joined(&evidence(&ak, soft_tpm::KEY)));
    let mut ek = SoftTpm::new();
    ek.set_ek_attributes(soft_tpm::EK | soft_tpm::SIGN);
    corpus.refused("ek-signs", &joined(&evidence(&ek, soft_tpm::KEY)));
    let restricted = soft_tpm::KEY | soft_tpm::RESTRICTED;
    corpus.refused("key-restricted", &joined(&evidence(&tpm, restricted)));

    let mut other = good.clone();
    other[1] = vec![9; 57];
    corpus.refused("another-challenge", &joined(&other));
    let mut other = good.clone();
    other[0] = evidence(&tpm, soft_tpm::KEY)[0].clone();
    corpus.refused("another-csr", &joined(&other));
    let mut other = good.clone();
    other[6] = SoftTpm::new().sign(&good[5]);
    corpus.refused("signed-by-another", &joined(&other));
    let mut other = good.clone();
    other[5][0] ^= 1;
    other[6] = tpm.sign(&other[5]);
    corpus.refused("not-generated", &joined(&other));
    // The length of the endorsement key's policy.
    let mut other = good;
    other[2][8..10].fill(0xff);
    corpus.refused("length-that-lies", &joined(&other));
}

/// The parts, as the target wants them.
fn evidence(tpm: &SoftTpm, key_attributes: u32) -> [Vec<u8>; 7] {
    let key = FileKey::generate(KeyKind::P256).unwrap();
    let csr = csr::build(&key, "press-7").unwrap();
    let challenge = vec![3; 57];
    let public = soft_tpm::key_public(key_attributes, key.public_key());
    let (info, signature) = tpm.certify(&public, tpm_certify_data(&challenge, &csr).as_bytes());
    [
        csr,
        challenge,
        tpm.ek_public.clone(),
        tpm.ak_public.clone(),
        public,
        info,
        signature,
    ]
}

fn joined(parts: &[Vec<u8>; 7]) -> Vec<u8> {
    let with_length = |part: &Vec<u8>| {
        let length = u16::try_from(part.len()).unwrap();
        [&length.to_be_bytes(), &part[..]].concat()
    };
    parts.iter().flat_map(with_length).collect()
}
