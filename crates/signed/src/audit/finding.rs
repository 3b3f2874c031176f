use std::fmt;

use enlist_core::Timestamp;

/// Something that is wrong with a record of events.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Finding {
    /// There is nothing in it.
    Empty,
    /// A line that is none of an export's.
    Unreadable {
        /// Its number, from 1.
        line: u64,
    },
    /// An event that is not the one that was sealed, or does not follow from the one before.
    Changed {
        /// Its number.
        seq: u64,
    },
    /// Events that are not there.
    Missing {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// An event or a head that does not stand in its place.
    Reordered {
        /// Its number.
        seq: u64,
    },
    /// Events that are there twice, or that come after those they belong before.
    Repeated {
        /// The first of them.
        from: u64,
        /// The last of them.
        to: u64,
    },
    /// An event or a head of another tenant.
    AnotherTenant {
        /// Its number.
        seq: u64,
    },
    /// A head that the audit key has not signed.
    ForgedHead {
        /// How many events it says there were, where it can be read.
        seq: Option<u64>,
    },
    /// A head of the file itself is not about the events that stand before it.
    HeadMisfit {
        /// How many events it is about.
        seq: u64,
    },
    /// An earlier head was signed over other events than these.
    Rewritten {
        /// Up to here earlier heads fit; 0 where none does.
        since: u64,
        /// Here the first one does not.
        until: u64,
    },
    /// There were more events once, as a head says.
    CutOff {
        /// The first one that is not there any more.
        from: u64,
        /// The last one that was there for sure.
        to: u64,
    },
    /// Nothing signed says that these are all: the end may have been cut off.
    NoHeadAtTheEnd {
        /// The last event that a head of the file covers.
        covered: u64,
        /// The last event.
        last: u64,
    },
    /// It does not begin with the first event, and no earlier head says what came before.
    NotFromTheStart {
        /// The last event that is not in it.
        before: u64,
    },
    /// The server itself has found its record cut or rewritten, and has not signed it.
    NotSigned {
        /// The event that it had seen, and that is not there any more or is another.
        seq: u64,
    },
    /// By its own time an event happened long before a head was signed that stands before it. A warning:
    /// it was sealed like that. A clock may have been wrong, or somebody has written it into the database.
    Late {
        /// Its number.
        seq: u64,
        /// Its own time.
        at: Timestamp,
        /// When the head was signed.
        signed: Timestamp,
    },
    /// The event with which the server told that its record was cut or rewritten. A warning: it was sealed
    /// like that, and what there was before may be gone.
    Alarm {
        /// Its number.
        seq: u64,
    },
}

impl Finding {
    /// What kind it is: a word that stays the same.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unreadable { .. } => "unreadable",
            Self::Changed { .. } => "changed",
            Self::Missing { .. } => "missing",
            Self::Reordered { .. } => "reordered",
            Self::Repeated { .. } => "repeated",
            Self::AnotherTenant { .. } => "another-tenant",
            Self::ForgedHead { .. } => "forged-head",
            Self::HeadMisfit { .. } => "head-misfit",
            Self::Rewritten { .. } => "rewritten",
            Self::CutOff { .. } => "cut-off",
            Self::NoHeadAtTheEnd { .. } => "no-head-at-the-end",
            Self::NotFromTheStart { .. } => "not-from-the-start",
            Self::NotSigned { .. } => "not-signed",
            Self::Late { .. } => "late",
            Self::Alarm { .. } => "alarm",
        }
    }

    /// The first event that it is about, where it is about one.
    #[must_use]
    pub const fn seq(&self) -> Option<u64> {
        match *self {
            Self::Empty | Self::Unreadable { .. } => None,
            Self::Changed { seq }
            | Self::Reordered { seq }
            | Self::AnotherTenant { seq }
            | Self::HeadMisfit { seq }
            | Self::NotSigned { seq }
            | Self::Late { seq, .. }
            | Self::Alarm { seq } => Some(seq),
            Self::ForgedHead { seq } => seq,
            Self::Missing { from, .. }
            | Self::Repeated { from, .. }
            | Self::CutOff { from, .. } => Some(from),
            Self::Rewritten { since, .. } => Some(since.saturating_add(1)),
            Self::NoHeadAtTheEnd { covered, .. } => Some(covered.saturating_add(1)),
            Self::NotFromTheStart { .. } => Some(1),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing in it"),
            Self::Unreadable { line } => {
                write!(f, "line {line} is no line of an exported record")
            }
            Self::Changed { seq } => write!(
                f,
                "event {seq} was changed: it is not what was sealed after event {}",
                seq.saturating_sub(1)
            ),
            Self::Missing { from, to } if from == to => write!(f, "event {from} is missing"),
            Self::Missing { from, to } => write!(f, "events {from} to {to} are missing"),
            Self::Reordered { seq } => {
                write!(f, "event {seq}, or the head about it, is not in its place")
            }
            Self::Repeated { from, to } if from == to => {
                write!(f, "event {from} is there once more")
            }
            Self::Repeated { from, to } => write!(
                f,
                "events {from} to {to} are there once more, or come after what they belong before: give the parts in their order"
            ),
            Self::AnotherTenant { seq } => {
                write!(f, "event {seq}, or the head about it, is another tenant's")
            }
            Self::ForgedHead { seq: Some(seq) } => write!(
                f,
                "the head about event {seq} was not signed with the audit key"
            ),
            Self::ForgedHead { seq: None } => {
                f.write_str("a head was not signed with the audit key")
            }
            Self::HeadMisfit { seq } => write!(
                f,
                "the head after event {seq} was signed over other events than those before it"
            ),
            Self::Rewritten { since, until } => write!(
                f,
                "rewritten since head {since}: events {} to {until} are not those that the earlier head {until} was signed over",
                since.saturating_add(1)
            ),
            Self::CutOff { from, to } => write!(
                f,
                "cut off: there were events {from} to {to} once, as a signed head says"
            ),
            Self::NoHeadAtTheEnd { covered, last } => write!(
                f,
                "no signed head covers what comes after event {covered}: the end after event {last} may have been cut off"
            ),
            Self::NotFromTheStart { before } => write!(
                f,
                "it begins after event {before}: give what comes before it, or the earlier head {before}"
            ),
            Self::NotSigned { seq } => write!(
                f,
                "the server has not signed it: event {seq}, which it had seen, is not there any more or is another"
            ),
            Self::Late { seq, at, signed } => write!(
                f,
                "event {seq} says that it happened {} minutes before a head was signed that does not cover it: a clock was wrong, or somebody wrote it into the database",
                signed.since(*at).as_secs() / 60
            ),
            Self::Alarm { seq } => write!(
                f,
                "event {seq} is the server's alarm: its record had been cut or rewritten when that was recorded"
            ),
        }
    }
}
