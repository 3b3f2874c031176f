//! libfaketime, which gives a program another time of day.

use crate::installed;

/// The variables with which a program has another time of day than the machine: the one that `FAKETIME`
/// says, or the file that `FAKETIME_TIMESTAMP_FILE` names. Time that has passed is as it was.
///
/// Not by the program `faketime`: it refuses to run where a process of the same number was killed before,
/// as numbers come round and the marks of the killed stay.
pub const FAKE_TIME: [(&str, &str); 2] = [
    ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"),
    ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
];

/// Whether [`FAKE_TIME`] can be had; says where it can't.
///
/// # Panics
/// As [`installed`].
pub fn fakes_time() -> bool {
    installed("faketime", "faketime")
}

/// The beginning of a shell's command that is to start at `time`, as `FAKETIME` has it.
pub fn at_time(time: &str) -> String {
    let [library, clock] = FAKE_TIME.map(|(name, value)| format!("{name}='{value}'"));
    format!("{library} {clock} FAKETIME='{time}'")
}
