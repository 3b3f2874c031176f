//! What each of the three keys has to be.

use super::public::Public;
use super::refusal::{Attribute, TpmKey, TpmRefusal};
use super::signature;

use Attribute::{
    AdminWithPolicy, Decrypt, FixedParent, FixedTpm, Restricted, SensitiveDataOrigin, Sign,
};

/// The policies of TCG's default templates (EK Credential Profile 2.5, appendix B): of those in the low
/// range, and of those in the high range, which an administrator may open as well.
const POLICIES: [&str; 4] = [
    "837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa",
    "8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53",
    "ca3d0a99a2b93906f7a3342414efcfb3a385d44cd1fd459089d19b5071c0b7a0",
    "b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12",
];

/// Reads an endorsement key: it decrypts for the TPM alone, and after TCG's template.
pub(super) fn endorsement(bytes: &[u8]) -> Result<Public, TpmRefusal> {
    let key = Public::read(TpmKey::Endorsement, bytes)?;
    let wanted = [
        FixedTpm,
        FixedParent,
        SensitiveDataOrigin,
        AdminWithPolicy,
        Restricted,
        Decrypt,
    ];
    key.require(&wanted, &[Sign])?;
    if !POLICIES.contains(&enlist_core::lower_hex(&key.policy).as_str()) {
        return Err(TpmRefusal::Template("policy"));
    }
    if key.symmetric.is_none() {
        return Err(TpmRefusal::Template("symmetric cipher"));
    }
    if key.scheme.is_some() {
        return Err(TpmRefusal::Template("scheme"));
    }
    Ok(key)
}

/// Reads an attestation key: it signs for the TPM alone.
pub(super) fn attestation(bytes: &[u8]) -> Result<Public, TpmRefusal> {
    let key = Public::read(TpmKey::Attestation, bytes)?;
    let wanted = [FixedTpm, FixedParent, SensitiveDataOrigin, Restricted, Sign];
    key.require(&wanted, &[Decrypt])?;
    let taken = |scheme| signature::is_taken(key.key.kind(), scheme);
    if !key.scheme.is_some_and(taken) {
        return Err(TpmRefusal::Scheme);
    }
    Ok(key)
}

/// Reads a device's key: it signs for the device, and was made in the TPM for good.
pub(super) fn device(bytes: &[u8]) -> Result<Public, TpmRefusal> {
    let key = Public::read(TpmKey::Device, bytes)?;
    let wanted = [FixedTpm, FixedParent, SensitiveDataOrigin, Sign];
    key.require(&wanted, &[Restricted])?;
    Ok(key)
}
