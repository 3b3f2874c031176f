//! What a wipe does to real files, in the hands of somebody who wants it to go wrong.

#![allow(clippy::unwrap_used, reason = "a test may")]

mod common;

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use common::Rig;
use enlist_agent::config::{Configuration, HookCommand};
use enlist_agent::disk::{Disk, MemoryDisk};
use enlist_agent::wipe::{self, FileGround, Ground, Journal, Order};
use enlist_core::Timestamp;
use enlist_signed::{Erasure, OrderedBy};
use tempfile::TempDir;

struct Place {
    home: TempDir,
    configuration: Configuration,
}

impl Place {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = |name: &str| home.path().join(name);
        let mut configuration = Rig::new().configuration;
        fs::create_dir_all(path("etc")).unwrap();
        fs::create_dir_all(path("agent/slots")).unwrap();
        fs::write(path("etc/config.json"), "{}").unwrap();
        fs::write(path("etc/identity.json"), r#"{"device_token":"edt_x"}"#).unwrap();
        configuration.persistent_directory = path("agent");
        configuration.files = vec![path("etc/config.json"), path("etc/identity.json")];
        configuration.before_wipe_limit = Duration::from_millis(300);
        Self {
            home,
            configuration,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    fn erase(&self, path: &Path) -> Erasure {
        FileGround::new(&self.configuration).erase(path)
    }

    fn refuses(&self, path: &Path) -> bool {
        matches!(self.erase(path), Erasure::Failed(_))
    }
}

#[test]
fn a_tree_goes_with_everything_in_it_and_nothing_beside_it() {
    let place = Place::new();
    place.write("data/a/b/c.txt", "secret");
    place.write("data/empty/.keep", "");
    place.write("data/.hidden", "secret");
    let beside = place.write("data2/other", "stays");
    assert_eq!(place.erase(&place.path("data")), Erasure::Erased);
    assert!(!place.path("data").exists());
    assert_eq!(fs::read(beside).unwrap(), b"stays");
    assert_eq!(place.erase(&place.path("data")), Erasure::Absent);
    assert_eq!(place.erase(&place.path("no/such/way")), Erasure::Absent);
}

#[test]
fn what_a_file_held_is_overwritten_before_it_goes() {
    let place = Place::new();
    let path = place.write("data/secret", &"secret".repeat(50_000));
    // Whoever holds the file open sees what became of its content.
    let held = fs::File::open(&path).unwrap();
    assert_eq!(place.erase(&path), Erasure::Erased);
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut &held, &mut left).unwrap();
    assert_eq!(left.len(), 300_000);
    assert!(left.iter().all(|byte| *byte == 0));
}

#[test]
fn a_huge_file_of_holes_takes_no_time_and_no_room() {
    let place = Place::new();
    let path = place.write("data/holes", "begin");
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(1 << 40).unwrap();
    let start = Instant::now();
    assert_eq!(place.erase(&path), Erasure::Erased);
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn links_lead_nowhere() {
    let place = Place::new();
    let outside = place.write("outside/precious", "stays");
    place.write("data/own", "goes");
    symlink(place.path("outside"), place.path("data/way-out")).unwrap();
    symlink(&outside, place.path("data/precious")).unwrap();
    symlink("/", place.path("data/root")).unwrap();
    symlink("loop", place.path("data/loop")).unwrap();
    assert_eq!(place.erase(&place.path("data")), Erasure::Erased);
    assert_eq!(fs::read(&outside).unwrap(), b"stays");
    assert!(!place.path("data").exists());
}

#[test]
fn a_listed_link_goes_and_the_receipt_says_that_its_target_does_not() {
    let place = Place::new();
    let outside = place.write("outside/precious", "stays");
    symlink(place.path("outside"), place.path("data")).unwrap();
    assert!(place.refuses(&place.path("data")));
    assert!(fs::symlink_metadata(place.path("data")).is_err());
    assert_eq!(fs::read(outside).unwrap(), b"stays");
}

#[test]
fn a_way_through_links_leads_to_nothing_that_has_to_stay() {
    let place = Place::new();
    place.write("agent/state.json", "stays");
    symlink(place.home.path(), place.path("way")).unwrap();
    for listed in [
        "way/agent",
        "way/agent/slots",
        "way/etc",
        "way/etc/config.json",
    ] {
        assert!(place.refuses(&place.path(listed)), "{listed}");
    }
    // The directories of the system are tried in `config`, where nothing can go wrong.
    assert!(place.refuses(Path::new("relative")));
    assert!(place.refuses(place.home.path()), "it holds all of that");
    assert!(place.path("agent/state.json").exists() && place.path("etc/config.json").exists());
}

#[test]
fn a_file_with_another_name_elsewhere_is_not_overwritten_and_not_called_erased() {
    let place = Place::new();
    let outside = place.write("outside/passwd", "stays");
    fs::create_dir_all(place.path("data")).unwrap();
    fs::hard_link(&outside, place.path("data/trap")).unwrap();
    assert!(place.refuses(&place.path("data")));
    assert!(!place.path("data").exists(), "the name is gone");
    assert_eq!(fs::read(outside).unwrap(), b"stays");
}

#[test]
fn two_names_of_one_file_within_what_is_erased_are_no_trouble() {
    let place = Place::new();
    let first = place.write("data/one", "goes");
    fs::hard_link(&first, place.path("data/two")).unwrap();
    let held = fs::File::open(&first).unwrap();
    assert_eq!(place.erase(&place.path("data")), Erasure::Erased);
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut &held, &mut left).unwrap();
    assert_eq!(left, [0; 4]);
}

#[test]
fn directories_that_nobody_may_write_to_or_read_are_erased_or_reported() {
    let place = Place::new();
    place.write("data/locked/file", "goes");
    place.write("data/free/file", "goes");
    for (name, mode) in [("data/locked/file", 0o000), ("data/locked", 0o500)] {
        fs::set_permissions(place.path(name), Permissions::from_mode(mode)).unwrap();
    }
    let result = place.erase(&place.path("data"));
    assert!(
        !place.path("data/free").exists(),
        "the rest goes whatever happens"
    );
    match result {
        Erasure::Erased => assert!(!place.path("data").exists()),
        Erasure::Failed(why) => assert!(!why.is_empty()),
        Erasure::Absent => panic!("it was there"),
    }
}

#[test]
fn a_file_that_is_marked_as_never_to_change_is_erased_or_reported() {
    let place = Place::new();
    let path = place.write("data/immutable", "goes");
    let marked = std::process::Command::new("chattr")
        .arg("+i")
        .arg(&path)
        .status();
    if !marked.is_ok_and(|status| status.success()) {
        // Not every file system has such marks, and not every user may set them.
        assert_eq!(place.erase(&path), Erasure::Erased);
        return;
    }
    assert_eq!(place.erase(&place.path("data")), Erasure::Erased);
    assert!(!path.exists());
}

#[test]
fn a_tree_deeper_than_any_honest_one_is_reported_and_breaks_nothing() {
    let place = Place::new();
    let mut deep = place.path("data");
    fs::create_dir(&deep).unwrap();
    for _ in 0..300 {
        deep.push("d");
        fs::create_dir(&deep).unwrap();
    }
    assert!(place.refuses(&place.path("data")));
}

#[test]
fn special_files_go_without_being_opened() {
    let place = Place::new();
    place.write("data/file", "goes");
    let fifo = place.path("data/fifo");
    let made = std::process::Command::new("mkfifo")
        .arg(&fifo)
        .status()
        .unwrap();
    assert!(made.success());
    let _socket = std::os::unix::net::UnixListener::bind(place.path("data/socket")).unwrap();
    assert_eq!(place.erase(&place.path("data")), Erasure::Erased);
}

#[test]
fn the_identity_file_is_emptied_and_can_still_be_read() {
    let place = Place::new();
    let identity = place.path("etc/identity.json");
    let held = fs::File::open(&identity).unwrap();
    assert_eq!(place.erase(&identity), Erasure::Erased);
    assert_eq!(fs::read_to_string(&identity).unwrap(), "{}\n");
    let mut left = Vec::new();
    std::io::Read::read_to_end(&mut &held, &mut left).unwrap();
    assert!(
        left.iter().all(|byte| *byte == 0),
        "the old content is gone"
    );
    let names = fs::read_dir(place.path("etc")).unwrap().count();
    assert_eq!(names, 2, "nothing is left beside it");
    assert_eq!(place.erase(&identity), Erasure::Erased, "and once more");
}

#[test]
fn hooks_know_the_device_and_are_ended_when_they_hang() {
    let place = Place::new();
    let mut disk = MemoryDisk::default();
    let order = Order {
        by: OrderedBy::Button,
        command: None,
        reason: None,
        keep_copy: false,
    };
    wipe::begin(&mut disk, &order, Timestamp::from_secs(0)).unwrap();
    assert!(disk.read("wipe.json").unwrap().is_some());
    let journal = Journal::read(&disk).unwrap().unwrap();
    let mut ground = FileGround::new(&place.configuration);
    let out = place.path("out");
    let mut run = |line: String| ground.run(&HookCommand::Line(line), &journal);
    let line = format!("echo \"$ENLIST_DIRECTORY\" > {}", out.display());
    assert_eq!(run(line), Erasure::Erased);
    let said = fs::read_to_string(out).unwrap();
    assert_eq!(Path::new(said.trim()), place.path("agent"));
    assert!(matches!(run("exit 3".into()), Erasure::Failed(why) if why.contains('3')));
    assert!(matches!(run("/does/not/exist".into()), Erasure::Failed(_)));
    let start = Instant::now();
    assert!(matches!(run("sleep 60".into()), Erasure::Failed(why) if why.contains("ended")));
    assert!(start.elapsed() < Duration::from_secs(10));
}
