//! What a daemon costs, from /proc: memory and CPU of a process and all below it, reaped children included.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

/// One moment's sums over a process tree.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    pub processes: usize,
    /// Resident set, in KiB.
    pub rss: u64,
    /// Proportional set (shared pages divided by their users), in KiB.
    pub pss: u64,
    /// CPU time of living processes (nanosecond grain) and of reaped children (1/100 s grain).
    pub cpu: Duration,
}

/// `pid` and its descendants, parents before children.
pub fn tree(pid: i32) -> Vec<i32> {
    let parents: HashMap<i32, i32> = fs::read_dir("/proc")
        .expect("/proc is mounted")
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter_map(|pid: i32| Some((pid, stat(pid)?.first()?.parse().ok()?)))
        .collect();
    let mut tree = vec![pid];
    let mut next = 0;
    while let Some(&parent) = tree.get(next) {
        let mut children: Vec<i32> = parents.iter().filter(|(_, p)| **p == parent).map(|(c, _)| *c).collect();
        children.sort_unstable();
        tree.extend(children);
        next += 1;
    }
    tree
}

/// Fields of /proc/PID/stat from the fourth (ppid) on; a zombie has none.
fn stat(pid: i32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, rest) = text.rsplit_once(") ")?;
    let mut fields = rest.split_whitespace();
    if fields.next()? == "Z" { None } else { Some(fields.map(str::to_owned).collect()) }
}

/// Sums over `pid` and its descendants.
pub fn usage(pid: i32) -> Usage {
    let mut sum = Usage::default();
    for pid in tree(pid) {
        sum.processes += 1;
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        sum.rss += kib(&rollup, "Rss:");
        sum.pss += kib(&rollup, "Pss:");
        sum.cpu += own_cpu(pid) + reaped_cpu(pid);
    }
    sum
}

fn kib(rollup: &str, key: &str) -> u64 {
    let line = rollup.lines().find_map(|l| l.strip_prefix(key));
    line.and_then(|l| l.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Run time of all threads.
fn own_cpu(pid: i32) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{pid}/task")) else { return Duration::ZERO };
    let run = |path: std::path::PathBuf| -> Option<u64> {
        fs::read_to_string(path.join("schedstat")).ok()?.split_whitespace().next()?.parse().ok()
    };
    threads.filter_map(|t| run(t.ok()?.path())).map(Duration::from_nanos).sum()
}

/// cutime + cstime.
fn reaped_cpu(pid: i32) -> Duration {
    let ticks = |fields: &[String]| -> Option<u64> {
        Some(fields.get(12)?.parse::<u64>().ok()? + fields.get(13)?.parse::<u64>().ok()?)
    };
    Duration::from_millis(stat(pid).and_then(|f| ticks(&f)).unwrap_or(0) * 10)
}
