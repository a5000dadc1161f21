//! All tracked processes: one scanner, and a pidfd on each process found.
//!
//! While a name has a process, its interval costs one wake-up and no scan; its death is an event. Before the last one's
//! death counts, a pass over the new processes asks whether another has started since, as when a server replaces
//! itself. While a name has none, each interval is a scan, shared by all names.

use super::{next, now, os};
use crate::checks::Track;
use crate::checks::health::{Health, Reason, Verdict};
use crate::checks::process::{Comm, Pass, Process, Scanner};
use crate::sys::pidfd;
use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::Poll;
use core::time::Duration;
use smol::{Async, Timer};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Once;
use std::time::Instant;

/// Processes of one name held at a time: with 32 names 512 descriptors, half of the usual limit. When all of them have
/// ended, the scan that follows finds the others.
const MAX_HELD: usize = 16;
/// With all names found, a whole pass comes after this: a process can take another name without ending.
const RESCAN: Duration = Duration::from_secs(30);
/// With a name missing, a whole pass comes after this, and passes over the new processes between: one that takes the
/// name long after its start (a script that waits, then calls exec) is found so much later at most.
const SWEEP: Duration = Duration::from_secs(10);
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
        Self { index, track, comm, health, held: Vec::new(), due: Instant::now() }
    }

    /// Lets go of what has ended. When one has, the rest are asked for their name again: a child caught between fork
    /// and exec bears its parent's name for a moment. Gives the pid of one that ended, if none is left.
    fn let_go(&mut self, scanner: &Scanner) -> Option<u32> {
        let died = self.held.iter().find(|held| held.has_exited())?.process.pid;
        let comm = self.comm;
        self.held.retain(|held| !held.has_exited() && is_still(scanner, held.process, &comm));
        self.held.is_empty().then_some(died)
    }

    fn tell(&mut self, reason: Reason, tell: impl Fn(usize, Verdict)) {
        tell(self.index, self.health.look(now(), reason));
    }

    /// True while a death would be an event.
    fn is_held(&self) -> bool {
        !self.held.is_empty() && self.held.iter().all(|held| held.pidfd.is_some())
    }

    /// Holds what a pass found, and no longer what has gone or changed its name.
    fn hold(&mut self, found: &[Process], scanner: &Scanner) {
        let comm = self.comm;
        self.held.retain(|held| found.contains(&held.process) || is_still(scanner, held.process, &comm));
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
            static ONCE: Once = Once::new();
            ONCE.call_once(|| log::warn!("a process that ends is noticed at the interval only: {error}"));
            None
        }
    };
    let held = Held { process, pidfd };
    (is_still(scanner, process, comm) && !held.has_exited()).then_some(held)
}

/// Watches all `names` under a proc `root` until dropped.
pub(super) async fn watch(root: &Path, mut names: Vec<Name<'_>>, tell: impl Fn(usize, Verdict)) {
    let mut scans = loop {
        match Scanner::open(root, names.iter().map(|name| name.comm).collect()) {
            Ok(scanner) => break Scans { scanner, last: None, whole: None },
            // Without descriptors or without /proc: every look has failed.
            Err(error) => names.iter_mut().filter(|name| name.due <= Instant::now()).for_each(|name| {
                name.tell(os(&error), &tell);
                name.due = next(name.due, name.track.interval);
            }),
        }
        wait(&names).await;
    };
    loop {
        turn(&mut scans, &mut names, &tell);
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
fn turn(scans: &mut Scans, names: &mut [Name<'_>], tell: &impl Fn(usize, Verdict)) {
    let at = Instant::now();
    let died: Vec<_> = names.iter_mut().map(|name| name.let_go(&scans.scanner)).collect();
    let due = names.iter().filter(|name| name.due <= at);
    let scanned = match scans.needed(at, due, died.iter().any(Option::is_some)) {
        Some(pass) => scans.scan(at, pass, names),
        None => Ok(()),
    };
    for (name, died) in names.iter_mut().zip(died) {
        let is_due = name.due <= at;
        if !is_due && died.is_none() {
            continue;
        }
        let reason = match (name.held.first(), died, &scanned) {
            (Some(held), _, _) => Reason::Running(held.process.pid),
            (None, Some(pid), _) => Reason::Died(pid),
            (None, None, Err(error)) => os(error),
            (None, None, Ok(())) => Reason::Absent,
        };
        name.tell(reason, tell);
        if is_due {
            name.due = next(name.due, name.track.interval);
        }
    }
}

/// The scanner, and when it was last used.
struct Scans {
    scanner: Scanner,
    last: Option<Instant>,
    whole: Option<Instant>,
}

impl Scans {
    /// Which pass is called for by the names that are `due`, or because one has `lost` its last process.
    fn needed<'a>(&self, at: Instant, due: impl Iterator<Item = &'a Name<'a>>, lost: bool) -> Option<Pass> {
        let past = |then: Option<Instant>, span| then.is_none_or(|then| at.duration_since(then) >= span);
        let (mut any, mut missing) = (false, false);
        for name in due {
            any = true;
            missing |= !name.is_held();
        }
        if missing && !lost && past(self.whole, SWEEP) || any && past(self.whole, RESCAN) {
            Some(Pass::Whole)
        } else if missing || lost && past(self.last, SCAN_GAP) {
            Some(Pass::New)
        } else {
            None
        }
    }

    fn scan(&mut self, at: Instant, pass: Pass, names: &mut [Name<'_>]) -> io::Result<()> {
        let mut found = vec![Vec::new(); names.len()];
        self.scanner.scan(pass, |name, process| {
            if found[name].len() < MAX_HELD {
                found[name].push(process);
            }
        })?;
        self.last = Some(at);
        if pass == Pass::Whole {
            self.whole = self.last;
        }
        for (name, found) in names.iter_mut().zip(&found) {
            name.hold(found, &self.scanner);
        }
        Ok(())
    }
}
