use std::time::{Duration, Instant};

/// What a button does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Edge {
    /// It goes down.
    Down,
    /// It comes up, or it is not known any more what it does.
    Up,
}

/// How long a button has been down.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    hold: Duration,
    down: Option<Instant>,
    /// Whether this press has counted already: once is enough.
    counted: bool,
}

impl Held {
    /// A button that counts when it is held for `hold`.
    pub(super) fn new(hold: Duration) -> Self {
        Self {
            hold,
            down: None,
            counted: false,
        }
    }

    /// The button has done something.
    pub(super) fn edge(&mut self, edge: Edge, now: Instant) {
        match edge {
            Edge::Down => {
                self.down.get_or_insert(now);
            }
            Edge::Up => {
                self.down = None;
                self.counted = false;
            }
        }
    }

    /// How long it still has to be held; `None` when there is nothing to wait for.
    pub(super) fn left(&self, now: Instant) -> Option<Duration> {
        let down = self.down.filter(|_| !self.counted)?;
        Some(
            self.hold
                .saturating_sub(now.saturating_duration_since(down)),
        )
    }

    /// Whether it has been held long enough: once for each press.
    pub(super) fn is_due(&mut self, now: Instant) -> bool {
        let due = self.left(now).is_some_and(|left| left.is_zero());
        self.counted |= due;
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOLD: Duration = Duration::from_secs(10);

    fn after(start: Instant, secs: u64) -> Instant {
        start + Duration::from_secs(secs)
    }

    #[test]
    fn a_press_counts_once_and_only_when_held_long_enough() {
        let start = Instant::now();
        let mut held = Held::new(HOLD);
        assert!(!held.is_due(after(start, 100)), "nobody has pressed it");
        held.edge(Edge::Down, start);
        assert_eq!(held.left(after(start, 4)), Some(Duration::from_secs(6)));
        assert!(!held.is_due(after(start, 9)));
        assert!(held.is_due(after(start, 10)));
        assert!(!held.is_due(after(start, 20)), "once is enough");
        assert_eq!(held.left(after(start, 20)), None, "nothing to wake up for");
        held.edge(Edge::Up, after(start, 21));
        held.edge(Edge::Down, after(start, 22));
        assert!(held.is_due(after(start, 32)), "the next press counts anew");
    }

    #[test]
    fn presses_do_not_add_up() {
        let start = Instant::now();
        let mut held = Held::new(HOLD);
        for second in [0, 9, 18] {
            held.edge(Edge::Down, after(start, second));
            held.edge(Edge::Down, after(start, second + 4));
            assert!(!held.is_due(after(start, second + 8)));
            held.edge(Edge::Up, after(start, second + 8));
        }
        assert!(!held.is_due(after(start, 60)));
    }
}
