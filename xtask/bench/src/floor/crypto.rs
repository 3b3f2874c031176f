//! The cryptography of one enrollment, by the library that the program uses.

use std::hint::black_box;
use std::time::Duration;

use anyhow::Result;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};

use crate::process::thread_cpu;

/// About as long as the signed part of a CSR, and of a certificate.
const CSR: [u8; 150] = [1; 150];
const CERTIFICATE: [u8; 550] = [2; 550];

/// CPU time of the two operations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Crypto {
    /// Verifying the signature of a CSR.
    pub(crate) check: Duration,
    /// Signing a certificate.
    pub(crate) sign: Duration,
}

/// Times both, ECDSA over P-256.
pub(crate) fn measure(rounds: u32) -> Result<Crypto> {
    let random = SystemRandom::new();
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING)?;
    let public = pair.public_key().as_ref().to_vec();
    let proof = pair.sign(&random, &CSR)?;

    let start = thread_cpu();
    for _ in 0..rounds {
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, black_box(&public));
        key.verify(&CSR, proof.as_ref())?;
    }
    let check = (thread_cpu() - start) / rounds;

    let start = thread_cpu();
    for _ in 0..rounds {
        black_box(pair.sign(&random, black_box(&CERTIFICATE))?);
    }
    let sign = (thread_cpu() - start) / rounds;
    Ok(Crypto { check, sign })
}
