use std::ops::RangeInclusive;
use std::time::Duration;

use enlist_core::{Seal, TenantId};
use enlist_pki::PublicKey;

use super::expected::{Expected, ToMeet};
use super::{Broken, Finding, Line, Place, Sealed};
use crate::{Envelope, Head};

/// So long before a head was signed an event after it may have happened, by its own time: clocks differ,
/// and what was recorded late comes late. One that is older is [`Finding::Late`].
pub const LATE: Duration = Duration::from_secs(600);
/// By which a server tells that its record was tampered with.
const ALARM: &str = "audit-chain-broken";
/// Findings that are kept; more are counted.
const MOST: usize = 1_000;

/// Walks an exported record of events, line by line, and says what is wrong with it. It keeps no events:
/// its memory is bounded, however long the record is.
///
/// It proves that the events are those that the holder of the audit key has sealed, in their order, and
/// that none is missing up to the last head. Heads of earlier exports ([`Verifier::expect`]) prove
/// moreover that nothing was rewritten or cut off since, by that holder neither.
#[derive(Debug)]
pub struct Verifier {
    key: PublicKey,
    to_meet: ToMeet,
    tenant: Option<TenantId>,
    /// The last event, as it says itself; `None` before the first line.
    at: Option<Seal>,
    /// It began after the start, and nobody has vouched for what came before.
    unfounded: Option<u64>,
    /// The last event that a head of the file covers.
    covered: u64,
    newest: Option<Newest>,
    missing: Vec<RangeInclusive<u64>>,
    /// Events that have just come once more, one after another.
    repeated: Option<RangeInclusive<u64>>,
    findings: Findings,
    warnings: Findings,
    lines: u64,
    events: u64,
    heads: u64,
}

/// What a walk came to.
#[derive(Debug)]
pub struct Verified {
    /// Events that were walked.
    pub events: u64,
    /// Heads of the file that are signed with the audit key.
    pub heads: u64,
    /// The newest of them that fits.
    pub newest: Option<Newest>,
    /// What is wrong, in the order of the events it is about.
    pub findings: Vec<Finding>,
    /// How much more is wrong.
    pub more: u64,
    /// What is as it was sealed, and still worth a look: [`Finding::Late`] and [`Finding::Alarm`].
    pub warnings: Vec<Finding>,
    /// How much more there is of that.
    pub more_warnings: u64,
}

/// A head that fits.
#[derive(Debug, Clone)]
pub struct Newest {
    /// What it says.
    pub head: Head,
    /// The signed statement.
    pub envelope: Envelope,
}

#[derive(Debug, Default)]
struct Findings {
    kept: Vec<Finding>,
    more: u64,
}

impl Findings {
    fn add(&mut self, finding: Finding) {
        if self.kept.len() < MOST {
            self.kept.push(finding);
        } else {
            self.more += 1;
        }
    }
}

impl Verified {
    /// Whether nothing is wrong. Warnings don't count.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.findings.is_empty()
    }
}

impl Verifier {
    /// Believes what `key` has signed, and nothing else.
    #[must_use]
    pub fn new(key: PublicKey) -> Self {
        Self {
            key,
            to_meet: ToMeet::default(),
            tenant: None,
            at: None,
            unfounded: None,
            covered: 0,
            newest: None,
            missing: Vec::new(),
            repeated: None,
            findings: Findings::default(),
            warnings: Findings::default(),
            lines: 0,
            events: 0,
            heads: 0,
        }
    }

    /// Takes a head of an earlier export, which the record has to fit. To be given before the first line.
    pub fn expect(&mut self, head: &Envelope) {
        let Ok(head) = head.open::<Head>([&self.key]) else {
            let seq = claimed(head);
            return self.findings.add(Finding::ForgedHead { seq });
        };
        self.belongs(head.tenant_id, head.events);
        self.to_meet.add(Expected {
            place: head.seal(),
            at: head.at,
            misplaced: false,
        });
    }

    /// Takes the next line, with its end or without.
    pub fn line(&mut self, bytes: &[u8]) {
        self.lines += 1;
        let bytes = bytes.trim_ascii();
        if bytes.is_empty() {
            return;
        }
        match serde_json::from_slice(bytes) {
            Ok(Line::Sealed(sealed)) => self.sealed(&sealed),
            Ok(Line::Head(envelope)) => self.head(envelope),
            Ok(Line::After(place)) => self.after(place),
            Ok(Line::Broken(Broken { seen, .. })) => {
                self.findings.add(Finding::NotSigned { seq: seen.seq });
            }
            Err(_) => self.findings.add(Finding::Unreadable { line: self.lines }),
        }
    }

    /// Where the walk is: the number of the last event.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.at.map_or(0, |place| place.seq)
    }

    /// Ends the walk.
    #[must_use]
    pub fn finish(mut self) -> Verified {
        let last = self.position();
        if self.at.is_none() {
            self.findings.add(Finding::Empty);
        }
        self.tell_repeated();
        if let Some(before) = self.unfounded {
            self.findings.add(Finding::NotFromTheStart { before });
        }
        for range in std::mem::take(&mut self.missing) {
            let (from, to) = range.into_inner();
            self.findings.add(Finding::Missing { from, to });
        }
        if let Some(to) = self.to_meet.furthest() {
            let from = last.saturating_add(1);
            self.findings.add(Finding::CutOff { from, to });
        }
        if self.at.is_some() && self.covered != last {
            let covered = self.covered;
            self.findings.add(Finding::NoHeadAtTheEnd { covered, last });
        }
        let mut findings = self.findings.kept;
        findings.sort_by_key(|finding| (finding.seq(), finding.clone()));
        Verified {
            events: self.events,
            heads: self.heads,
            newest: self.newest,
            findings,
            more: self.findings.more,
            warnings: self.warnings.kept,
            more_warnings: self.warnings.more,
        }
    }

    fn sealed(&mut self, sealed: &Sealed) {
        self.events += 1;
        let place = Seal {
            seq: sealed.seq,
            hash: sealed.hash,
        };
        let before = self.at.unwrap_or(Seal::START);
        if place.seq <= before.seq {
            if self.was_missing(place.seq) {
                return self.findings.add(Finding::Reordered { seq: place.seq });
            }
            return self.repeats(place.seq);
        }
        if place.seq - before.seq > 1 {
            self.misses(before.seq + 1, place.seq - 1);
        } else if before.next(&sealed.event).hash != place.hash {
            self.findings.add(Finding::Changed { seq: place.seq });
        }
        self.belongs(sealed.event.tenant_id, place.seq);
        if sealed.event.kind == ALARM {
            self.warnings.add(Finding::Alarm { seq: place.seq });
        }
        let at = sealed.event.at;
        if let Some(signed) = self.to_meet.passed()
            && at < signed - LATE
        {
            let seq = place.seq;
            self.warnings.add(Finding::Late { seq, at, signed });
        }
        self.reach(place);
    }

    fn head(&mut self, envelope: Envelope) {
        let Ok(head) = envelope.open::<Head>([&self.key]) else {
            let seq = claimed(&envelope);
            return self.findings.add(Finding::ForgedHead { seq });
        };
        self.heads += 1;
        let (seq, at) = (head.events, self.at.unwrap_or(Seal::START));
        self.belongs(head.tenant_id, seq);
        if seq > at.seq {
            self.to_meet.add(Expected {
                place: head.seal(),
                at: head.at,
                misplaced: true,
            });
        } else if seq < at.seq {
            self.findings.add(Finding::Reordered { seq });
        } else if head.hash == at.hash {
            self.covered = seq;
            self.to_meet.pass(head.at);
            self.newest = Some(Newest { head, envelope });
        } else {
            self.findings.add(Finding::HeadMisfit { seq });
        }
    }

    /// A part of the record begins.
    fn after(&mut self, place: Place) {
        let place = Seal::from(place);
        let Some(at) = self.at else {
            if place.seq > 0 {
                self.unfounded = Some(place.seq);
                self.reach(place);
            }
            return;
        };
        if place.seq > at.seq {
            self.misses(at.seq.saturating_add(1), place.seq);
            self.reach(place);
        } else if place.seq == at.seq && place.hash != at.hash {
            self.findings.add(Finding::Changed { seq: place.seq });
        }
        // Where it goes back, what is there once more says so itself.
    }

    fn reach(&mut self, place: Seal) {
        let findings = &mut self.findings;
        let fits = self.to_meet.meet(place, |finding| findings.add(finding));
        if fits && self.unfounded == Some(place.seq) {
            self.unfounded = None;
        }
        self.at = Some(place);
    }

    fn belongs(&mut self, tenant: TenantId, seq: u64) {
        if *self.tenant.get_or_insert(tenant) != tenant {
            self.findings.add(Finding::AnotherTenant { seq });
        }
    }

    fn misses(&mut self, from: u64, to: u64) {
        if self.missing.len() < MOST {
            self.missing.push(from..=to);
        } else {
            self.findings.add(Finding::Missing { from, to });
        }
    }

    fn repeats(&mut self, seq: u64) {
        let from = match &self.repeated {
            Some(range) if range.end().checked_add(1) == Some(seq) => *range.start(),
            _ => {
                self.tell_repeated();
                seq
            }
        };
        self.repeated = Some(from..=seq);
    }

    fn tell_repeated(&mut self) {
        if let Some((from, to)) = self.repeated.take().map(RangeInclusive::into_inner) {
            self.findings.add(Finding::Repeated { from, to });
        }
    }

    /// Whether an event was told missing; it is not any more.
    fn was_missing(&mut self, seq: u64) -> bool {
        let Some(at) = self.missing.iter().position(|range| range.contains(&seq)) else {
            return false;
        };
        let (from, to) = self.missing.swap_remove(at).into_inner();
        if from < seq {
            self.missing.push(from..=seq - 1);
        }
        if seq < to {
            self.missing.push(seq + 1..=to);
        }
        true
    }
}

/// How many events a head that is not believed says there were.
fn claimed(head: &Envelope) -> Option<u64> {
    head.claim::<Head>().ok().map(|head| head.events)
}
