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
        let way = match &track.kind {
            Kind::Process(name) => {
                names.push(process::Name::new(index, name, track));
                continue;
            }
            Kind::Tcp(endpoint) => Way::Net(net::Net::tcp(endpoint, track.timeout)),
            Kind::Http { endpoint, host, path } => {
                Way::Net(net::Net::http(endpoint, probe::http_get(host, path), track.timeout))
            }
            Kind::Exec(path) => Way::Program(program::Program::new(path)),
            Kind::File(path) => Way::Local(local::Local::file(path)),
            Kind::Disk(path) => Way::Local(local::Local::disk(path)),
            Kind::Interface(name) => Way::Interface(local::Interface::new(name)),
            Kind::Board { too_hot } => Way::Board(board::Board::new(*too_hot)),
            // Looked at elsewhere, by `watch_with`.
            Kind::Docker | Kind::Swarm | Kind::Ceph => continue,
        };
        spawn(&tasks, watch(track, way, move |verdict| tell(index, verdict)));
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

/// The ways of looking: one type, so that the binary holds [`watch`] once for all of them.
enum Way<'a> {
    Net(net::Net<'a>),
    Program(program::Program<'a>),
    Local(local::Local<'a>),
    Interface(local::Interface),
    Board(board::Board),
}

impl Look for Way<'_> {
    async fn look(&mut self) -> Reason {
        match self {
            Self::Net(net) => net.look().await,
            Self::Program(program) => program.look().await,
            Self::Local(local) => local.look().await,
            Self::Interface(interface) => interface.look().await,
            Self::Board(board) => board.look().await,
        }
    }

    async fn late(&mut self) {
        match self {
            Self::Program(program) => program.late().await,
            Self::Net(_) | Self::Local(_) | Self::Interface(_) | Self::Board(_) => {}
        }
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
