//! What a TPM's manufacturer has left in its non-volatile memory.

use pkcs8::der::{Reader, SliceReader};
use tpm2_protocol::basic::{TpmHandle, TpmUint16};
use tpm2_protocol::data::{TpmRh, TpmaNv};
use tpm2_protocol::frame::{
    TpmNvReadCommand, TpmNvReadPublicCommand, TpmNvReadPublicResponse, TpmNvReadResponse,
};

use super::{Auth, Failure, Tpm};

/// How much is read at once: less than any TPM's limit.
const CHUNK: u16 = 256;

/// The most bytes that are read from one place. Certificates take one or two thousand.
const LARGEST: u16 = 8192;

impl Tpm {
    /// What is at an index; `None` where nothing is, or nothing that may be read without a password. What the
    /// TPM only does not show now is an error: a device must not pass for another one meanwhile.
    pub(super) fn nv(&mut self, index: u32) -> Result<Option<Vec<u8>>, Failure> {
        match self.read_nv(index) {
            Err(refused @ Failure::Refused(..)) if !refused.passes() => Ok(None),
            other => other,
        }
    }

    fn read_nv(&mut self, index: u32) -> Result<Option<Vec<u8>>, Failure> {
        let doing = "show its certificates";
        let command = TpmNvReadPublicCommand {
            handles: [TpmHandle::from(index)],
        };
        let answer: TpmNvReadPublicResponse = self.run(&command, Auth::None, doing)?;
        let public = &answer.nv_public.inner;
        let size = public.data_size.value();
        let reader = if public.attributes.contains(TpmaNv::AUTHREAD) {
            index
        } else {
            TpmRh::Owner as u32
        };
        if !public.attributes.contains(TpmaNv::WRITTEN) || size > LARGEST {
            return Ok(None);
        }
        let mut content = Vec::with_capacity(size.into());
        for offset in (0..size).step_by(CHUNK.into()) {
            let command = TpmNvReadCommand {
                handles: [reader, index].map(TpmHandle::from),
                size: TpmUint16::from(CHUNK.min(size - offset)),
                offset: TpmUint16::from(offset),
            };
            let part: TpmNvReadResponse = self.run(&command, Auth::Empty, doing)?;
            content.extend_from_slice(&part.data);
        }
        Ok(Some(content))
    }
}

/// The certificates that lie one behind the other in `bytes`, without what fills the rest up.
pub(super) fn certificates(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    let Ok(mut reader) = SliceReader::new(bytes) else {
        return found;
    };
    // A certificate is a sequence; fillings are zeros or ones.
    while reader.peek_byte() == Some(0x30) {
        let Ok(certificate) = reader.tlv_bytes() else {
            break;
        };
        found.push(certificate.to_vec());
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn certificates_are_told_from_each_other_and_from_what_fills_up() {
        let one = [0x30, 3, 1, 2, 3];
        let other = [0x30, 1, 9];
        for filling in [&[][..], &[0; 7], &[0xff; 7], &[0x30], &[0x30, 9, 1]] {
            let bytes = [&one[..], &other, filling].concat();
            assert_eq!(certificates(&bytes), [&one[..], &other], "{filling:?}");
        }
        for nothing in [&[][..], &[0; 9], &[0xff; 9], &[0x30, 0x82]] {
            assert!(certificates(nothing).is_empty());
        }
    }
}
