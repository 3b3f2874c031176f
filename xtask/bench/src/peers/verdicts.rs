//! What the figures are to be, and whether they are.

use super::rounds::Work;
use super::{Comparison, Pair};

/// A line of a table.
pub(super) struct Line {
    pub(super) figure: String,
    pub(super) values: Vec<String>,
    /// What it is to be, what it is, and whether that will do.
    pub(super) aim: Option<Aim>,
}

/// What a figure is to be.
pub(super) struct Aim {
    pub(super) text: String,
    pub(super) is: String,
    pub(super) met: bool,
}

impl Line {
    fn plain(figure: &str, values: Vec<String>) -> Self {
        Self {
            figure: figure.to_owned(),
            values,
            aim: None,
        }
    }

    fn with(mut self, text: &str, is: String, met: bool) -> Self {
        let text = text.to_owned();
        self.aim = Some(Aim { text, is, met });
        self
    }
}

/// Server CPU a certificate: the main figure.
pub(super) fn cpu(of: &Comparison) -> Vec<Line> {
    let line = |work: Work| {
        let cpu = of.work[work as usize].map(|medians| medians.map(|it| it.cpu));
        let line = Line::plain(work.called(), cpu.map(|it| unit(it, "µs")).to_vec());
        // At most so much of step-ca's, and of cfssl's.
        let most = match work {
            Work::EnrollKept => [5.0, 4.0],
            Work::EnrollNew => [4.0, 4.0],
            Work::RenewNew => [3.0, f64::NAN],
            Work::RenewKept => [4.0, f64::NAN],
        };
        beside(line, &cpu, most)
    };
    Work::ALL.map(line).into()
}

/// What clients see.
pub(super) fn clients(of: &Comparison) -> Vec<Line> {
    let mut lines = Vec::new();
    for work in Work::ALL {
        let medians = of.work[work as usize];
        let slow = medians.map(|medians| medians.map(|it| it.slow));
        let called = work.called();
        let rate = medians.map(|it| unit(it.map(|it| it.rate), "/s"));
        lines.push(Line::plain(&format!("{called}: a second"), rate.to_vec()));
        let half = medians.map(|it| unit(it.map(|it| it.half), "ms"));
        lines.push(Line::plain(&format!("{called}: p50"), half.to_vec()));
        let line = Line::plain(
            &format!("{called}: p99"),
            slow.map(|it| unit(it, "ms")).to_vec(),
        );
        lines.push(beside(line, &slow, [3.0, f64::NAN]));
    }
    lines
}

/// Memory, and the disk.
pub(super) fn resources(of: &Comparison) -> Vec<Line> {
    let peak = of.memory.map(|it| Some(it.peak as f64 / 1024.0));
    let memory = Line::plain(
        "peak memory under this load",
        peak.map(|it| unit(it, "MiB")).to_vec(),
    );
    let syncs = of.syncs.map(|it| unit(Some(it), "")).to_vec();
    let idle = [Some(of.idle[0]), Some(of.idle[1]), None];
    let kib = of.idle[0];
    vec![
        beside(memory, &peak, [3.0, f64::NAN]),
        Line::plain("made durable (fsync and the like) for a certificate", syncs).with(
            "≤ 0.25",
            number(of.syncs[0]),
            of.syncs[0] <= 0.25,
        ),
        Line::plain(
            "memory of an idle TLS connection",
            idle.map(|it| unit(it, "KiB")).to_vec(),
        )
        .with("≤ 20 KiB", number(kib), kib <= 20.0),
    ]
}

/// This program beside itself and beside physics.
pub(super) fn alone(of: &Comparison) -> Vec<Line> {
    let kept = of.physics.check + of.physics.sign;
    let new = kept + of.physics.handshake;
    let mut lines = vec![
        physics(of, Work::EnrollKept, kept),
        physics(of, Work::EnrollNew, new),
    ];
    let durable = of.durability.disk / of.durability.memory;
    lines.push(
        Line::plain(
            "enrollments a second at 32 connections: on disk, in memory",
            vec![
                unit(Some(of.durability.disk), "/s"),
                unit(Some(of.durability.memory), "/s"),
            ],
        )
        .with("≥ 0.85 ×", number(durable), durable >= 0.85),
    );
    let devices = grouped(of.size.devices);
    let growth = [
        (
            format!("CPU of an enrollment: {devices} devices, none"),
            of.growth.cpu,
            1.3,
            "µs",
        ),
        (
            format!("restart to first certificate: {devices} devices, none"),
            of.growth.start,
            1.1,
            "ms",
        ),
    ];
    for (figure, [full, empty], most, its) in growth {
        let ratio = full / empty;
        let values = vec![unit(Some(full), its), unit(Some(empty), its)];
        lines.push(Line::plain(&figure, values).with(
            &format!("≤ {most} ×"),
            number(ratio),
            ratio <= most,
        ));
    }
    let made = unit(Some(of.bulk.rate), "/s");
    let line = Line::plain(
        &format!("{devices} devices made in one call"),
        vec![made.clone(), String::new()],
    );
    lines.push(line.with("≥ 50,000 /s", made, of.bulk.rate >= 50_000.0));
    let [tenth, all] = of.bulk.grown.map(|it| unit(Some(it), "MiB"));
    lines.push(Line::plain(
        "memory that this takes: all of them, a tenth",
        vec![all, tenth],
    ));
    lines.extend(of.pair.map(pair));
    lines
}

fn physics(of: &Comparison, work: Work, floor: f64) -> Line {
    let cpu = of.work[work as usize][0].map_or(f64::NAN, |it| it.cpu);
    let values = vec![unit(Some(cpu), "µs"), unit(Some(floor), "µs")];
    let ratio = cpu / floor;
    Line::plain(
        &format!("CPU of an {}, and its cryptography alone", work.called()),
        values,
    )
    .with("≤ 1.5 ×", number(ratio), ratio <= 1.5)
}

fn pair(pair: Pair) -> Line {
    let [one, two] = pair.rate;
    Line::plain(
        "on PostgreSQL, enrollments a second: one server, two together",
        vec![unit(Some(one), "/s"), unit(Some(two), "/s")],
    )
}

/// Adds how many times less than the others' it is, where it is to be at least so many times.
fn beside(line: Line, values: &[Option<f64>; 3], least: [f64; 2]) -> Line {
    let [Some(own), others @ ..] = values else {
        return line;
    };
    let aims = others.iter().zip(least).zip(&super::NAMES[1..]);
    let (mut texts, mut are, mut met) = (Vec::new(), Vec::new(), true);
    for ((other, least), name) in aims {
        let (Some(other), false) = (other, least.is_nan()) else {
            continue;
        };
        texts.push(format!("≤ 1/{least} of {name}"));
        are.push(format!("1/{}", number(other / own)));
        met &= own * least <= *other;
    }
    line.with(&texts.join(", "), are.join(", "), met)
}

fn unit(value: Option<f64>, unit: &str) -> String {
    value.map_or_else(
        || "–".to_owned(),
        |value| format!("{} {unit}", number(value)).trim().to_owned(),
    )
}

/// As many digits as count.
fn number(value: f64) -> String {
    match value {
        value if value < 10.0 => format!("{value:.2}"),
        value if value < 100.0 => format!("{value:.1}"),
        value if value.is_nan() => "–".to_owned(),
        value => grouped(value.round() as u64),
    }
}

/// Thousands apart.
fn grouped(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line() -> Line {
        Line::plain("this", Vec::new())
    }

    #[test]
    fn an_aim_is_met_only_beside_all_for_whom_it_is_set() {
        let values = [Some(100.0), Some(500.0), Some(399.0)];
        let both = beside(line(), &values, [5.0, 4.0]).aim.unwrap();
        assert!(!both.met);
        assert_eq!(both.is, "1/5.00, 1/3.99");
        let one = beside(line(), &values, [5.0, f64::NAN]).aim.unwrap();
        assert!(one.met);
        assert_eq!(one.text, "≤ 1/5 of step-ca");
    }

    #[test]
    fn numbers_can_be_read() {
        assert_eq!(number(0.256), "0.26");
        assert_eq!(number(45.67), "45.7");
        assert_eq!(number(1_234_567.0), "1,234,567");
        assert_eq!(number(f64::NAN), "–");
    }
}
