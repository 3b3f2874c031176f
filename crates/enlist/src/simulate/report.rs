//! What came of it, in numbers.

use std::collections::BTreeMap;
use std::time::Duration;

use enlist_wire::Reading;
use serde::Serialize;

use super::gauge::Usage;
use super::ledger::{Op, Second, Totals, as_f64, histogram, quantile_ms};
use super::profile::Profile;
use super::verify::Verdict;
use crate::output::{self, Format, Row, Rows};
use crate::text::word;

/// The report of a run. What `--report` writes and `-o json` prints.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What the devices did.
    pub profile: Profile,
    /// How many devices there were.
    pub devices: u32,
    /// How many of them came to what they were to; all, where they were only to go on.
    pub done: u64,
    /// Whether it was ended from outside.
    pub interrupted: bool,
    /// The group on the server.
    pub group: String,
    /// The servers.
    pub servers: Vec<String>,
    /// How many devices had their turn at one time, at most.
    pub at_once: usize,
    /// How many times as fast as the system's the devices' clocks ran.
    pub time_factor: u32,
    /// How long it took to enroll the fleet before, seconds; absent where that was what it was about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enrolled_before_s: Option<f64>,
    /// How long the run itself took, seconds.
    pub lasted_s: f64,
    /// Exchange by exchange.
    pub operations: Vec<Operation>,
    /// Failures that may pass, so that the agent tries again.
    pub retries: u64,
    /// How many exchanges failed, by the slug of the problem; `no-answer` where there was none.
    pub errors: BTreeMap<String, u64>,
    /// 99 of 100 turns came no later after they were due, milliseconds; absent where all were due at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late_p99_ms: Option<f64>,
    /// What went over the wire, at the socket.
    pub traffic: Traffic,
    /// What the server used, where its process is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<Cost>,
    /// What the simulator used.
    pub simulator: Cost,
    /// What the simulator keeps in memory for a device that waits, bytes, all told.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_per_device: Option<u64>,
    /// Whether devices and record agree.
    pub verdict: Verdict,
    /// Second by second.
    pub timeline: Vec<Second>,
}

/// One kind of exchange.
#[derive(Debug, Serialize)]
pub struct Operation {
    /// Which.
    pub operation: &'static str,
    /// How many were answered.
    pub count: u64,
    /// How many a second, over the whole run.
    pub rate_per_s: f64,
    /// Half took no longer, milliseconds.
    pub p50_ms: f64,
    /// 9 of 10 took no longer.
    pub p90_ms: f64,
    /// 99 of 100 took no longer.
    pub p99_ms: f64,
    /// 999 of 1000 took no longer.
    pub p999_ms: f64,
    /// None took longer.
    pub max_ms: f64,
    /// How many failed.
    pub failed: u64,
}

/// What went over the wire: TLS with everything, and nothing of TCP.
#[derive(Debug, Serialize)]
pub struct Traffic {
    /// Bytes that devices sent.
    pub sent: u64,
    /// Bytes that devices received.
    pub received: u64,
    /// Connections.
    pub connections: u64,
    /// Those of them that resumed a TLS session.
    pub resumed: u64,
}

/// What a process used in the run.
#[derive(Debug, Serialize)]
pub struct Cost {
    /// Processor time, seconds.
    pub cpu_s: f64,
    /// The same for an exchange that was answered, microseconds.
    pub cpu_us_per_answer: f64,
    /// The most memory that the process has had since it started, bytes.
    pub peak_memory: u64,
}

impl Operation {
    /// All kinds that there were, out of sums.
    pub fn all(totals: &Totals, lasted: Duration) -> Vec<Self> {
        let lasted = lasted.as_secs_f64().max(0.001);
        let none = histogram();
        let one = |op: Op| {
            let failed = totals.failed.get(&op).copied().unwrap_or_default();
            let times = totals.answered.get(&op).unwrap_or(&none);
            (failed > 0 || !times.is_empty()).then(|| Self {
                operation: op.name(),
                count: times.len(),
                rate_per_s: as_f64(times.len()) / lasted,
                p50_ms: quantile_ms(times, 0.5),
                p90_ms: quantile_ms(times, 0.9),
                p99_ms: quantile_ms(times, 0.99),
                p999_ms: quantile_ms(times, 0.999),
                max_ms: as_f64(times.max()) / 1000.0,
                failed,
            })
        };
        Op::ALL.into_iter().filter_map(one).collect()
    }
}

impl Traffic {
    /// Between two readings.
    pub fn between(before: Reading, after: Reading) -> Self {
        Self {
            sent: after.sent - before.sent,
            received: after.received - before.received,
            connections: after.connections - before.connections,
            resumed: after.resumed - before.resumed,
        }
    }
}

impl Cost {
    /// Between two looks, for so many answers.
    pub fn between(before: Usage, after: Usage, answers: u64) -> Self {
        let cpu = after.cpu.saturating_sub(before.cpu).as_secs_f64();
        Self {
            cpu_s: cpu,
            cpu_us_per_answer: cpu * 1e6 / as_f64(answers.max(1)),
            peak_memory: after.peak_memory,
        }
    }
}

impl Report {
    /// Prints it: all of it as JSON, or the exchanges as a table, and below it the rest.
    pub fn print(&self, format: Option<Format>) -> anyhow::Result<()> {
        let format = format.unwrap_or(Format::Table);
        if format == Format::Json {
            return output::json(self);
        }
        let mut rows = Rows::of::<Operation>(format);
        for operation in &self.operations {
            rows.push(operation)?;
        }
        rows.finish()?;
        if format == Format::Csv {
            return Ok(());
        }
        output::line("").map_err(anyhow::Error::new)?;
        output::one(format, self)
    }
}

impl Row for Operation {
    const COLUMNS: &'static [&'static str] = &[
        "operation",
        "count",
        "per second",
        "p50 ms",
        "p90 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "failed",
    ];

    fn cells(&self) -> Vec<String> {
        let ms = |ms: f64| format!("{ms:.1}");
        vec![
            self.operation.to_owned(),
            self.count.to_string(),
            format!("{:.1}", self.rate_per_s),
            ms(self.p50_ms),
            ms(self.p90_ms),
            ms(self.p99_ms),
            ms(self.p999_ms),
            ms(self.max_ms),
            self.failed.to_string(),
        ]
    }
}

impl Row for Report {
    const COLUMNS: &'static [&'static str] = &[
        "profile",
        "devices",
        "done",
        "lasted",
        "group",
        "errors",
        "retries",
        "traffic",
        "connections",
        "turns late by p99",
        "server",
        "simulator",
        "invariants",
    ];

    fn cells(&self) -> Vec<String> {
        let errors = self.errors.iter().map(|(slug, n)| format!("{n} {slug}"));
        let errors: Vec<_> = errors.collect();
        let before = self.enrolled_before_s;
        let before = before.map(|s| format!(", after {s:.1} s to enroll the fleet"));
        let each = self.memory_per_device;
        let each = each.map(|bytes| format!(", {:.1} KiB a device", as_f64(bytes) / 1024.0));
        let cut = if self.interrupted { ", cut short" } else { "" };
        vec![
            match self.time_factor {
                0 | 1 => word(&self.profile),
                factor => format!("{}, {factor} times as fast", word(&self.profile)),
            },
            self.devices.to_string(),
            self.done.to_string(),
            format!("{:.1} s{cut}{}", self.lasted_s, before.unwrap_or_default()),
            self.group.clone(),
            if errors.is_empty() {
                "none".to_owned()
            } else {
                errors.join(", ")
            },
            self.retries.to_string(),
            format!(
                "{} sent, {} received",
                mib(self.traffic.sent),
                mib(self.traffic.received)
            ),
            format!(
                "{}, {} of them resumed",
                self.traffic.connections, self.traffic.resumed
            ),
            match self.late_p99_ms {
                Some(late) => format!("{late:.1} ms"),
                None => "all were due at once".to_owned(),
            },
            match &self.server {
                Some(cost) => cost.words(),
                None => "its process is not known (--server-pid)".to_owned(),
            },
            self.simulator.words() + &each.unwrap_or_default(),
            self.verdict.words(),
        ]
    }
}

impl Cost {
    fn words(&self) -> String {
        format!(
            "{:.1} s of processor time, {:.0} µs an answer, {} at most",
            self.cpu_s,
            self.cpu_us_per_answer,
            mib(self.peak_memory)
        )
    }
}

impl Verdict {
    fn words(&self) -> String {
        let agree = format!("{} enrolled, {} on record", self.enrolled, self.on_record);
        if let Some(why) = &self.not_compared {
            return format!("NOT COMPARED: {} enrolled; {why}", self.enrolled);
        }
        let counts = [
            (self.under_way, "in the middle of something"),
            (self.without_certificate, "without a certificate"),
            (self.shared_identity, "that share an identity"),
            (self.off_record, "off record"),
            (self.unknown_to_device, "on record and not of this fleet"),
        ];
        let there = counts.iter().filter(|(count, _)| *count > 0);
        let there: String = there
            .map(|(count, what)| format!(", {count} {what}"))
            .collect();
        if self.holds() {
            return format!("hold: {agree}{there}");
        }
        format!("BROKEN: {agree}{there}: {}", self.examples.join(", "))
    }
}

fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", as_f64(bytes) / 1024.0 / 1024.0)
}
