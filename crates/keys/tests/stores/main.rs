//! What every key store promises, told of each: encrypted files, a real TPM (swtpm), a real
//! token (SoftHSM2). What is peculiar to one stands in a file of its own.

#![allow(clippy::unwrap_used, reason = "a test may")]

#[cfg(feature = "tpm")]
mod attestation;
mod bench;
#[cfg(feature = "tpm")]
mod cut;
mod file;
// The testkit's, taken as they are: to depend on it would mean to build the whole server first.
#[cfg(any(feature = "tpm", feature = "pkcs11"))]
#[path = "../../../testkit/src/installed.rs"]
mod installed;
#[cfg(feature = "pkcs11")]
mod kept;
#[cfg(feature = "pkcs11")]
mod pkcs11;
mod promises;
#[cfg(feature = "tpm")]
mod sealed;
#[cfg(feature = "pkcs11")]
#[allow(dead_code, reason = "what hangs is the server's story")]
#[path = "../../../testkit/src/softhsm.rs"]
mod softhsm;
#[cfg(feature = "tpm")]
#[path = "../../../testkit/src/swtpm.rs"]
#[allow(
    dead_code,
    reason = "whose certificates they are is the story of the server"
)]
mod swtpm;
mod tls;
#[cfg(feature = "tpm")]
mod tpm;

#[cfg(any(feature = "tpm", feature = "pkcs11"))]
use installed::installed;

/// Tells each promise of each store.
macro_rules! promised {
    ($($promise:ident),* $(,)?) => {
        mod by_file {
            $(#[test] fn $promise() { crate::bench::file(crate::promises::$promise); })*
        }
        #[cfg(feature = "tpm")]
        mod by_tpm {
            $(#[test] fn $promise() { crate::bench::tpm(crate::promises::$promise); })*
        }
        #[cfg(feature = "pkcs11")]
        mod by_pkcs11 {
            $(#[test] fn $promise() {
                let name = concat!("by_pkcs11::", stringify!($promise));
                crate::bench::pkcs11(name, crate::promises::$promise);
            })*
        }
    };
}

promised!(
    a_key_opens_after_the_store_was_closed,
    what_a_key_signs_its_public_half_verifies,
    a_csr_over_a_key_verifies,
    tls_is_spoken_with_a_key,
    a_key_signs_from_many_threads_at_once,
    a_destroyed_key_is_gone_and_may_be_destroyed_again,
    a_sweep_takes_only_what_is_not_kept,
    a_sweep_that_cannot_tell_takes_nothing,
    a_reference_that_is_cut_or_changed_is_refused,
    the_reference_of_another_store_is_refused,
    only_the_file_store_takes_and_gives_keys,
    a_kind_of_key_that_is_not_made_is_named,
    nothing_is_left_after_retiring,
);
