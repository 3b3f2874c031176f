//! DER as one pleases, right or wrong.

use enlist_pki::Signer;

pub const SEQUENCE: u8 = 0x30;
pub const SET: u8 = 0x31;
pub const INTEGER: u8 = 0x02;
pub const BIT_STRING: u8 = 0x03;
pub const OCTET_STRING: u8 = 0x04;

/// ecdsa-with-SHA256.
pub const ECDSA: [u8; 12] = [SEQUENCE, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2];

/// One element.
pub fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let value = parts.concat();
    let length = value.len().to_be_bytes();
    let first = length.iter().position(|byte| *byte != 0).unwrap_or(7);
    let length = &length[first..];
    let mut der = vec![tag];
    if value.len() >= 0x80 {
        der.push(0x80 | u8::try_from(length.len()).unwrap());
    }
    der.extend(length);
    der.extend(value);
    der
}

/// An extension that is not critical. `id` is the content of its object identifier.
pub fn extension(id: &[u8], value: &[u8]) -> Vec<u8> {
    tlv(SEQUENCE, &[&tlv(6, &[id]), &tlv(OCTET_STRING, &[value])])
}

/// `SIGNED{}` with ECDSA over P-256.
pub fn signed(body: &[u8], signer: &dyn Signer) -> Vec<u8> {
    let signature = signer.sign(body).unwrap();
    tlv(
        SEQUENCE,
        &[body, &ECDSA, &tlv(BIT_STRING, &[&[0], &signature])],
    )
}

/// `old`, which stands in `der` once, replaced by something of the same length.
pub fn replaced(der: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    assert_eq!(old.len(), new.len());
    let at = der.windows(old.len()).position(|window| window == old);
    let at = at.unwrap();
    let mut der = der.to_vec();
    der[at..at + new.len()].copy_from_slice(new);
    der
}
