//! Secrets that one TPM alone gives back.

use pkcs8::der::pem::{LineEnding, decode_vec, encode_string};
use secrecy::SecretSlice;
use tpm2_protocol::basic::{Tpm2b, TpmHandle};
use tpm2_protocol::constant::MAX_SENSITIVE_DATA;
use tpm2_protocol::data::{
    Tpm2bPrivate, Tpm2bPublic, Tpm2bSensitiveData, TpmCc, TpmRcBase, TpmsSensitiveCreate,
};
use tpm2_protocol::frame::{TpmResponse, TpmUnsealCommand};
use tpm2_protocol::{TpmMarshal, TpmUnmarshal, TpmWriter};

use super::{Auth, Failure, LONGEST, Tpm, template};
use crate::store::TpmAddress;

const LABEL: &str = "TPM SEALED SECRET";

/// Seals a secret of at most 128 bytes under the storage root key: PEM text, of use to nobody
/// without this very TPM. It is not bound to what the machine has booted, so that firmware can
/// be updated; and it travels between the chip and the processor in the clear, so that it is safe
/// from who takes the disk, not from who probes the board.
pub(crate) fn seal(address: &TpmAddress, secret: &[u8]) -> Result<String, Failure> {
    let sensitive = TpmsSensitiveCreate {
        data: Tpm2bSensitiveData::try_from(secret)?,
        ..TpmsSensitiveCreate::default()
    };
    let made = Tpm::with(address, |tpm| {
        tpm.under_storage_root(|tpm, parent| {
            tpm.create(parent, sensitive.clone(), template::sealed())
        })
    })?;
    let mut bytes = vec![0; LONGEST];
    let mut writer = TpmWriter::new(&mut bytes);
    made.out_private.marshal(&mut writer)?;
    made.out_public.marshal(&mut writer)?;
    Ok(encode_string(LABEL, LineEnding::LF, writer.as_bytes())
        .expect("some hundred bytes fit into a PEM text"))
}

/// Opens what [`seal`] made. `None` where the text is no such thing.
pub(crate) fn unseal(
    address: &TpmAddress,
    sealed: &str,
) -> Result<Option<SecretSlice<u8>>, Failure> {
    let Some((private, public)) = read(sealed) else {
        return Ok(None);
    };
    let open =
        |tpm: &mut Tpm, parent| tpm.loaded_from(parent, private, public.clone(), Tpm::unseal);
    Tpm::with(address, |tpm| match tpm.under_storage_root(open) {
        // Since it was sealed, somebody has put another storage root key in place, or removed
        // the one there was.
        Err(error) if error.is(TpmRcBase::Integrity) => tpm.under_primary(open),
        other => other,
    })
    .map(Some)
}

fn read(sealed: &str) -> Option<(Tpm2bPrivate, Tpm2bPublic)> {
    let (label, bytes) = decode_vec(sealed.as_bytes()).ok()?;
    let (private, rest) = Tpm2bPrivate::unmarshal(&bytes).ok()?;
    let (public, rest) = Tpm2bPublic::unmarshal(rest).ok()?;
    (label == LABEL && rest.is_empty()).then_some((private, public))
}

impl Tpm {
    /// `TPM2_Unseal`, Part 3 section 12.7. Read where it lies, so that no copy is left.
    fn unseal(&mut self, object: u32) -> Result<SecretSlice<u8>, Failure> {
        let command = TpmUnsealCommand {
            handles: [TpmHandle::from(object)],
        };
        let response = self.bytes(&command, Auth::Empty, "unseal")?;
        let response = TpmResponse::cast(&response)?;
        response.validate(TpmCc::Unseal)?;
        // The parameters follow their length, 32 bits.
        let parameters = response.body().get(4..).unwrap_or_default();
        let (data, _) = Tpm2b::<MAX_SENSITIVE_DATA>::cast_prefix(parameters)?;
        Ok(SecretSlice::from(data.data().to_vec()))
    }
}
