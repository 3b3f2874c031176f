//! The power goes at every write, files are cut short at every byte, the disk is full: the device is always
//! in a good state, and comes out where it was to go.
#![allow(clippy::unwrap_used, reason = "a test may")]

#[path = "common/statements.rs"]
mod statements;

use enlist_agent::configuration::{Checked, Keeper, ResetBy};
use enlist_agent::disk::Disk;
use enlist_signed::Target;
use serde_json::{Value, json};
use statements::*;

/// Does `deed` with the power going at each write, before it and after, and starts again. Each time what
/// programs read is one of `good`, and in the end the last of them. Returns at how many points it was cut.
fn cut_everywhere(
    prepared: impl Fn() -> Device,
    deed: impl Fn(&mut Keeper),
    good: &[Value],
) -> u32 {
    let mut points = 0;
    for cut in [Cut::Before, Cut::After] {
        for at in 0.. {
            let mut device = prepared();
            device.disk.cut = Some((at, cut));
            device.disk.writes = 0;
            let mut keeper = device.start();
            deed(&mut keeper);
            for _ in 0..200 {
                if device.disk.dark || device.step(&mut keeper).is_none() {
                    break;
                }
                let seen = device.config();
                assert!(good.contains(&seen), "{cut:?} {at}: {seen}");
            }
            drop(keeper);
            let was_cut = device.disk.dark;
            device.disk.dark = false;
            device.disk.cut = None;
            let mut keeper = device.start();
            assert!(good.contains(&device.config()), "{cut:?} {at}");
            // What was asked of it is asked again, as the server and the operator do.
            deed(&mut keeper);
            device.rest(&mut keeper);
            assert_eq!(Some(&device.config()), good.last(), "{cut:?} {at}");
            assert!(keeper.findings().is_empty(), "{:?}", keeper.findings());
            assert!(!keeper.is_busy());
            let again = device.start();
            assert_eq!(again.report(), keeper.report());
            assert_eq!(again.numbers(), keeper.numbers());
            if !was_cut {
                break;
            }
            points += 1;
        }
    }
    points
}

#[test]
fn a_configuration_is_never_half_applied() {
    let us = Signatory::new();
    let offer = both(
        us.group(2, json!({"speed": 30})),
        us.device(1, json!({"label": "a"})),
    );
    let before = json!({"speed": 20, "label": "", "password": "hunter2"});
    let after = json!({"speed": 30, "label": "a", "password": ""});
    let points = cut_everywhere(
        || Device::configured(&us),
        |keeper| keeper.offered(&offer, &who(), now()),
        &[before, after],
    );
    assert!(points > 20, "{points}");
}

#[test]
fn a_schema_version_is_never_half_stepped() {
    let us = Signatory::new();
    let offer = us.schema(2, 2, schema_2());
    let before = json!({"speed": 20, "label": "", "password": "hunter2"});
    let after = json!({"motor": {"rpm": 1200}, "label": "", "password": "hunter2"});
    let points = cut_everywhere(
        || Device::configured(&us),
        |keeper| keeper.offered(&offer, &who(), now()),
        &[before.clone(), after.clone()],
    );
    assert!(points > 20, "{points}");
    let back = both(
        us.schema(3, 1, schema_1()),
        us.layered(&layer(Target::Group, 2, 2, json!({}))),
    );
    cut_everywhere(
        || {
            let mut device = Device::configured(&us);
            device.takes(&offer);
            device
        },
        |keeper| keeper.offered(&back, &who(), now()),
        &[after, before],
    );
}

#[test]
fn the_way_back_from_a_hook_that_fails_survives_every_cut() {
    let us = Signatory::new();
    let offer = us.group(2, json!({"speed": 99}));
    let before = json!({"speed": 20, "label": "", "password": "hunter2"});
    let tried = json!({"speed": 99, "label": "", "password": ""});
    let prepared = || {
        let mut device = Device::configured(&us);
        device.hook = Box::new(|config| match config["speed"] == 99 {
            true => Checked::Failed("no".into()),
            false => Checked::Good,
        });
        device
    };
    let deed = |keeper: &mut Keeper| keeper.offered(&offer, &who(), now());
    let points = cut_everywhere(prepared, deed, &[tried, before]);
    assert!(points > 20, "{points}");
}

#[test]
fn a_reset_is_never_half_done() {
    let us = Signatory::new();
    let before = json!({"speed": 20, "label": "", "password": "hunter2"});
    let after = json!({"speed": 10, "label": "", "password": ""});
    let points = cut_everywhere(
        || Device::configured(&us),
        |keeper| keeper.reset(ResetBy::CommandLine),
        &[before, after],
    );
    assert!(points > 10, "{points}");
}

/// Every file that a device keeps, cut short: the device finds back to what it had, at the latest once
/// the server has given it what it lacks.
#[test]
fn a_file_cut_short_at_any_byte_is_made_good() {
    let us = Signatory::new();
    let offers = [
        us.schema(1, 1, schema_1()),
        us.group(1, json!({"speed": 20, "password": "hunter2"})),
        us.device(1, json!({"label": "a"})),
    ];
    let mut whole = Device::configured(&us);
    whole.takes(&offers[2]);
    let good = whole.config();
    let report = whole.start().report().unwrap();
    let files = files(&whole, "configuration");
    assert!(files.len() > 10, "{files:?}");
    for file in files {
        let content = whole.disk.read(&file).unwrap().unwrap();
        for at in 0..content.len() {
            let mut device = Device::new(&us);
            device.disk = whole.disk.clone();
            device.disk.inner.write(&file, &content[..at]).unwrap();
            let mut keeper = device.start();
            device.rest(&mut keeper);
            let numbers = keeper.numbers();
            // The server sends what is above the numbers that it is told.
            let mut offer = both(
                offers[0].clone(),
                both(offers[1].clone(), offers[2].clone()),
            );
            offer.schema = offer.schema.filter(|_| numbers.schema < 1);
            offer.group = offer.group.filter(|_| numbers.group < 1);
            offer.device = offer.device.filter(|_| numbers.device < 1);
            keeper.offered(&offer, &who(), now());
            device.rest(&mut keeper);
            assert_eq!(device.config(), good, "{file} at {at}");
            let after = keeper.report().unwrap();
            assert_eq!(
                (after.in_force, after.digest),
                (report.in_force, report.digest.clone()),
                "{file} at {at}"
            );
            assert_eq!(after.refused, None, "{file} at {at}");
            let again = device.start();
            assert!(
                again.findings().is_empty(),
                "{file} at {at}: {:?}",
                again.findings()
            );
        }
    }
}

fn files(device: &Device, directory: &str) -> Vec<String> {
    let names = device.disk.list(directory).unwrap();
    let paths = names.iter().map(|name| format!("{directory}/{name}"));
    paths
        .flat_map(|path| match device.disk.read(&path).unwrap() {
            Some(_) => vec![path],
            None => files(device, &path),
        })
        .collect()
}

#[test]
fn where_what_is_in_force_is_gone_altogether_the_one_before_is_put_back() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    device.takes(&us.group(2, json!({"speed": 30})));
    let slot = device
        .disk
        .target("configuration/current")
        .unwrap()
        .unwrap();
    for directory in [slot.as_str(), "known"] {
        device
            .disk
            .inner
            .remove(&format!("configuration/{directory}"))
            .unwrap();
    }
    assert!(!device.start().findings().is_empty());
    let mut keeper = device.start();
    device.rest(&mut keeper);
    assert_eq!(device.config()["speed"], 20);
    let report = keeper.report().unwrap();
    assert_eq!(
        (
            report.because.as_str(),
            report.refused.unwrap().reason.as_str()
        ),
        ("rolled-back", "damaged")
    );
    // It asks for what it lacks, and is given it.
    assert_eq!(keeper.numbers().group, 1);
    keeper.offered(&us.group(2, json!({"speed": 30})), &who(), now());
    device.rest(&mut keeper);
    assert_eq!(device.config()["speed"], 30);
    assert_eq!(reason(&keeper), None);
}

#[test]
fn what_somebody_wrote_into_the_configuration_in_force_is_put_right() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let slot = device
        .disk
        .target("configuration/current")
        .unwrap()
        .unwrap();
    let path = format!("configuration/{slot}/config.json");
    device
        .disk
        .inner
        .write(&path, br#"{"speed": 1000000}"#)
        .unwrap();
    let mut keeper = device.start();
    device.rest(&mut keeper);
    assert_eq!(device.config()["speed"], 20);
    assert!(device.told("damaged"));
}

#[test]
fn a_full_or_read_only_disk_leaves_what_is_in_force_and_is_tried_again() {
    let us = Signatory::new();
    let mut device = Device::configured(&us);
    let mut keeper = device.start();
    device.disk.refuses = true;
    keeper.offered(&us.group(2, json!({"speed": 30})), &who(), now());
    device.rest(&mut keeper);
    assert_eq!(device.config()["speed"], 20);
    assert_eq!(reason(&keeper).as_deref(), Some("not-stored"));
    assert_eq!(
        device.notes.iter().filter(|note| note.is_trouble()).count(),
        1
    );
    assert!(keeper.is_busy());
    let due = keeper.due().unwrap();
    // The server offers it once more meanwhile; it stays quiet.
    keeper.offered(&us.group(2, json!({"speed": 30})), &who(), now());
    device.rest(&mut keeper);
    assert!(
        keeper
            .step(&mut device.disk, &mut |_| Checked::Good, due)
            .is_some()
    );
    assert_eq!(
        device.notes.iter().filter(|note| note.is_trouble()).count(),
        1
    );
    let later = keeper.due().unwrap();
    assert!(
        later.since(due) > due.since(now()),
        "it tries less and less often"
    );
    device.disk.refuses = false;
    while let Some(note) = keeper.step(&mut device.disk, &mut |_| Checked::Good, later) {
        device.notes.extend(note);
    }
    assert_eq!(device.config()["speed"], 30);
    assert_eq!((reason(&keeper), keeper.due()), (None, None));
    assert!(device.told("can be stored again"));
}
