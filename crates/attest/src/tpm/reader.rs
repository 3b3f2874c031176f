//! Reading what a TPM writes: numbers are big-endian, and what varies in length says first how long it
//! is (TPM 2.0 Library, Part 2, section 10.4).

/// What does not read, and where it stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It ends too early.
    #[error("it ends inside `{0}`")]
    Short(&'static str),
    /// Bytes follow that are no part of it.
    #[error("it is followed by other bytes")]
    Trailing,
    /// A part is longer than it may be.
    #[error("`{0}` is longer than it may be")]
    Long(&'static str),
    /// A part is none of what it may be, or of what is taken.
    #[error("`{0}` is not one that is taken")]
    Value(&'static str),
}

/// What is left of a structure.
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub fn u8(&mut self, part: &'static str) -> Result<u8, Unreadable> {
        self.array(part).map(|[byte]| byte)
    }

    pub fn u16(&mut self, part: &'static str) -> Result<u16, Unreadable> {
        self.array(part).map(u16::from_be_bytes)
    }

    pub fn u32(&mut self, part: &'static str) -> Result<u32, Unreadable> {
        self.array(part).map(u32::from_be_bytes)
    }

    /// Takes bytes whose content does not matter.
    pub fn skip<const N: usize>(&mut self, part: &'static str) -> Result<(), Unreadable> {
        self.array::<N>(part).map(|_| ())
    }

    /// What says its own length, of `most` bytes at most.
    pub fn sized(&mut self, most: usize, part: &'static str) -> Result<&'a [u8], Unreadable> {
        let length = usize::from(self.u16(part)?);
        if length > most {
            return Err(Unreadable::Long(part));
        }
        let (taken, rest) = self
            .0
            .split_at_checked(length)
            .ok_or(Unreadable::Short(part))?;
        self.0 = rest;
        Ok(taken)
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), Unreadable> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Unreadable::Trailing)
        }
    }

    fn array<const N: usize>(&mut self, part: &'static str) -> Result<[u8; N], Unreadable> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(Unreadable::Short(part))?;
        self.0 = rest;
        Ok(*taken)
    }
}
