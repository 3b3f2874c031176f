//! Revocation lists (RFC 5280 section 5).

mod entry;
mod read;

use der::{Encode, Header, Length, Tag};

use crate::algorithm::SignatureScheme;
use crate::encode::{self, EncodeError};
use crate::extension::Extension;
use crate::issue::IssueError;
use crate::name::DistinguishedName;
use crate::signed;
use crate::signer::Signer;
use crate::time;

pub use entry::{CrlReason, RevokedEntry};
pub use read::{Crl, CrlEntry, CrlError};

/// What a revocation list is to say.
#[derive(Debug, Clone, Copy)]
pub struct CrlSpec<'a> {
    /// Who signs: the subject of its certificate.
    pub issuer: &'a DistinguishedName,
    /// The subjectKeyIdentifier of its certificate.
    pub authority_key_id: &'a [u8],
    /// Higher in each newer list of one issuer and scope.
    pub number: u64,
    /// When this was the state of things (unix seconds).
    pub this_update: i64,
    /// Until when there will be a newer list (unix seconds).
    pub next_update: i64,
    /// Where the list covers but a part: the URL that certificates of this part point to.
    pub distribution_point: Option<&'a str>,
    /// What [`RevokedEntry::append_to`] wrote, one entry after the other.
    pub entries_der: &'a [u8],
}

/// Signs a version 2 list with `issuer`'s key; returns its DER.
///
/// # Errors
/// Something in it is not encodable, or the key could not sign.
pub fn sign_crl(spec: &CrlSpec<'_>, issuer: &dyn Signer) -> Result<Vec<u8>, IssueError> {
    let body = body(spec, issuer)?;
    Ok(signed::sign(&body, issuer)?)
}

fn body(spec: &CrlSpec<'_>, issuer: &dyn Signer) -> Result<Vec<u8>, EncodeError> {
    let mut extensions = vec![
        Extension::authority_key_id(spec.authority_key_id)?,
        Extension::crl_number(spec.number)?,
    ];
    if let Some(url) = spec.distribution_point {
        extensions.push(Extension::issuing_distribution_point(url)?);
    }
    let extensions: Vec<&[u8]> = extensions.iter().map(Extension::der).collect();
    // The entries may be millions: their header stands beside them, which saves a copy. A
    // list without entries leaves even the header out (RFC 5280 section 5.1.2.6).
    let mut header = Vec::new();
    if !spec.entries_der.is_empty() {
        let len = Length::try_from(spec.entries_der.len())?;
        Header::new(Tag::Sequence, len).encode_to_vec(&mut header)?;
    }
    Ok(encode::sequence(&[
        &VERSION_2,
        &SignatureScheme::identifier(issuer.public_key().kind()).to_der()?,
        spec.issuer.der(),
        &time::time(spec.this_update)?,
        &time::time(spec.next_update)?,
        &header,
        spec.entries_der,
        &encode::context(0, &[&encode::sequence(&extensions)?])?,
    ])?)
}

/// INTEGER 1.
const VERSION_2: [u8; 3] = [0x02, 0x01, 0x01];
