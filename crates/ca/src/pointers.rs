//! Where the world learns of revocations.

use enlist_core::{CaId, Serial};

/// The places that certificates of one CA point to. None by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pointers(Option<Places>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Places {
    /// `http://…`, without a slash at its end.
    base: String,
    ca: CaId,
    partitions: u16,
}

impl Pointers {
    /// Those under `status_url` (`http://host[:port]`), with the CA's revocation list in this
    /// many parts; one that is no power of two from 2 to [`Partition::MOST`] means one list.
    pub fn at(status_url: &str, ca: CaId, partitions: u16) -> Self {
        Self(Some(Places {
            base: status_url.trim_end_matches('/').to_owned(),
            ca,
            partitions,
        }))
    }

    /// The URL of the CA's revocation list, whole or in part.
    pub fn crl_url(&self, partition: Option<Partition>) -> Option<String> {
        let Places { base, ca, .. } = self.0.as_ref()?;
        Some(match partition {
            None => format!("{base}/crl/{ca}.crl"),
            Some(Partition { index, of }) => format!("{base}/crl/{ca}/{of}/{index}.crl"),
        })
    }

    /// The URL of the revocation list that this certificate would be on.
    pub fn crl_url_of(&self, serial: Serial) -> Option<String> {
        let of = self.0.as_ref()?.partitions;
        self.crl_url(Partition::of_serial(serial, of))
    }

    /// The URL of the OCSP responder.
    pub fn ocsp_url(&self) -> Option<String> {
        let places = self.0.as_ref()?;
        Some(format!("{}/ocsp", places.base))
    }

    /// The URL of the CA's own certificate, DER.
    pub fn issuer_url(&self) -> Option<String> {
        let Places { base, ca, .. } = self.0.as_ref()?;
        Some(format!("{base}/ca/{ca}.cer"))
    }

    /// Whether all the CA's certificates are on one list.
    pub(crate) fn is_one_list(&self) -> bool {
        let several = |places: &Places| Partition::new(0, places.partitions).is_some();
        !self.0.as_ref().is_some_and(several)
    }
}

/// One part of a CA's revocation list: a certificate is on the same part for ever, as its
/// serial number says which, and how many there are stands in the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Partition {
    index: u16,
    of: u16,
}

impl Partition {
    /// The most parts that a list may have.
    pub const MOST: u16 = 4096;

    /// Part `index` of `of`; `None` where there is no such part: `of` is a power of two from
    /// 2 to [`Partition::MOST`].
    pub fn new(index: u16, of: u16) -> Option<Self> {
        let fits = of.is_power_of_two() && (2..=Self::MOST).contains(&of) && index < of;
        fits.then_some(Self { index, of })
    }

    /// The part that a certificate is on, where there are `of`; `None` where that means one
    /// list. The bytes that say so are random, so the parts come out even.
    pub fn of_serial(serial: Serial, of: u16) -> Option<Self> {
        let bytes = serial.as_bytes();
        let number = u16::from_be_bytes([bytes[8], bytes[9]]);
        Self::new(number.checked_rem(of)?, of)
    }

    /// Which of the parts, from 0.
    pub fn index(self) -> u16 {
        self.index
    }

    /// How many parts there are.
    pub fn of(self) -> u16 {
        self.of
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn serial(number: u16) -> Serial {
        let mut bytes = [0xee; 16];
        bytes[8..10].copy_from_slice(&number.to_be_bytes());
        Serial::from_be_bytes(&bytes).unwrap()
    }

    #[test]
    fn parts_are_powers_of_two_and_every_serial_is_on_one() {
        for (index, of) in [(0, 0), (0, 1), (0, 3), (2, 2), (0, 4097), (0, 8192)] {
            assert_eq!(Partition::new(index, of), None, "{index} of {of}");
        }
        for of in [0, 1, 3, 8192] {
            assert_eq!(Partition::of_serial(serial(9), of), None);
        }
        for of in [2, 64, 4096] {
            for number in [0, 1, 63, 4095, 4096, u16::MAX] {
                let part = Partition::of_serial(serial(number), of).unwrap();
                assert_eq!((part.index(), part.of()), (number % of, of));
            }
        }
    }

    #[test]
    fn a_certificate_points_to_its_own_part() {
        let ca = CaId::from_bytes([7; 16]);
        let one = Pointers::at("http://pki.example/", ca, 1);
        let full = format!("http://pki.example/crl/{ca}.crl");
        assert_eq!(one.crl_url_of(serial(5)), Some(full));
        let four = Pointers::at("http://pki.example", ca, 4);
        let part = format!("http://pki.example/crl/{ca}/4/1.crl");
        assert_eq!(four.crl_url_of(serial(5)), Some(part));
        assert!(one.is_one_list() && !four.is_one_list());
        let none = Pointers::default();
        assert!(none.crl_url_of(serial(5)).is_none() && none.ocsp_url().is_none());
        assert!(none.issuer_url().is_none() && none.is_one_list());
    }
}
