//! From a device's certificate up to a CA that is trusted (RFC 5280 section 6.1).

use super::{MAX_PATH, Manufacturer, NotVouched, Vouching, purpose};
use crate::certificate::Certificate;

/// The most signatures that are checked for one certificate, over all manufacturers that are believed: CAs
/// may share a name, and a stranger may bring as many as it likes.
pub(super) const MAX_CHECKS: u32 = 24;

pub(super) fn to_the_top(
    manufacturer: &Manufacturer,
    leaf: &Certificate,
    given: &[Certificate],
    vouching: Vouching,
    now: i64,
    checks: &mut u32,
) -> Result<(), NotVouched> {
    if given.len() >= MAX_PATH {
        return Err(NotVouched::TooLong);
    }
    if leaf.is_ca() {
        return Err(NotVouched::IsACa);
    }
    purpose::fits(leaf, vouching)?;
    holds_now(leaf, now)?;
    let mut climb = Climb {
        manufacturer,
        given,
        now,
        checks,
        path: vec![leaf],
    };
    climb.up(0)
}

struct Climb<'a> {
    manufacturer: &'a Manufacturer,
    given: &'a [Certificate],
    now: i64,
    /// How many signatures may still be checked.
    checks: &'a mut u32,
    /// From the leaf to where it stands.
    path: Vec<&'a Certificate>,
}

impl<'a> Climb<'a> {
    /// Looks for an issuer of the last one on the path, under which there are `below` CAs that did not
    /// issue themselves, and goes on from there. Where every way fails, what the first that was any
    /// failed at says most.
    fn up(&mut self, below: u8) -> Result<(), NotVouched> {
        let Some(subject) = self.path.last().copied() else {
            return Err(NotVouched::UnknownIssuer);
        };
        let (manufacturer, given) = (self.manufacturer, self.given);
        let imported = manufacturer.called(subject.issuer_der());
        let brought = given
            .iter()
            .filter(|one| one.subject_der() == subject.issuer_der());
        let mut refusal = None;
        for (issuer, is_top) in imported
            .map(|one| (one, manufacturer.is_anchor(one)))
            .chain(brought.map(|one| (one, false)))
        {
            if self.path.contains(&issuer) || !subject.is_identified(issuer) {
                continue;
            }
            match self.step(subject, issuer, is_top, below) {
                Ok(()) => return Ok(()),
                Err(NotVouched::UnknownIssuer) => {}
                Err(other) => refusal = refusal.or(Some(other)),
            }
        }
        Err(refusal.unwrap_or(NotVouched::UnknownIssuer))
    }

    fn step(
        &mut self,
        subject: &Certificate,
        issuer: &'a Certificate,
        is_top: bool,
        below: u8,
    ) -> Result<(), NotVouched> {
        if self.path.len() == MAX_PATH {
            return Err(NotVouched::TooLong);
        }
        may_issue(issuer, below)?;
        holds_now(issuer, self.now)?;
        *self.checks = self.checks.checked_sub(1).ok_or(NotVouched::TooLong)?;
        is_signed(subject, issuer)?;
        if is_top {
            return Ok(());
        }
        let issued_itself = issuer.subject_der() == issuer.issuer_der();
        self.path.push(issuer);
        let reached = self.up(below + u8::from(!issued_itself));
        self.path.pop();
        reached
    }
}

pub(super) fn may_issue(issuer: &Certificate, below: u8) -> Result<(), NotVouched> {
    if !issuer.is_ca() || issuer.signs_certificates() == Some(false) {
        return Err(NotVouched::NotACa);
    }
    if issuer.path_len().is_some_and(|most| below > most) {
        return Err(NotVouched::PathLength);
    }
    Ok(())
}

fn holds_now(certificate: &Certificate, now: i64) -> Result<(), NotVouched> {
    if certificate.demands_more() {
        return Err(NotVouched::CriticalExtension);
    }
    if now < certificate.not_before() {
        return Err(NotVouched::NotYetValid);
    }
    if now > certificate.not_after() {
        return Err(NotVouched::Expired);
    }
    Ok(())
}

pub(super) fn is_signed(subject: &Certificate, issuer: &Certificate) -> Result<(), NotVouched> {
    let key = issuer.public_key().map_err(NotVouched::Key)?;
    subject
        .verify_signature(&key)
        .ok_or(NotVouched::UnsupportedSignature)?
        .map_err(|_| NotVouched::WrongSignature)
}
