//! Certificate signing requests.

use enlist_pki::Csr;
use enlist_pki::csr::MAX_CSR_LEN;

/// Reads a CSR. One that is taken stays the same through PEM, and each of its bits counts.
///
/// # Panics
/// When it does not.
pub fn csr(data: &[u8]) -> bool {
    let Ok(csr) = Csr::from_der(data) else {
        return false;
    };
    assert!(data.len() <= MAX_CSR_LEN);
    assert_eq!(csr.der(), data);
    let again = Csr::from_pem(&csr.to_pem()).expect("what was taken is taken again");
    assert_eq!(again.der(), data);
    assert_eq!(again.public_key(), csr.public_key());
    assert_eq!(again.requested(), csr.requested());

    // One of its bits is wrong; which one, its own bytes say.
    let mut spoilt = data.to_vec();
    let bit = data.iter().fold(data.len(), |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(usize::from(*byte))
    }) % (data.len() * 8);
    spoilt[bit / 8] ^= 1 << (bit % 8);
    assert!(
        Csr::from_der(&spoilt).is_err(),
        "bit {bit} is not under the signature"
    );
    true
}
