//! What a program costs: wall time, CPU, memory at its peak, and what it asked Docker.

use nix::sys::resource::{UsageWho, getrusage};
use std::fs;
use std::io::{Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// Of one program, from start to end.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    pub wall: Duration,
    pub cpu: Duration,
    /// KiB.
    pub rss: u64,
    /// KiB, the largest seen in samples.
    pub pss: u64,
    /// Asked of Docker.
    pub requests: usize,
}

impl Cost {
    /// Medians of `rounds` runs for the times, one more run each for memory and for requests (through a proxy at
    /// `socket`). `start` is given the socket to talk to.
    pub fn of(rounds: usize, socket: &Path, start: impl Fn(&Path) -> Child) -> Self {
        let times = measured(rounds, || assert_ends(start(socket)));
        let (rss, pss) = peak(start(socket));
        let proxy = Proxy::start(socket);
        assert_ends(start(&proxy.socket));
        Self { rss, pss, requests: proxy.requests(), ..times }
    }
}

/// 0 for all is well, 1 where there is something that somebody should look at.
fn assert_ends(mut child: Child) {
    let status = child.wait().expect("it is our child");
    assert!(matches!(status.code(), Some(0 | 1)), "{status}");
}

/// Medians of wall time and CPU of all that `work` starts and waits for.
pub fn measured(rounds: usize, mut work: impl FnMut()) -> Cost {
    let mut runs: Vec<(Duration, Duration)> = Vec::new();
    for _ in 0..rounds {
        let (start, before) = (Instant::now(), children());
        work();
        runs.push((start.elapsed(), children().saturating_sub(before)));
    }
    let median = |mut values: Vec<Duration>| {
        values.sort_unstable();
        values[values.len() / 2]
    };
    let (walls, cpus) = runs.into_iter().unzip();
    Cost { wall: median(walls), cpu: median(cpus), ..Cost::default() }
}

/// CPU time of all children that were waited for.
fn children() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("always there");
    let time = |t: nix::sys::time::TimeVal| {
        Duration::from_micros(u64::try_from(t.tv_sec() * 1_000_000 + t.tv_usec()).unwrap_or(0))
    };
    time(usage.user_time()) + time(usage.system_time())
}

/// Largest RSS (kept by the kernel) and PSS (sampled) of a program, in KiB.
fn peak(mut child: Child) -> (u64, u64) {
    let (mut rss, mut pss) = (0, 0);
    while child.try_wait().expect("it is our child").is_none() {
        rss = rss.max(field(child.id(), "status", "VmHWM:"));
        pss = pss.max(field(child.id(), "smaps_rollup", "Pss:"));
        std::thread::sleep(Duration::from_micros(300));
    }
    (rss, pss)
}

/// A value in KiB of a file in /proc/PID.
pub fn field(pid: u32, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(key));
    line.and_then(|line| line.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// Stands between a program and dockerd, and counts requests.
struct Proxy {
    socket: PathBuf,
    count: Arc<AtomicUsize>,
}

impl Proxy {
    fn start(target: &Path) -> Self {
        let socket = target.with_extension("counted");
        fs::remove_file(&socket).ok();
        let listener = UnixListener::bind(&socket).expect("the directory is ours");
        let (count, target) = (Arc::<AtomicUsize>::default(), target.to_owned());
        let counter = Arc::clone(&count);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&target).expect("dockerd listens");
                let ends = (client.try_clone().expect("a copy"), server.try_clone().expect("a copy"));
                let counter = Arc::clone(&counter);
                std::thread::spawn(move || pass(client, server, &counter));
                std::thread::spawn(move || pass(ends.1, ends.0, &AtomicUsize::new(0)));
            }
        });
        Self { socket, count }
    }

    fn requests(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        fs::remove_file(&self.socket).ok();
    }
}

/// Copies bytes until the end; every request has ` HTTP/1.1` in its first line, and arrives in one piece here.
fn pass(mut from: UnixStream, mut to: UnixStream, count: &AtomicUsize) {
    let mut bytes = vec![0; 64 << 10];
    while let Ok(length @ 1..) = from.read(&mut bytes) {
        let lines = bytes[..length].windows(11).filter(|w| w == b" HTTP/1.1\r\n").count();
        count.fetch_add(lines, Ordering::Relaxed);
        if to.write_all(&bytes[..length]).is_err() {
            break;
        }
    }
    to.shutdown(std::net::Shutdown::Both).ok();
}
