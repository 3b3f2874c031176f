//! What a device proves itself with, as the server knows it.

use crate::{DeviceId, Digest, RequestId, Serial, TenantId, Timestamp};

/// A device's credential: the hash of its token where it has one, and its certificates in two slots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credential {
    /// Whose it is.
    pub device: DeviceId,
    /// The tenant it belongs to.
    pub tenant: TenantId,
    /// SHA-256 of the public key that enrolled: by it a repeated enrollment is known.
    pub enrolled_key: Digest,
    /// SHA-256 of the device token; devices that came in by EST have none.
    pub token: Option<Digest>,
    /// SHA-256 of the token before it, until the device is known to hold the new one.
    pub previous_token: Option<Digest>,
    /// The certificate in force.
    pub current: Issued,
    /// The one before it, until the new one has been used.
    pub previous: Option<Issued>,
    /// The highest renewal counter seen; 0 after enrollment.
    pub counter: u64,
    /// The request that the current certificate was last issued for: the renewal that `counter`
    /// belongs to, or one that has no counter. Where the server made the current key, and that
    /// has not been used yet, it names the key that asked for it.
    pub request: Option<RenewalRequest>,
    /// Whether the server made the key (pre-enrollment) and the device has not yet taken its own.
    pub pre_enrolled: bool,
}

/// One slot of a credential.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Issued {
    /// The certificate's serial number.
    pub serial: Serial,
    /// SHA-256 of its public key.
    pub key: Digest,
    /// Until when it is valid.
    pub not_after: Timestamp,
}

/// What makes a renewal the same as an earlier one: its id and the key it asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RenewalRequest {
    /// The id that the device chose.
    pub id: RequestId,
    /// SHA-256 of the public key to certify.
    pub key: Digest,
}

/// What a renewal request turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// A new one.
    Fresh,
    /// The last one again: the recorded answer is due.
    Again,
    /// One that this device can't have sent after what it sent before: somebody holds a copy.
    CloneSuspected,
}

impl Credential {
    /// Whether nothing has happened since the enrollment: its answer is the one on record.
    pub fn is_as_enrolled(&self) -> bool {
        self.counter == 0 && self.request.is_none() && !self.pre_enrolled
    }

    /// Holds a renewal request against what came before.
    pub fn renewal(&self, counter: u64, request: &RenewalRequest) -> Renewal {
        match counter.cmp(&self.counter) {
            std::cmp::Ordering::Greater => Renewal::Fresh,
            std::cmp::Ordering::Equal if self.request.as_ref() == Some(request) => Renewal::Again,
            _ => Renewal::CloneSuspected,
        }
    }

    /// Takes a new certificate as the current one. Returns the credential, and the slot that
    /// has to give way at once: a certificate that was never used.
    ///
    /// The slot that stays as the previous one is the last that is known to have reached the
    /// device.
    #[must_use]
    pub fn renewed(
        mut self,
        issued: Issued,
        counter: u64,
        request: RenewalRequest,
    ) -> (Self, Option<Issued>) {
        let unused = match self.previous {
            // The current one has not been used, or its first use would have retired this.
            Some(_) => Some(self.current),
            None => {
                self.previous = Some(self.current);
                None
            }
        };
        self.current = issued;
        self.counter = counter;
        self.request = Some(request);
        self.pre_enrolled = false;
        (self, unused)
    }

    /// Notes that `serial` was used to authenticate. Where it is the current one, the previous
    /// slot is emptied and returned: its certificate is to be revoked as superseded.
    #[must_use]
    pub fn used(mut self, serial: Serial) -> (Self, Option<Issued>) {
        let mut retired = None;
        if self.current.serial == serial {
            retired = self.previous.take();
            if self.holds_unused_server_key() {
                self.request = None;
            }
        }
        (self, retired)
    }

    /// Whether the current certificate was made with a key of the server's making (EST
    /// `serverkeygen`), and has not been used yet. Until then the answer may have been lost, and
    /// the same request is given another key.
    pub fn holds_unused_server_key(&self) -> bool {
        // What is asked for otherwise is the key that is certified.
        self.request
            .is_some_and(|request| request.key != self.current.key)
    }

    /// Whether `token` is the device's: the one in force, or the one before it while the device is not
    /// yet known to hold the new one.
    pub fn accepts(&self, token: Digest) -> bool {
        // Digests compare in constant time.
        self.token == Some(token) || self.previous_token == Some(token)
    }

    /// The slot that holds `serial`, where one does.
    pub fn slot(&self, serial: Serial) -> Option<&Issued> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|slot| slot.serial == serial)
    }

    /// The slot whose certificate is over this key, the current one first.
    pub fn slot_of_key(&self, key: &Digest) -> Option<&Issued> {
        [Some(&self.current), self.previous.as_ref()]
            .into_iter()
            .flatten()
            .find(|slot| slot.key == *key)
    }

    /// Takes a certificate over another key of the server's making in place of the current one,
    /// which was never used and is returned: it has to give way at once.
    #[must_use]
    pub fn rekeyed(mut self, issued: Issued) -> (Self, Issued) {
        let unused = std::mem::replace(&mut self.current, issued);
        (self, unused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemClock, SystemRng};

    fn issued(byte: u8) -> Issued {
        Issued {
            serial: Serial::from_be_bytes(&[byte; 16]).unwrap(),
            key: Digest::of(&[byte]),
            not_after: Timestamp::from_secs(1),
        }
    }

    fn request(byte: u8) -> RenewalRequest {
        RenewalRequest {
            id: RequestId::from_bytes([byte; 16]),
            key: Digest::of(&[byte]),
        }
    }

    fn credential() -> Credential {
        Credential {
            device: DeviceId::new(&SystemClock, &SystemRng),
            tenant: TenantId::new(&SystemClock, &SystemRng),
            enrolled_key: Digest::of(&[1]),
            token: Some(Digest::of(b"token")),
            previous_token: None,
            current: issued(1),
            previous: None,
            counter: 0,
            request: None,
            pre_enrolled: false,
        }
    }

    #[test]
    fn the_same_renewal_again_is_known_and_an_older_or_other_one_is_a_clone() {
        let (credential, _) = credential().renewed(issued(2), 1, request(2));
        assert_eq!(credential.renewal(1, &request(2)), Renewal::Again);
        assert_eq!(credential.renewal(2, &request(3)), Renewal::Fresh);
        assert_eq!(credential.renewal(1, &request(3)), Renewal::CloneSuspected);
        assert_eq!(credential.renewal(0, &request(2)), Renewal::CloneSuspected);
    }

    #[test]
    fn a_first_renewal_numbered_zero_is_no_repetition() {
        assert_eq!(
            credential().renewal(0, &request(1)),
            Renewal::CloneSuspected
        );
    }

    #[test]
    fn the_previous_certificate_goes_only_when_the_new_one_was_used() {
        let (credential, gone) = credential().renewed(issued(2), 1, request(2));
        assert_eq!(gone, None);
        assert_eq!(credential.previous, Some(issued(1)));

        let (credential, gone) = credential.used(issued(1).serial);
        assert_eq!(gone, None, "the old one in use retires nothing");
        let (credential, gone) = credential.used(issued(2).serial);
        assert_eq!(gone, Some(issued(1)));
        assert_eq!(credential.previous, None);
    }

    #[test]
    fn a_key_of_the_servers_making_is_unused_until_its_certificate_was_shown() {
        let mut credential = credential();
        assert!(!credential.holds_unused_server_key());
        credential.request = Some(request(9));
        assert!(credential.holds_unused_server_key());
        let (credential, _) = credential.used(issued(7).serial);
        assert!(credential.holds_unused_server_key(), "another was shown");
        let (credential, _) = credential.used(issued(1).serial);
        assert!(!credential.holds_unused_server_key());
    }

    #[test]
    fn a_credential_without_a_token_accepts_none() {
        let mut credential = credential();
        credential.token = None;
        assert!(!credential.accepts(Digest::of(b"token")));
        assert!(!credential.accepts(Digest::from_bytes([0; 32])));
    }

    #[test]
    fn a_certificate_that_never_arrived_gives_way_to_the_next() {
        let (credential, _) = credential().renewed(issued(2), 1, request(2));
        let (credential, gone) = credential.renewed(issued(3), 2, request(3));
        assert_eq!(gone, Some(issued(2)));
        assert_eq!(credential.previous, Some(issued(1)), "the last one used");
    }
}
