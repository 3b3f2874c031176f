//! A disk that is full, or can't be written: the agent says so, keeps what it has, and goes on by itself.
//!
//! The disk is a file system of the agent's own, so this runs where one may be mounted.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod rig;

use rig::device::Device;
use rig::{Ran, Rig, eventually};
use serde_json::json;

/// A device whose persistent directory is a small file system that only its agent sees.
struct Walled<'a>(Device<'a>);

impl<'a> Walled<'a> {
    /// `None` where nothing can be mounted here.
    fn start(rig: &'a Rig) -> Option<Self> {
        let mut device = Device::new(rig, &json!({}));
        std::fs::create_dir(rig.work().join("device.state")).unwrap();
        let mount = "mount -t tmpfs -o size=4m,mode=0700 enlist device.state";
        if rig.sh(&format!("unshare --mount sh -c '{mount}'")).status != 0 {
            eprintln!("skipped: no file system can be mounted here");
            return None;
        }
        let mut command = rig.command("unshare");
        let script = format!("{mount} && exec enlist-agent run -c device.json");
        command.args(["--mount", "sh", "-c", &script]);
        device.start_as(command);
        let walled = Self(device);
        eventually("it is enrolled", || {
            walled.inside("test -e device.state/current").status == 0
        });
        Some(walled)
    }

    /// Runs a script with the agent's view of the disk.
    fn inside(&self, script: &str) -> Ran {
        let (pid, work) = (self.0.pid(), self.0.rig.work());
        let work = work.display();
        self.0.rig.sh(&format!(
            "nsenter --target {pid} --mount sh -c 'cd {work} && {script}'"
        ))
    }

    fn certificate(&self) -> String {
        self.inside("cat device.state/current/certificate.pem").out
    }

    /// What goes wrong, as the agent's log has it, while `harm` is done; what it held stays, and once
    /// that is `undone` it does what it was told.
    fn suffers(&mut self, harm: &str, undone: &str, says: &str, doctor_says: &str) {
        eventually("it is settled", || {
            self.0.on_record()["reported"]["seen_at"].is_string()
        });
        let before = self.certificate();
        let harmed = self.inside(harm);
        assert_eq!(harmed.status, 0, "{harmed:?}");
        self.0.order_another_key();
        eventually(says, || self.0.log().contains(says));
        assert_eq!(self.certificate(), before, "the last good state");
        let status = self.inside("enlist-agent status -c device.json");
        assert_eq!(status.status, 0, "{status:?}");
        let doctor = self.inside("enlist-agent doctor -c device.json");
        assert!(doctor.out.contains(doctor_says), "{doctor:?}");
        assert!(self.0.is_up());

        let undone = self.inside(undone);
        assert_eq!(undone.status, 0, "{undone:?}");
        eventually("another key", || self.certificate() != before);
        let status = self.inside("enlist-agent status -c device.json");
        assert_eq!(status.status, 0, "{status:?}");
    }
}

#[test]
fn a_full_disk_is_told_and_waited_out() {
    let rig = Rig::new();
    let Some(mut device) = Walled::start(&rig) else {
        return;
    };
    device.suffers(
        "dd if=/dev/zero of=device.state/filler bs=1k 2>/dev/null; test -s device.state/filler",
        "rm device.state/filler",
        "No space left on device",
        "is full",
    );
}

#[test]
fn a_persistent_directory_that_turns_read_only_is_told_and_waited_out() {
    let rig = Rig::new();
    let Some(mut device) = Walled::start(&rig) else {
        return;
    };
    device.suffers(
        "mount --bind device.state device.state && mount -o remount,ro,bind device.state",
        "umount device.state",
        "Read-only file system",
        "is read-only",
    );
}
