//! Certificates in a wrapper of CMS.

use enlist_pki::Certificate;
use enlist_pki::cms::{MAX_CERTIFICATES, MAX_FILE_LEN, certificates, certs_only};

/// Reads a file of certificates. What is read is the same after it was written as a certs-only
/// message and read again, but for order and doubles.
///
/// # Panics
/// When it is not.
pub fn cms(data: &[u8]) -> bool {
    let Ok(mut read) = certificates(data) else {
        return false;
    };
    assert!(data.len() <= MAX_FILE_LEN);
    assert!((1..=MAX_CERTIFICATES).contains(&read.len()));
    let each: Vec<&Certificate> = read.iter().collect();
    let written = certs_only(&each).expect("what was read can be written");
    let again = certificates(&written).expect("what was written can be read");
    read.sort_by(|one, other| one.der().cmp(other.der()));
    read.dedup();
    assert_eq!(again, read);
    true
}
