//! Statements of a TPM about a key that is in it.

use tpm2_protocol::basic::{Tpm2b, TpmHandle};
use tpm2_protocol::constant::TPM_MAX_COMMAND_SIZE;
use tpm2_protocol::data::{
    Tpm2bData, Tpm2bEccParameter, Tpm2bEncryptedSecret, Tpm2bIdObject, Tpm2bPublic, TpmAlgId,
    TpmCc, TpmEccCurve, TpmRcBase, TpmRh, TpmaObject, TpmsEccParms, TpmsEccPoint, TpmsSchemeHash,
    TpmtEccScheme, TpmtPublic, TpmtSigScheme, TpmuAsymScheme, TpmuPublicId, TpmuPublicParms,
    TpmuSigScheme,
};
use tpm2_protocol::frame::{
    TpmActivateCredentialCommand, TpmActivateCredentialResponse, TpmCertifyCommand, TpmResponse,
};
use tpm2_protocol::{TpmMarshal, TpmWriter};
use zeroize::Zeroizing;

use super::{Auth, Endorsed, Failure, LONGEST, PASSWORD, Tpm, template};

/// What a TPM has said about a key.
pub(crate) struct Statement {
    /// `TPMS_ATTEST`, byte for byte as it was signed.
    pub info: Vec<u8>,
    /// `TPMT_SIGNATURE`.
    pub signature: Vec<u8>,
}

impl Tpm {
    /// Lets `work` use the attestation key: a primary key of the endorsement hierarchy, made anew each
    /// time. The same TPM always makes the same one, so that none has to be kept.
    pub(crate) fn with_attestation_key<T>(
        &mut self,
        work: impl FnOnce(&mut Self, u32) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let doing = "make its attestation key";
        let key = self.create_primary(TpmRh::Endorsement, attestation_key()?, doing)?;
        self.flushed(key, work)
    }

    /// The public area at a handle, as it goes over the wire.
    pub(crate) fn public_bytes(&mut self, handle: u32) -> Result<Vec<u8>, Failure> {
        match self.public_at(handle)? {
            Some(public) => public_bytes(&public.inner),
            // Whoever asks has just seen it there.
            None => Err(Failure::Refused("show a key", TpmRcBase::Handle)),
        }
    }

    /// `TPM2_Certify`, Part 3 section 18.2.
    pub(crate) fn certify(
        &mut self,
        key: u32,
        by: u32,
        qualifying_data: &[u8],
    ) -> Result<Statement, Failure> {
        let command = TpmCertifyCommand {
            handles: [key, by].map(TpmHandle::from),
            qualifying_data: Tpm2bData::try_from(qualifying_data)?,
            in_scheme: TpmtSigScheme {
                scheme: TpmAlgId::Null,
                details: TpmuSigScheme::Null,
            },
        };
        let auth = Auth::Both(PASSWORD, PASSWORD);
        let response = self.bytes(&command, auth, "certify a key")?;
        let response = TpmResponse::cast(&response)?;
        response.validate(TpmCc::Certify)?;
        // Taken as it lies there, since it is signed. Before it comes the length of both, 32 bits; after
        // it, what there is to say of the sessions.
        let body = response.body();
        let length = body
            .first_chunk()
            .map_or(0, |four| u32::from_be_bytes(*four));
        let end = usize::try_from(length).unwrap_or(0).saturating_add(4);
        let parameters = body.get(4..end).unwrap_or_default();
        let (info, signature) = Tpm2b::<TPM_MAX_COMMAND_SIZE>::cast_prefix(parameters)?;
        Ok(Statement {
            info: info.data().to_vec(),
            signature: signature.to_vec(),
        })
    }

    /// `TPM2_ActivateCredential`, Part 3 section 12.5: what was sealed for this endorsement key and this
    /// attestation key together. Both parts come with their sizes.
    pub(crate) fn activate(
        &mut self,
        key: u32,
        endorsed: &Endorsed,
        credential_blob: Tpm2bIdObject,
        secret: Tpm2bEncryptedSecret,
    ) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let command = TpmActivateCredentialCommand {
            handles: [key, endorsed.handle].map(TpmHandle::from),
            credential_blob,
            secret,
        };
        let activate = |tpm: &mut Self, session| {
            let auth = Auth::Both(PASSWORD, session);
            let answer: TpmActivateCredentialResponse =
                tpm.run(&command, auth, "open the server's challenge")?;
            Ok(Zeroizing::new(answer.cert_info.to_vec()))
        };
        if endorsed.wants_policy() {
            self.with_endorsement_policy(endorsed.public.name_alg, activate)
        } else {
            activate(self, PASSWORD)
        }
    }
}

/// A public area as it goes over the wire: `TPMT_PUBLIC`.
pub(crate) fn public_bytes(public: &TpmtPublic) -> Result<Vec<u8>, Failure> {
    let mut bytes = vec![0; LONGEST];
    let mut writer = TpmWriter::new(&mut bytes);
    public.marshal(&mut writer)?;
    Ok(writer.as_bytes().to_vec())
}

/// A P-256 key that signs what the TPM itself has to say, and nothing else. What stands in `unique` makes
/// it another one than other programs' attestation keys.
fn attestation_key() -> Result<Tpm2bPublic, Failure> {
    let attributes = template::attributes(&[
        TpmaObject::SENSITIVE_DATA_ORIGIN,
        TpmaObject::SIGN_ENCRYPT,
        TpmaObject::RESTRICTED,
    ]);
    let hash_alg = TpmAlgId::Sha256;
    Ok(template::object(
        TpmAlgId::Ecc,
        attributes,
        TpmuPublicParms::Ecc(TpmsEccParms {
            scheme: TpmtEccScheme {
                scheme: TpmAlgId::Ecdsa,
                details: TpmuAsymScheme::Hash(TpmsSchemeHash { hash_alg }),
            },
            curve_id: TpmEccCurve::NistP256,
            ..template::no_scheme()
        }),
        TpmuPublicId::Ecc(TpmsEccPoint {
            x: Tpm2bEccParameter::try_from(&b"enlist attestation key v1\0\0\0\0\0\0\0"[..])?,
            y: Tpm2bEccParameter::try_from(&[0; 32][..])?,
        }),
    ))
}
