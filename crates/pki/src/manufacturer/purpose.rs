//! Whether a certificate is of the kind that is asked for.
//!
//! One import may vouch for TPMs and for devices alike. Who holds the key of an IDevID could do in software
//! whatever a TPM does, so that the two must not be taken for each other.

use der::asn1::AnyRef;
use der::{Decode, Tag, TagNumber, Tagged};

use super::{NotVouched, Vouching};
use crate::certificate::Certificate;
use crate::extension::KeyPurpose;
use crate::subject::SubjectName;
use crate::{name, oid};

pub(super) fn fits(leaf: &Certificate, vouching: Vouching) -> Result<(), NotVouched> {
    match vouching {
        Vouching::Endorsement if is_endorsement(leaf) => Ok(()),
        Vouching::Endorsement => Err(NotVouched::Purpose),
        Vouching::Identity if leaf.has_purpose(KeyPurpose::TpmEndorsement) => {
            Err(NotVouched::IsEndorsement)
        }
        Vouching::Identity => Ok(()),
    }
}

/// Whether it says that it is an endorsement key's, and nothing that none is: such a key decrypts, and
/// signs nothing.
fn is_endorsement(leaf: &Certificate) -> bool {
    let says_so = leaf.has_purpose(KeyPurpose::TpmEndorsement);
    let only_decrypts = leaf.signs() != Some(true)
        && leaf.signs_certificates() != Some(true)
        && leaf.takes_keys() != Some(false);
    // Some of the older ones say nothing of what they are for, but which TPM it is.
    let is_old = !leaf.states_purposes()
        && leaf.takes_keys() == Some(true)
        && leaf.names().iter().any(names_a_tpm);
    only_decrypts && (says_so || is_old)
}

/// Whether it is a directoryName with the maker, the model and the version of a TPM.
fn names_a_tpm(name: &SubjectName) -> bool {
    const DIRECTORY_NAME: Tag = Tag::ContextSpecific {
        constructed: true,
        number: TagNumber(4),
    };
    let SubjectName::Other(der) = name else {
        return false;
    };
    AnyRef::from_der(der)
        .is_ok_and(|one| one.tag() == DIRECTORY_NAME && name::has_all(one.value(), &oid::TPM_NAMES))
}
