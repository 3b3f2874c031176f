//! The button, through a pipe that carries the very bytes that the kernel's input devices do.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a test may")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use enlist_agent::button::{Said, Watch};
use enlist_agent::config::{Button, ButtonAction, InputKey};
use tempfile::TempDir;

const RESTART: u16 = 408;
const OTHER: u16 = 30;
const DOWN: i32 = 1;
const UP: i32 = 0;
const REPEAT: i32 = 2;

struct Keyboard {
    _home: TempDir,
    path: PathBuf,
    pipe: Option<File>,
}

impl Keyboard {
    fn new() -> Self {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("event0");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let pipe = Some(plug_in(&path));
        Self {
            _home: home,
            path,
            pipe,
        }
    }

    fn watch(&self) -> (Watch, Receiver<Said>) {
        watch(&self.path)
    }

    fn send(&mut self, bytes: &[u8]) {
        self.pipe.as_mut().unwrap().write_all(bytes).unwrap();
    }

    fn press(&mut self, code: u16, value: i32) {
        let mut both = event(1, code, value);
        both.extend(event(0, 0, 0));
        self.send(&both);
    }
}

/// Opened for both, so that it does not wait for a reader.
fn plug_in(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(path)
        .unwrap()
}

fn watch(path: &Path) -> (Watch, Receiver<Said>) {
    let button = Button::Key(InputKey {
        input: path.to_owned(),
        key: RESTART,
        hold_s: 1,
        action: ButtonAction::Decommission,
    });
    let (sender, receiver) = channel();
    let watch = Watch::new(button, move |said| drop(sender.send(said))).unwrap();
    (watch, receiver)
}

/// `struct input_event`: a time of two machine words, type, code, value.
fn event(kind: u16, code: u16, value: i32) -> Vec<u8> {
    let mut bytes = vec![7; 2 * size_of::<usize>()];
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(code.to_ne_bytes());
    bytes.extend(value.to_ne_bytes());
    bytes
}

fn nothing_within(said: &Receiver<Said>, millis: u64) {
    match said.recv_timeout(Duration::from_millis(millis)) {
        Err(RecvTimeoutError::Timeout) => {}
        other => panic!("{other:?}"),
    }
}

fn held(said: &Receiver<Said>) {
    match said.recv_timeout(Duration::from_secs(10)) {
        Ok(Said::Held(ButtonAction::Decommission)) => {}
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_button_counts_once_it_is_held_long_enough() {
    let mut keyboard = Keyboard::new();
    let (_watch, said) = keyboard.watch();
    keyboard.press(RESTART, DOWN);
    nothing_within(&said, 600);
    keyboard.press(RESTART, REPEAT);
    held(&said);
    nothing_within(&said, 1500);
    keyboard.press(RESTART, UP);
    keyboard.press(RESTART, DOWN);
    held(&said);
}

#[test]
fn a_short_press_another_key_and_lost_events_do_not_count() {
    let mut keyboard = Keyboard::new();
    let (_watch, said) = keyboard.watch();
    keyboard.press(OTHER, DOWN);
    for _ in 0..4 {
        keyboard.press(RESTART, DOWN);
        nothing_within(&said, 500);
        keyboard.press(RESTART, UP);
    }
    keyboard.press(RESTART, DOWN);
    // SYN_DROPPED: the kernel had no room for what happened.
    keyboard.send(&event(0, 3, 0));
    nothing_within(&said, 1500);
}

#[test]
fn an_event_that_comes_in_pieces_is_one_event() {
    let mut keyboard = Keyboard::new();
    let (_watch, said) = keyboard.watch();
    for byte in event(1, RESTART, DOWN) {
        keyboard.send(&[byte]);
        std::thread::sleep(Duration::from_millis(2));
    }
    held(&said);
}

#[test]
fn a_button_that_is_not_there_is_said_once_and_looked_for_again() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().join("event0");
    let (_watch, said) = watch(&path);
    assert!(matches!(
        said.recv_timeout(Duration::from_secs(10)),
        Ok(Said::Unwatched(_))
    ));
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let mut pipe = plug_in(&path);
    // Looked for after one second, and then after two.
    std::thread::sleep(Duration::from_millis(3500));
    pipe.write_all(&event(1, RESTART, DOWN)).unwrap();
    held(&said);
}

#[test]
fn a_device_that_is_unplugged_while_the_key_is_down_has_not_been_held() {
    let mut keyboard = Keyboard::new();
    let (_watch, said) = keyboard.watch();
    keyboard.press(RESTART, DOWN);
    std::thread::sleep(Duration::from_millis(300));
    keyboard.pipe = None;
    match said.recv_timeout(Duration::from_secs(10)) {
        Ok(Said::Unwatched(_)) => {}
        other => panic!("{other:?}"),
    }
    nothing_within(&said, 1500);
}

#[test]
fn a_watch_ends_when_it_is_dropped() {
    let keyboard = Keyboard::new();
    let (watch, said) = keyboard.watch();
    drop(watch);
    assert!(matches!(
        said.recv_timeout(Duration::from_secs(10)),
        Err(RecvTimeoutError::Disconnected)
    ));
}
