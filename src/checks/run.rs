//! Does the looking, on the checks thread: one task for all tracked processes, one for each other check.
//!
//! `process` holds what it found by pidfd; `net`, `program`, `local` and `board` look at each interval; `aside` keeps calls that
//! may block for ever (a resolver, a dead NFS mount) off this thread, at most one in flight for each check.
//!
//! Whatever happens in a look, it ends at the timeout, and a look still busy at the next interval is not doubled.

mod aside;
pub mod board;
mod local;
mod net;
mod process;
mod program;

use super::health::{Health, Reason, Verdict};
use super::{Kind, Track, probe};
use crate::tasks::spawn;
use crate::time::Time;
use core::future::{Future, pending};
use core::time::Duration;
use nix::time::{ClockId, clock_gettime};
use smol::{LocalExecutor, Timer, future};
use std::path::Path;
use std::time::Instant;

/// Between two looks at the least, whatever the flags say: a loop without a pause would starve the other checks.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// Watches all `tracks` until dropped, and calls `tell` with a track's index and its verdict after each look, changed
/// or not: an unchanged one has a later date. The first verdicts come at once.
///
/// Dropping it kills the programs it runs. It spawns no thread but for names to resolve, files and disks.
pub async fn run(tracks: &[Track], tell: impl Fn(usize, Verdict)) {
    let tell = &tell;
    let tasks = LocalExecutor::new();
    let mut names = Vec::new();
    for (index, track) in tracks.iter().enumerate() {
        let tell = move |verdict| tell(index, verdict);
        match &track.kind {
            Kind::Process(name) => names.push(process::Name::new(index, name, track)),
            Kind::Tcp(endpoint) => {
                spawn(&tasks, watch(track, net::Net::tcp(endpoint, track.timeout), tell));
            }
            Kind::Http { endpoint, host, path } => {
                let request = probe::http_get(host, path);
                spawn(&tasks, watch(track, net::Net::http(endpoint, request, track.timeout), tell));
            }
            Kind::Exec(path) => spawn(&tasks, watch(track, program::Program::new(path), tell)),
            Kind::File(path) => spawn(&tasks, watch(track, local::Local::file(path), tell)),
            Kind::Disk(path) => spawn(&tasks, watch(track, local::Local::disk(path), tell)),
            Kind::Interface(name) => spawn(&tasks, watch(track, local::Interface::new(name), tell)),
            Kind::Board { too_hot } => spawn(&tasks, watch(track, board::Board::new(*too_hot), tell)),
            // Looked at elsewhere, by `watch_with`.
            Kind::Docker | Kind::Swarm | Kind::Ceph => {}
        }
    }
    if !names.is_empty() {
        spawn(&tasks, process::watch(Path::new("/proc"), names, tell));
    }
    tasks.run(pending::<()>()).await;
}

/// Watches one track with somebody else's way of looking, until dropped; `tell` is called as by [`run`]. A look that
/// takes longer than the track's timeout is dropped.
pub async fn watch_with(track: &Track, look: impl AsyncFnMut() -> Reason, tell: impl Fn(Verdict)) {
    watch(track, Given(look), tell).await;
}

/// A look from outside.
struct Given<F>(F);

impl<F: AsyncFnMut() -> Reason> Look for Given<F> {
    async fn look(&mut self) -> Reason {
        (self.0)().await
    }
}

/// A way of looking.
trait Look {
    /// Looks once. Dropped when the timeout has passed.
    async fn look(&mut self) -> Reason;

    /// The timeout has passed: clear up.
    async fn late(&mut self) {}
}

/// Looks at each interval and tells the verdict.
async fn watch(track: &Track, mut look: impl Look, tell: impl Fn(Verdict)) {
    let mut health = Health::new(track);
    let mut due = Instant::now();
    loop {
        let found = within(track.timeout, look.look()).await;
        let reason = found.unwrap_or(Reason::Timeout);
        tell(health.look(now(), reason));
        if found.is_none() {
            look.late().await;
        }
        due = next(due, track.interval);
        Timer::at(due).await;
    }
}

/// When to look again: one interval after the last, or now if that has passed; what was missed is not made up for.
fn next(due: Instant, interval: Duration) -> Instant {
    (due + interval.max(MIN_INTERVAL)).max(Instant::now())
}

/// What `future` gives, if it does so in time.
async fn within<T>(timeout: Duration, future: impl Future<Output = T>) -> Option<T> {
    future::or(async { Some(future.await) }, async {
        Timer::after(timeout).await;
        None
    })
    .await
}

fn now() -> Time {
    let since_boot = clock_gettime(ClockId::CLOCK_MONOTONIC).expect("Linux has had this clock since 2.6");
    Time::ZERO + Duration::from(since_boot)
}

/// The reason a failed call leaves.
fn os(error: &std::io::Error) -> Reason {
    error.raw_os_error().map_or(Reason::Os(libc::EIO), Reason::Os)
}
