//! `enlist-agent config`: what the programs on the device go by.

use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use enlist_core::{Clock, SystemClock};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{Exit, Output, print, report, say};
use crate::config::Configuration;
use crate::configuration::{self, Keeper, ResetBy};
use crate::disk::{Disk, FileDisk, Locked};
use crate::explain;
use crate::log::Log;
use crate::time::{BootTime, DeviceClock, built_at};
use crate::wipe;

/// What to do with it.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// Show it, and its secrets if they are wanted.
    Show { reveal: bool },
    /// Show who changed it.
    Log,
    /// Go back to the defaults.
    Reset { wait: Duration },
    /// Look whether it is whole.
    Verify,
}

pub(super) fn config(config: &Path, what: What, output: Output) -> Exit {
    let told = match Configuration::load(config) {
        Ok(told) => told,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let look = FileDisk::look(&told.persistent_directory);
    let open = || Keeper::open(&look, configuration::keys(&told), SystemClock.now());
    match what {
        What::Show { reveal } => show(&open(), reveal, output),
        What::Log => log(&look, output),
        What::Reset { wait } => reset(&told, wait, output),
        What::Verify => verify(&open(), output),
    }
}

fn show(keeper: &Keeper, reveal: bool, output: Output) -> Exit {
    let report = keeper.report();
    let values = match reveal {
        true => keeper.values().cloned(),
        false => keeper.masked_values(),
    };
    let report_json = serde_json::to_value(&report).unwrap_or(Value::Null);
    if output == Output::Json {
        print(&json!({ "report": report_json, "values": values }).to_string());
    } else {
        let Some(report) = report else {
            print("no configuration; nothing was stated for this device yet");
            return Exit::Refused;
        };
        let numbers = report.in_force;
        let mut fields = vec![
            (
                "schema",
                json!(format!(
                    "{} (version {})",
                    numbers.schema, report.schema_version
                )),
            ),
            ("group", json!(numbers.group)),
            ("device", json!(numbers.device)),
            ("because", json!(report.because)),
            ("since", json!(report.since.to_string())),
            ("digest", json!(report.digest)),
        ];
        if let Some(refused) = &report.refused {
            fields.push((
                "refused",
                json!(format!("{}: {}", refused.reason, refused.detail)),
            ));
        }
        report::list(fields, output);
        if let Some(values) = &values {
            print(&format!("\n{values:#}"));
        }
    }
    if values.is_some() {
        Exit::Done
    } else {
        Exit::Refused
    }
}

fn log(disk: &FileDisk, output: Output) -> Exit {
    let text = match configuration::changes(disk) {
        Ok(text) => text,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    let lines = text
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    if output == Output::Json {
        print(&lines.collect::<Value>().to_string());
        return Exit::Done;
    }
    for line in lines {
        let word = |name: &str| match &line[name] {
            Value::Null => "-".to_owned(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let what = match (&line["what"], &line["why"]) {
            (Value::Null, Value::Null) => String::new(),
            (Value::Null, _) => word("why"),
            _ => format!("{} from {} to {}", word("what"), word("from"), word("to")),
        };
        let line = format!(
            "{}  {:<11}  {}  {what}",
            word("at"),
            word("did"),
            word("who")
        );
        print(&crate::log::one_line(&line));
    }
    Exit::Done
}

fn verify(keeper: &Keeper, output: Output) -> Exit {
    let findings = keeper.findings();
    if output == Output::Json {
        print(&json!({ "good": findings.is_empty(), "findings": findings }).to_string());
    } else if findings.is_empty() {
        print("the configuration is whole");
    } else {
        print(&findings.join("\n"));
    }
    if findings.is_empty() {
        Exit::Done
    } else {
        Exit::Refused
    }
}

fn reset(told: &Configuration, wait: Duration, output: Output) -> Exit {
    let log = Log::new(Arc::new(SystemClock));
    let directory = &told.persistent_directory;
    match FileDisk::open(directory) {
        Ok(mut disk) => {
            if wipe::is_under_way(&disk).unwrap_or(true) {
                log.error("this device is being wiped");
                return Exit::Refused;
            }
            let clock = DeviceClock::new(Arc::new(SystemClock), Arc::new(BootTime), built_at());
            let mut keeper = Keeper::open(&disk, configuration::keys(told), clock.now());
            keeper.reset(ResetBy::CommandLine);
            let mut hook = configuration::hook(told);
            while let Some(note) = keeper.step(&mut disk, &mut hook, clock.now()) {
                match note {
                    Some(note) if note.is_trouble() => log.warn(note),
                    Some(note) => log.info(note),
                    None => {}
                }
            }
            if keeper.is_busy() {
                return Exit::NotYet;
            }
            show(&keeper, false, output);
            match keeper.report() {
                Some(report) if report.refused.is_some() => Exit::Refused,
                _ => Exit::Done,
            }
        }
        Err(Locked::Busy { pid: Some(pid), .. }) => ask(pid, directory, wait, &log),
        Err(error) => {
            say(&error);
            Exit::Refused
        }
    }
}

/// Leaves a request for the agent that is at work, and waits until it has done it.
fn ask(pid: i32, directory: &Path, wait: Duration, log: &Log) -> Exit {
    let mut disk = FileDisk::look(directory);
    if let Err(error) = configuration::request_reset(&mut disk, ResetBy::CommandLine) {
        log.error(format_args!(
            "the request can't be left: {}",
            explain(&error)
        ));
        return Exit::Refused;
    }
    let asked = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::HUP));
    if !matches!(asked, Some(Ok(()))) {
        log.error(format_args!(
            "the agent that runs (process {pid}) can't be asked; `kill -HUP {pid}` as its user does it"
        ));
        return Exit::Refused;
    }
    let start = Instant::now();
    while start.elapsed() < wait {
        sleep(Duration::from_millis(100));
        if disk
            .list(configuration::REQUEST)
            .is_ok_and(|left| left.is_empty())
        {
            return Exit::Done;
        }
    }
    log.warn(
        "the agent that runs was asked for the defaults, and has not done so yet; its log says why",
    );
    Exit::NotYet
}
