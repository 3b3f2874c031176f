//! What processes on this machine use.

use std::time::Duration;

/// What a process has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Usage {
    /// Time on a processor, for itself and in the kernel.
    pub cpu: Duration,
    /// The most memory that it has had at one time, bytes.
    pub peak_memory: u64,
    /// The memory that it has now, bytes.
    pub memory: u64,
}

/// What the process of this id uses; `None` where that can't be told: on systems without `/proc`, or where
/// there is no such process.
pub fn usage(pid: u32) -> Option<Usage> {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/{pid}/{name}")).ok();
    let (stat, status) = (read("stat")?, read("status")?);
    let kib = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name))?;
        let count: u64 = line.trim().strip_suffix(" kB")?.trim().parse().ok()?;
        Some(count * 1024)
    };
    Some(Usage {
        cpu: cpu(&stat)?,
        peak_memory: kib("VmHWM:")?,
        memory: kib("VmRSS:")?,
    })
}

/// What this process uses.
pub fn own() -> Usage {
    usage(std::process::id()).unwrap_or_default()
}

/// The kernel counts in hundredths of a second for everybody, whatever it does within (proc(5)).
const TICK: Duration = Duration::from_millis(10);

fn cpu(stat: &str) -> Option<Duration> {
    // The name of the program may hold anything; what follows its last bracket is numbers.
    let (_, rest) = stat.rsplit_once(") ")?;
    let mut fields = rest.split(' ').skip(11);
    let mut ticks = || fields.next()?.parse::<u32>().ok();
    let (user, system) = (ticks()?, ticks()?);
    Some(TICK * user.saturating_add(system))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_process_is_read_past_its_name() {
        let stat = "42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 0 0 20 0 5 0 1000";
        assert_eq!(cpu(stat), Some(Duration::from_secs(3)));
        assert_eq!(cpu("nonsense"), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_uses_memory() {
        let own = own();
        assert!(own.memory > 100_000, "{own:?}");
        assert!(own.peak_memory >= own.memory, "{own:?}");
        assert!(usage(u32::MAX).is_none());
    }
}
