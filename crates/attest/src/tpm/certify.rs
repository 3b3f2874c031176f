//! `TPMS_ATTEST` as `TPM2_Certify` makes it (Part 2, section 10.12.12).

use super::reader::{Reader, Unreadable};
use super::refusal::TpmRefusal;

/// What a TPM says of a key.
pub(super) struct Certified<'a> {
    /// What it was asked to say along.
    pub extra: &'a [u8],
    /// The key.
    pub name: &'a [u8],
}

/// What every statement of a TPM's own begins with; a restricted key signs nothing else that does.
const GENERATED: u32 = 0xff54_4347;
const ATTEST_CERTIFY: u16 = 0x8017;

/// The longest name: an algorithm, and a digest of 64 bytes.
const NAME: usize = 66;

impl<'a> Certified<'a> {
    pub fn read(bytes: &'a [u8]) -> Result<Self, TpmRefusal> {
        let unreadable = |source| TpmRefusal::Unreadable {
            what: "certify_info",
            source,
        };
        let mut reader = Reader::new(bytes);
        if reader.u32("magic").map_err(unreadable)? != GENERATED {
            return Err(TpmRefusal::NotCertified("magic"));
        }
        if reader.u16("type").map_err(unreadable)? != ATTEST_CERTIFY {
            return Err(TpmRefusal::NotCertified("type"));
        }
        Self::rest(reader).map_err(unreadable)
    }

    fn rest(mut reader: Reader<'a>) -> Result<Self, Unreadable> {
        reader.sized(NAME, "qualifiedSigner")?;
        let extra = reader.sized(64, "extraData")?;
        // clock, resetCount and restartCount
        reader.skip::<16>("clockInfo")?;
        if reader.u8("safe")? > 1 {
            return Err(Unreadable::Value("safe"));
        }
        reader.skip::<8>("firmwareVersion")?;
        let name = reader.sized(NAME, "name")?;
        reader.sized(NAME, "qualifiedName")?;
        reader.finish()?;
        Ok(Self { extra, name })
    }
}
