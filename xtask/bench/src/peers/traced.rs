//! What a process asks of the disk, as strace sees it.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use tempfile::TempDir;

use crate::scratch;

/// The calls that make something durable, and those that do so where a file was opened for it.
const CALLS: &str = "trace=fsync,fdatasync,msync,openat,write,writev,pwrite64";

/// A command that runs this program; under strace, which writes to `trace`, where one is named. The
/// process that it starts is the program's either way.
pub(crate) fn command(program: &Path, trace: Option<&Path>) -> Command {
    let Some(trace) = trace else {
        return Command::new(program);
    };
    let mut command = Command::new("strace");
    command
        // Followed with all its threads, by a process beside it, stopped by none but these calls, each
        // with the file that it is about.
        .args(["-f", "-D", "-q", "--seccomp-bpf", "-y", "-s", "0"])
        .args(["-e", CALLS, "-o"])
        .arg(trace)
        .arg(program);
    command
}

/// Files that strace may write to, and the directory that they go with.
pub(super) fn files() -> Result<(TempDir, [PathBuf; 3])> {
    let directory = scratch::directory()?;
    let files = ["one", "two", "three"].map(|name| directory.path().join(name));
    Ok((directory, files))
}

/// How often the disk was asked to make something durable, up to now.
pub(super) fn syncs(trace: &Path) -> Result<u64> {
    let log =
        std::fs::read_to_string(trace).with_context(|| format!("no `{}`", trace.display()))?;
    Ok(count(&log))
}

/// A write to a file that was opened with `O_DSYNC` or `O_SYNC` is one, too.
fn count(log: &str) -> u64 {
    let mut durable = HashSet::new();
    let mut syncs = 0;
    for line in log.lines() {
        // The process, then the call; one that is resumed was counted when it began.
        let Some((call, rest)) = line
            .split_once(' ')
            .and_then(|(_, call)| call.trim_start().split_once('('))
        else {
            continue;
        };
        match call {
            "fsync" | "fdatasync" => syncs += 1,
            "msync" if rest.contains("MS_SYNC") => syncs += 1,
            "openat" if rest.contains("O_DSYNC") || rest.contains("O_SYNC") => {
                durable.extend(rest.split('"').nth(1));
            }
            "write" | "writev" | "pwrite64"
                if file(rest).is_some_and(|it| durable.contains(it)) =>
            {
                syncs += 1;
            }
            _ => {}
        }
    }
    syncs
}

/// The file of a descriptor that comes first: `7</path>, …`.
fn file(rest: &str) -> Option<&str> {
    let (_, named) = rest.split_once('<')?;
    named.split('>').next()
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn what_makes_durable_is_counted_once() {
        let log = "\
17 openat(AT_FDCWD</d>, \"/d/plain\", O_RDWR|O_CLOEXEC) = 5</d/plain>
17 write(5</d/plain>, \"\"..., 9) = 9
17 fdatasync(5</d/plain> <unfinished ...>
18 fsync(9</d>) = 0
17 <... fdatasync resumed>) = 0
18 msync(0x7f0000000000, 4096, MS_ASYNC) = 0
18 msync(0x7f0000000000, 4096, MS_SYNC) = 0
";
        assert_eq!(count(log), 3);
    }

    #[test]
    fn a_write_to_a_file_that_is_opened_durable_is_one() {
        let log = "\
17    openat(AT_FDCWD</d>, \"/d/1.vlog\", O_RDWR|O_CREAT|O_DSYNC|O_CLOEXEC, 0600) = 5</d/1.vlog>
17    write(5</d/1.vlog>, \"\"..., 90 <unfinished ...>
17    <... write resumed>) = 90
18    pwrite64(5</d/1.vlog>, \"\"..., 90, 0) = 90
18    write(6<socket:[123]>, \"\"..., 90) = 90
";
        assert_eq!(count(log), 2);
    }
}
