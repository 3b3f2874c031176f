//! What whoever types the commands is told.

use std::process::Stdio;

use crate::rig::{self, Ran, Rig, Shell};

/// A backup that is told to end says so; one that is killed is cleared away by the next one.
pub fn broken_off(rig: &Rig) {
    let drafts = || -> Vec<String> {
        let files = rig.files(".").into_iter();
        files.filter(|name| name.ends_with(".tmp")).collect()
    };
    let backup = |signal: &str| {
        let mut command = rig.command(rig::ENLIST);
        command.args(["backup", "--data", "../data", "--to", "it.backup"]);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        rig::eventually("it is being written", || {
            drafts().iter().any(|name| {
                let written = rig.work().join(name).metadata();
                written.is_ok_and(|found| found.len() > 100_000)
            })
        });
        rig.ok(&format!("kill -{signal} {}", child.id()));
        Ran::of(&child.wait_with_output().unwrap())
    };
    for signal in ["TERM", "INT"] {
        let ran = backup(signal);
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.err.contains("problem: interrupted"), "{ran:?}");
        assert!(ran.err.contains("no backup was made"), "{ran:?}");
        assert_eq!(drafts(), [""; 0]);
    }
    assert_eq!(backup("KILL").status, -1);
    assert_eq!(drafts().len(), 1);
    rig.write(".other.backup.0123456789abcdef.tmp", "somebody else's");
    let ran = rig.sh("enlist backup --data ../data --to it.backup");
    assert!(
        ran.status == 0 && ran.err.contains("Deleted `./.it.backup."),
        "{ran:?}"
    );
    assert_eq!(drafts(), [".other.backup.0123456789abcdef.tmp"]);
}

#[test]
fn what_names_no_record_is_told_with_the_way_out() {
    let shell = Shell::new();
    let ran = shell.sh("enlist migrate --to sqlite:here");
    assert!(ran.status == 2 && ran.err.contains("--from"), "{ran:?}");
    let ran = shell.sh("ENLIST_MIGRATE_TO=sqlite:here/. enlist migrate --from sqlite:here");
    assert!(
        ran.status == 1 && ran.err.contains("the same place"),
        "{ran:?}"
    );
    shell.ok("mkdir here && touch here/enlist.db one.backup");
    let told = shell.refused(
        "enlist migrate --from sqlite:here/enlist.db --to sqlite:there",
        1,
        "no-place",
    );
    assert!(told.contains("sqlite:here"), "{told}");
    let told = shell.refused(
        "enlist backup --data here --to one.backup",
        1,
        "file-exists",
    );
    assert!(told.contains("--force"), "{told}");
    let ran = shell.sh("enlist restore --from one.backup --data nowhere");
    assert!(
        ran.status == 1 && ran.err.contains("no backup of Enlist's"),
        "{ran:?}"
    );
    assert!(!shell.work().join("nowhere").exists(), "it left nothing");

    // Root may read everything, unless that is taken from it.
    let powerless = match rustix::process::geteuid().is_root() {
        true => "setpriv --bounding-set=-dac_override,-dac_read_search",
        false => "",
    };
    if !powerless.is_empty() && !rig::installed(&["setpriv"]) {
        return;
    }
    for closed in ["here", "here/enlist.db"] {
        let ran = shell.sh(&format!(
            "chmod 0 {closed}; {powerless} enlist backup --data here --to two.backup; \
             status=$?; chmod 700 {closed}; exit $status"
        ));
        assert_eq!(ran.status, 1, "{ran:?}");
        assert!(ran.err.contains("may not be read by this user"), "{ran:?}");
        assert!(ran.err.contains("Permission denied"), "{ran:?}");
    }
}
