//! What a device signs, or has its TPM say along, to prove that it holds its key.

use crate::{DeviceId, Digest, RequestId};

/// The message that a device signs with its certificate's key to renew by token:
/// a fixed label, the device, the counter and id of the renewal, the server's nonce, and the
/// SHA-256 of the CSR (DER). Numbers are big-endian; the nonce is preceded by its length in
/// two bytes.
pub fn renewal_message(
    device: DeviceId,
    counter: u64,
    request: RequestId,
    nonce: &[u8],
    csr: &[u8],
) -> Vec<u8> {
    let mut message = b"enlist renewal proof v1\0".to_vec();
    message.extend(device.as_bytes());
    message.extend(counter.to_be_bytes());
    message.extend(request.as_bytes());
    message.extend(u16::try_from(nonce.len()).unwrap_or(u16::MAX).to_be_bytes());
    message.extend(nonce);
    message.extend(Digest::of(csr).as_bytes());
    message
}

/// What a TPM is given to put into its statement about a device's key (`qualifyingData` of
/// `TPM2_Certify`): the SHA-256 of a fixed label, the server's challenge, and the CSR (DER). It ties the
/// statement to this one enrollment.
pub fn tpm_certify_data(challenge: &[u8], csr: &[u8]) -> Digest {
    let mut data = b"enlist tpm certify v1\0".to_vec();
    data.extend(challenge);
    data.extend(csr);
    Digest::of(&data)
}
