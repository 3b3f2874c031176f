use std::io::{IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;
use std::thread::sleep;
use std::time::{Duration, Instant};

use enlist_core::{Clock, SystemClock};
use enlist_signed::{Envelope, ErasedItem, Erasure, OrderedBy, Receipt};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::wiping::Wiping;
use super::{Exit, Output, print, report, say};
use crate::config::Configuration;
use crate::disk::{Disk, FileDisk, Locked, Vault};
use crate::log::Log;
use crate::machine::State;
use crate::wipe::{self, Delivery, Journal, Order, RECEIPT, Request, WipeProgress};

/// Wipes this device.
pub(super) fn decommission(
    config: &Path,
    reason: Option<String>,
    yes: bool,
    wait: u64,
    output: Output,
) -> Exit {
    let configuration = match Configuration::load(config) {
        Ok(configuration) => configuration,
        Err(error) => {
            say(&error);
            return Exit::Misconfigured;
        }
    };
    let log = Log::new(Arc::new(SystemClock));
    let directory = &configuration.persistent_directory;
    let look = FileDisk::look(directory);
    let under_way = wipe::is_under_way(&look).unwrap_or(false);
    if !under_way && !yes && !confirmed(directory) {
        return Exit::Misconfigured;
    }
    let wait = Duration::from_secs(wait);
    match FileDisk::open(directory) {
        Ok(mut disk) => {
            let order = Order {
                by: OrderedBy::CommandLine,
                command: None,
                reason,
                keep_copy: false,
            };
            if let Err(error) = wipe::begin(&mut disk, &order, SystemClock.now()) {
                say(&error);
                return Exit::Refused;
            }
            carry_out(&configuration, disk, wait, output, &log)
        }
        Err(Locked::Busy { pid: Some(pid), .. }) => {
            let request = Request {
                reason,
                keep_copy: true,
            };
            ask(pid, directory, &request, wait, output, &log)
        }
        Err(error) => {
            say(&error);
            Exit::Refused
        }
    }
}

/// Asks whoever sits at the terminal. Where there is none, nobody has confirmed anything.
fn confirmed(directory: &Path) -> bool {
    let mut out = std::io::stderr();
    if !std::io::stdin().is_terminal() {
        let _ = writeln!(
            out,
            "enlist-agent: this erases the device's identity and all that wipe_paths names; say --yes"
        );
        return false;
    }
    let state = Vault::new(FileDisk::look(directory)).state().ok().flatten();
    let own = state.as_ref().and_then(State::identity);
    let word = own.map_or_else(|| "wipe".to_owned(), |own| own.name.clone());
    let _ = write!(
        out,
        "This erases the device's identity and all that wipe_paths names.\n\
         Type `{word}` to go on: "
    );
    let mut line = String::new();
    let read = std::io::stdin().read_line(&mut line);
    read.is_ok() && line.trim() == word
}

/// Carries the wipe out, as far as it gets in this time.
fn carry_out(
    configuration: &Configuration,
    disk: FileDisk,
    wait: Duration,
    output: Output,
    log: &Log,
) -> Exit {
    let mut wiping = match Wiping::open(configuration, disk) {
        Ok(Some(wiping)) => wiping,
        Ok(None) => return Exit::Done,
        Err(error) => {
            say(&error);
            return Exit::Refused;
        }
    };
    let start = Instant::now();
    loop {
        match wiping.step(log) {
            WipeProgress::Went(_) => {}
            WipeProgress::Wait(until) => {
                let pause = wiping.left(until);
                if start.elapsed() + pause > wait {
                    log.warn(
                        "the wipe is not over; `enlist-agent run` goes on with it, and so does this \
                         command",
                    );
                    return Exit::NotYet;
                }
                sleep(pause);
            }
            WipeProgress::Clean => return done(wiping.journal(), output),
        }
    }
}

/// Asks the agent that is at work, and waits until it has done it.
fn ask(
    pid: i32,
    directory: &Path,
    request: &Request,
    wait: Duration,
    output: Output,
    log: &Log,
) -> Exit {
    let mut disk = FileDisk::look(directory);
    if let Err(error) = wipe::ask(&mut disk, request) {
        say(&error);
        return Exit::Refused;
    }
    let asked = Pid::from_raw(pid).map(|pid| kill_process(pid, Signal::USR2));
    if !matches!(asked, Some(Ok(()))) {
        log.error(format_args!(
            "the agent that runs (process {pid}) can't be asked; it wipes the device when it is \
             started the next time"
        ));
        return Exit::NotYet;
    }
    let start = Instant::now();
    let mut last = None;
    loop {
        match Journal::read(&disk) {
            Ok(Some(journal)) => last = Some(journal),
            // The request goes with the rest, so what is over has been carried out.
            Ok(None) if wipe::asked(&disk).is_ok_and(|asked| asked.is_none()) => break,
            _ => {}
        }
        if start.elapsed() > wait {
            log.warn("the agent that runs goes on with the wipe; its log says how far it is");
            return Exit::NotYet;
        }
        sleep(Duration::from_millis(50));
    }
    // Where the end was too quick to be seen, the copy has what there is to say.
    let copy = disk.read(RECEIPT).ok().flatten();
    let receipt = copy.and_then(|json| Envelope::from_json(&json).ok());
    let refused = last.as_ref().and_then(|last| match &last.delivery {
        Some(Delivery::Refused(why)) => Some(why.clone()),
        _ => None,
    });
    if refused.is_none()
        && let Err(why) = disk.erase(RECEIPT)
    {
        log.warn(format_args!("receipt.json can't be removed: {why}"));
    }
    let erased = match (&receipt, last) {
        (Some(receipt), _) => stated(receipt),
        (None, Some(last)) => last.erased(),
        (None, None) => Vec::new(),
    };
    show(&erased, receipt.as_ref(), refused.as_deref(), output)
}

fn done(journal: &Journal, output: Output) -> Exit {
    let refused = match &journal.delivery {
        Some(Delivery::Refused(why)) => Some(why.as_str()),
        _ => None,
    };
    show(&journal.erased(), journal.receipt.as_ref(), refused, output)
}

/// Shows what came of it. Whatever could not be erased is a failure.
fn show(
    erased: &[ErasedItem],
    receipt: Option<&Envelope>,
    refused: Option<&str>,
    output: Output,
) -> Exit {
    if output == Output::Json {
        print(
            &json!({
                "wiped": true,
                "erased": erased,
                "receipt": receipt.map(Envelope::to_value),
                "receipt_refused": refused,
            })
            .to_string(),
        );
    } else {
        let mut fields: Vec<(&str, Value)> = vec![("state", json!("clean"))];
        fields.extend(erased.iter().map(|item| {
            let result = match &item.result {
                Erasure::Erased => "erased".to_owned(),
                Erasure::Absent => "there was none".to_owned(),
                Erasure::Failed(why) => format!("FAILED: {why}"),
            };
            (item.what.as_str(), json!(result))
        }));
        let words = match (receipt, refused) {
            (None, _) => "none: the device had nothing to sign one with".to_owned(),
            (Some(_), None) => "on record with the server".to_owned(),
            (Some(_), Some(why)) => format!("refused by the server, left in {RECEIPT}: {why}"),
        };
        fields.push(("receipt", json!(words)));
        report::list(fields, output);
    }
    let failed = erased
        .iter()
        .any(|item| matches!(item.result, Erasure::Failed(_)));
    if failed || refused.is_some() {
        Exit::Refused
    } else {
        Exit::Done
    }
}

/// What a receipt of this device's own says; nobody else's is ever shown here.
fn stated(receipt: &Envelope) -> Vec<ErasedItem> {
    match receipt.claim::<Receipt>() {
        Ok(receipt) => receipt.erased,
        Err(error) => {
            say(&error);
            Vec::new()
        }
    }
}
