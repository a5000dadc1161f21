//! All tracked processes: one scanner, and a pidfd on each process found.
//!
//! While a name has a process, its interval costs one wake-up and no scan; its death is an event. Before the last one's
//! death counts, one more scan asks whether another has started since, as when a server replaces itself. While a name
//! has none, each interval is a scan, shared by all names due at that moment.

use super::{next, now, os};
use crate::checks::Track;
use crate::checks::health::{Health, Reason, Verdict};
use crate::checks::process::{Comm, Process, Scanner};
use crate::sys::pidfd;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use smol::{Async, Timer};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::time::Instant;

/// Processes of one name held at a time: with 32 names 512 descriptors, half of the usual limit. When all of them have
/// ended, the scan that follows finds the others.
const MAX_HELD: usize = 16;
/// A name with living processes is scanned for anew after this: a process can take another name without ending.
const RESCAN: Duration = Duration::from_secs(30);
/// A death within this after a scan counts without another one: a name whose processes come and go all the time must
/// not make this thread scan all the time.
const SCAN_GAP: Duration = Duration::from_millis(20);

/// One tracked name and its living processes.
pub(super) struct Name<'a> {
    index: usize,
    track: &'a Track,
    comm: Comm,
    health: Health,
    held: Vec<Held>,
    /// The next look.
    due: Instant,
    /// The last scan for this name.
    scanned: Option<Instant>,
}

/// A living process, by pidfd where the kernel has that.
struct Held {
    process: Process,
    pidfd: Option<Async<OwnedFd>>,
}

impl Held {
    fn has_exited(&self) -> bool {
        self.pidfd.as_ref().is_some_and(|pidfd| pidfd::has_exited(pidfd.as_fd()))
    }
}

impl<'a> Name<'a> {
    pub(super) fn new(index: usize, name: &str, track: &'a Track) -> Self {
        let (comm, health) = (Comm::new(name), Health::new(track));
        Self { index, track, comm, health, held: Vec::new(), due: Instant::now(), scanned: None }
    }

    /// Lets go of what has ended. When one has, the rest are asked for their name again: a child caught between fork
    /// and exec bears its parent's name for a moment. Gives the pid of one that ended, if none is left.
    fn let_go(&mut self, scanner: &Scanner) -> Option<u32> {
        let died = self.held.iter().find(|held| held.has_exited())?.process.pid;
        let comm = self.comm;
        self.held.retain(|held| !held.has_exited() && is_still(scanner, held.process, &comm));
        self.held.is_empty().then_some(died)
    }

    /// True if this look needs a scan.
    fn needs_scan(&self, at: Instant) -> bool {
        let every = if self.is_held() { RESCAN } else { Duration::ZERO };
        self.scanned.is_none_or(|scanned| at.duration_since(scanned) >= every)
    }

    /// True while a death would be an event.
    fn is_held(&self) -> bool {
        !self.held.is_empty() && self.held.iter().all(|held| held.pidfd.is_some())
    }

    /// Holds what a scan found, and no longer what it did not.
    fn hold(&mut self, found: &[Process], scanner: &Scanner) {
        self.held.retain(|held| found.contains(&held.process));
        for &process in found {
            if self.held.len() < MAX_HELD && self.held.iter().all(|held| held.process != process) {
                self.held.extend(take(process, &self.comm, scanner));
            }
        }
    }
}

/// True if that process is alive under that name. One that cannot be looked at is believed: its pidfd tells its end.
fn is_still(scanner: &Scanner, process: Process, comm: &Comm) -> bool {
    scanner.look(process.pid, comm).map_or(true, |found| found == Some(process))
}

/// Takes hold of a process just found, unless it has gone, or its number has passed on to another meanwhile.
fn take(process: Process, comm: &Comm, scanner: &Scanner) -> Option<Held> {
    let pidfd = match pidfd::open(process.pid).and_then(Async::new_nonblocking) {
        Ok(pidfd) => Some(pidfd),
        Err(error) if error.raw_os_error() == Some(libc::ESRCH) => return None,
        Err(error) => {
            log::debug!("process {} is looked for at each interval: {error}", process.pid);
            None
        }
    };
    let held = Held { process, pidfd };
    (is_still(scanner, process, comm) && !held.has_exited()).then_some(held)
}

/// Watches all `names` under a proc `root` until dropped.
pub(super) async fn watch(root: &Path, mut names: Vec<Name<'_>>, tell: impl Fn(usize, Verdict)) {
    loop {
        match Scanner::open(root) {
            Ok(mut scanner) => loop {
                turn(&mut scanner, &mut names, &tell);
                wait(&names).await;
            },
            // Without descriptors or without /proc: every look has failed.
            Err(error) => fail(&mut names, os(&error), &tell),
        }
        wait(&names).await;
    }
}

/// Waits until a process held ends or a look is due.
async fn wait(names: &[Name<'_>]) {
    let Some(due) = names.iter().map(|name| name.due).min() else { return };
    let mut timer = Timer::at(due);
    poll_fn(|cx| {
        let pidfds = names.iter().flat_map(|name| &name.held).filter_map(|held| held.pidfd.as_ref());
        // Each one is asked, so that each one wakes us.
        let ended = pidfds.filter(|pidfd| pidfd.poll_readable(cx).is_ready()).count() > 0;
        if ended || Pin::new(&mut timer).poll(cx).is_ready() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

/// One turn: see who ended, scan if that is needed, tell the verdicts.
fn turn(scanner: &mut Scanner, names: &mut [Name<'_>], tell: &impl Fn(usize, Verdict)) {
    let at = Instant::now();
    let died: Vec<_> = names.iter_mut().map(|name| name.let_go(scanner)).collect();
    let wanted: Vec<bool> = names
        .iter()
        .zip(&died)
        .map(|(name, &died)| match (died.is_some(), name.due <= at) {
            (true, false) => name.scanned.is_none_or(|scanned| at.duration_since(scanned) >= SCAN_GAP),
            (_, true) => name.needs_scan(at),
            (false, false) => false,
        })
        .collect();
    let scan = scan(scanner, names, &wanted, at);
    for (name, died) in names.iter_mut().zip(died) {
        let is_due = name.due <= at;
        if !is_due && died.is_none() {
            continue;
        }
        let reason = match (name.held.first(), died, &scan) {
            (Some(held), _, _) => Reason::Running(held.process.pid),
            (None, Some(pid), _) => Reason::Died(pid),
            (None, None, Err(error)) => os(error),
            (None, None, Ok(())) => Reason::Absent,
        };
        tell(name.index, name.health.look(now(), reason));
        if is_due {
            name.due = next(name.due, name.track.interval);
        }
    }
}

/// One pass over all processes for the names `wanted`.
fn scan(scanner: &mut Scanner, names: &mut [Name<'_>], wanted: &[bool], at: Instant) -> io::Result<()> {
    let which: Vec<usize> = (0..names.len()).filter(|&name| wanted[name]).collect();
    if which.is_empty() {
        return Ok(());
    }
    let comms: Vec<Comm> = which.iter().map(|&name| names[name].comm).collect();
    let mut found = vec![Vec::new(); which.len()];
    scanner.scan(&comms, |name, process| {
        let held = |process| names[which[name]].held.iter().any(|held| held.process == process);
        if found[name].len() < MAX_HELD || held(process) {
            found[name].push(process);
        }
    })?;
    for (&name, found) in which.iter().zip(&found) {
        names[name].scanned = Some(at);
        names[name].hold(found, scanner);
    }
    Ok(())
}

/// Tells of each name due that the look itself failed.
fn fail(names: &mut [Name<'_>], reason: Reason, tell: &impl Fn(usize, Verdict)) {
    let at = Instant::now();
    for name in names.iter_mut().filter(|name| name.due <= at) {
        tell(name.index, name.health.look(now(), reason));
        name.due = next(name.due, name.track.interval);
    }
}
