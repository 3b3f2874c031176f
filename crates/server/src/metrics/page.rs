//! The text that metrics are told in: the Prometheus exposition format, version 0.0.4.

use std::fmt::Write as _;

use enlist_core::DurationsCounted;

/// What Prometheus calls the format.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A page of metrics that is being written.
#[derive(Debug, Default)]
pub(super) struct Page(String);

/// Labels, in their order.
pub(super) type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Begins a metric whose samples follow. Its name is of letters and underscores.
    pub(super) fn metric(&mut self, kind: &str, name: &str, help: &str) {
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub(super) fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.0.push_str(name);
        self.labels(labels, None);
        let _ = writeln!(self.0, " {value}");
    }

    /// A counter with no labels.
    pub(super) fn counter(&mut self, name: &str, help: &str, value: u64) {
        self.metric("counter", name, help);
        self.sample(name, &[], value as f64);
    }

    /// A gauge with no labels.
    pub(super) fn gauge(&mut self, name: &str, help: &str, value: f64) {
        self.metric("gauge", name, help);
        self.sample(name, &[], value);
    }

    /// The samples of a histogram of seconds.
    pub(super) fn durations(&mut self, name: &str, labels: Labels<'_>, counted: &DurationsCounted) {
        for (bound, count) in &counted.up_to {
            let bound = bound.as_secs_f64().to_string();
            self.bucket(name, labels, &bound, *count);
        }
        self.histogram_end(name, labels, counted.count, counted.sum.as_secs_f64());
    }

    /// One bucket of a histogram: how many were at most `bound`.
    pub(super) fn bucket(&mut self, name: &str, labels: Labels<'_>, bound: &str, count: u64) {
        let _ = write!(self.0, "{name}_bucket");
        self.labels(labels, Some(bound));
        let _ = writeln!(self.0, " {count}");
    }

    /// The end of a histogram: how many there were, and what they come to together.
    pub(super) fn histogram_end(&mut self, name: &str, labels: Labels<'_>, count: u64, sum: f64) {
        self.bucket(name, labels, "+Inf", count);
        let _ = write!(self.0, "{name}_sum");
        self.labels(labels, None);
        let _ = write!(self.0, " {sum}\n{name}_count");
        self.labels(labels, None);
        let _ = writeln!(self.0, " {count}");
    }

    /// The whole page.
    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn labels(&mut self, labels: Labels<'_>, bound: Option<&str>) {
        let bound = bound.map(|bound| ("le", bound));
        let mut before = '{';
        for (name, value) in labels.iter().copied().chain(bound) {
            let _ = write!(self.0, "{before}{name}=\"");
            for letter in value.chars() {
                match letter {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    letter => self.0.push(letter),
                }
            }
            self.0.push('"');
            before = ',';
        }
        if before == ',' {
            self.0.push('}');
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use enlist_core::Durations;

    use super::*;

    #[test]
    fn what_a_label_holds_never_ends_it() {
        let mut page = Page::default();
        page.metric("gauge", "a", "b");
        page.sample("a", &[("c", "d\"} 1\n\\")], 2.0);
        assert_eq!(
            page.into_text(),
            "# HELP a b\n# TYPE a gauge\na{c=\"d\\\"} 1\\n\\\\\"} 2\n"
        );
    }

    #[test]
    fn a_histogram_is_cumulative_and_ends_with_infinity() {
        let durations = Durations::default();
        durations.count(Duration::from_micros(150));
        durations.count(Duration::from_secs(60));
        let mut page = Page::default();
        page.durations("a", &[("b", "c")], &durations.counted());
        let text = page.into_text();
        assert!(
            text.contains("a_bucket{b=\"c\",le=\"0.0001\"} 0\n"),
            "{text}"
        );
        assert!(
            text.contains("a_bucket{b=\"c\",le=\"0.00025\"} 1\n"),
            "{text}"
        );
        assert!(text.contains("a_bucket{b=\"c\",le=\"10\"} 1\n"), "{text}");
        assert!(text.contains("a_bucket{b=\"c\",le=\"+Inf\"} 2\n"), "{text}");
        assert!(
            text.ends_with("a_sum{b=\"c\"} 60.00015\na_count{b=\"c\"} 2\n"),
            "{text}"
        );
    }
}
