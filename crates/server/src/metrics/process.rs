//! What the process takes of the machine.

use std::path::Path;

use super::page::Page;

/// CPU time and memory, and the room on the data directory's disk; what this system does not tell is left
/// out.
pub(super) fn write(page: &mut Page, data: Option<&Path>) {
    if let Some(seconds) = cpu_seconds() {
        page.metric(
            "counter",
            "process_cpu_seconds_total",
            "CPU time of this process, in seconds.",
        );
        page.sample("process_cpu_seconds_total", &[], seconds);
    }
    if let Some(bytes) = resident_bytes() {
        page.gauge(
            "process_resident_memory_bytes",
            "Memory of this process that is resident, in bytes.",
            bytes as f64,
        );
    }
    if let Some(open) = open_files() {
        page.gauge(
            "process_open_fds",
            "Files that this process has open.",
            open as f64,
        );
    }
    if let Some((free, size)) = data.and_then(disk) {
        page.gauge(
            "enlist_data_directory_free_bytes",
            "Room that is left on the disk of the data directory, in bytes.",
            free,
        );
        page.gauge(
            "enlist_data_directory_size_bytes",
            "The size of the disk of the data directory, in bytes.",
            size,
        );
    }
}

#[cfg(unix)]
fn cpu_seconds() -> Option<f64> {
    use rustix::time::{ClockId, clock_gettime};
    let spent = clock_gettime(ClockId::ProcessCPUTime);
    Some(spent.tv_sec as f64 + spent.tv_nsec as f64 / 1e9)
}

#[cfg(unix)]
fn disk(data: &Path) -> Option<(f64, f64)> {
    let disk = rustix::fs::statvfs(data).ok()?;
    let bytes = |blocks: u64| blocks as f64 * disk.f_frsize as f64;
    Some((bytes(disk.f_bavail), bytes(disk.f_blocks)))
}

#[cfg(not(unix))]
fn cpu_seconds() -> Option<f64> {
    None
}

#[cfg(not(unix))]
fn disk(_data: &Path) -> Option<(f64, f64)> {
    None
}

/// As the kernel tells it, where it does: in kibibytes.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn open_files() -> Option<usize> {
    // The one that is opened to look is not counted.
    Some(
        std::fs::read_dir("/proc/self/fd")
            .ok()?
            .count()
            .saturating_sub(1),
    )
}
