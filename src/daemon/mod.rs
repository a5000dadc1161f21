//! The daemon: what is started and stopped in which order, and how the folders' work fits together.
//!
//! Three threads. The vrrp and vip threads have real-time scheduling where that is permitted; this one, the checks
//! thread, runs everything else on one smol executor: checks, link events, log, status, signals, and the watch over
//! the housekeeper child.

mod housekeeper;
mod journal;
mod links;
mod on_change;
mod open;
mod rejects;
mod status;
mod verdicts;

pub use open::release;

use crate::checks::{self, Track, health};
use crate::flags::Config;
use crate::report::frame::{Reply, Request};
use crate::report::status::{Housekeeper, Threads};
use crate::shared::{COMMANDS, Command, Commands, NOTES, Note, Shared};
use crate::sys::caps::{self, Capability};
use crate::sys::{Failure, clock, sched};
use crate::time::Time;
use crate::vrrp::event::Link;
use crate::{plan, report, vip, vrrp};
use core::cell::RefCell;
use core::fmt;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use heapless::spsc::{Consumer, Queue};
use journal::Journal;
use log::Level;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use on_change::Change;
use smol::channel::{Receiver, Sender};
use smol::{Async, LocalExecutor, Timer};
use std::ffi::OsString;
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::thread;

/// Why the daemon could not start or go on: an exit code of sysexits.h and one line.
#[derive(Debug)]
pub struct Fatal {
    /// 69 unavailable, 71 system error, 77 no permission.
    pub exit: u8,
    /// What went wrong, and what to do.
    pub text: String,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A resource that another program holds, or a kernel without it.
pub const EX_UNAVAILABLE: u8 = 69;
/// A system call that should not fail.
pub const EX_OSERR: u8 = 71;
/// A right that this process lacks.
pub const EX_NOPERM: u8 = 77;

impl Fatal {
    fn of(what: &str, failure: Failure) -> Self {
        use nix::errno::Errno::{EACCES, EPERM};
        let denied = matches!(failure.errno, EPERM | EACCES);
        let hint =
            if denied { "; run as root or with CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_NICE" } else { "" };
        Self { exit: if denied { EX_NOPERM } else { EX_OSERR }, text: format!("{what}: {failure}{hint}") }
    }
}

/// What the tasks of the checks thread share.
pub(crate) struct Daemon<'a> {
    config: &'a Config,
    shared: &'a Shared,
    tracks: &'a [Track],
    /// For each router, where its checks stand in `tracks`.
    places: Vec<Vec<usize>>,
    started: Time,
    threads: Threads,
    changes: Sender<Change>,
    doubts: Sender<Duration>,
    desk: RefCell<Desk<'a>>,
}

/// Its changing part. Borrowed for moments, never over an await.
struct Desk<'a> {
    commands: Commands<'a>,
    journal: Journal,
    latest: verdicts::Latest,
    /// What each router has been told of its link.
    links: Vec<Link>,
    /// Since when the source address is missing without having been told so.
    missing: Vec<Option<Time>>,
    housekeeper: Housekeeper,
    stopping: bool,
}

/// Runs until SIGTERM or SIGINT has handed the VIP over. `args`: this process's own, for the housekeeper child.
///
/// # Errors
/// Whatever keeps it from starting; once it runs, only a failing kernel.
pub fn run(config: &Config, args: &[OsString]) -> Result<(), Fatal> {
    let signals = block_signals()?;
    let listener = report::run::bind(&report::socket_path(&config.run_dir))
        .map_err(|error| Fatal { exit: EX_UNAVAILABLE, text: error.to_string() })?;
    let shared = Shared::new().map_err(|failure| Fatal::of("waking threads", failure))?;
    let opened = open::open(config)?;
    let threads = settle(config);
    let (mut commands, mut notes, mut vip_notes) =
        (Queue::<Command, COMMANDS>::new(), Queue::<Note, NOTES>::new(), Queue::<vip::Note, NOTES>::new());
    let (commands, mut orders) = commands.split();
    let (vrrp_notes, notes) = notes.split();
    let (vip_notes_in, vip_notes) = vip_notes.split();
    let (changes, changed) = on_change::queue();
    // One look more is enough for all who doubt meanwhile.
    let (doubts, doubted) = smol::channel::bounded(1);
    let tracks = config.tracks();
    let daemon = Daemon {
        config,
        shared: &shared,
        tracks: &tracks,
        places: places(config, &tracks),
        started: clock::now(),
        threads,
        changes,
        doubts,
        desk: RefCell::new(Desk {
            commands,
            journal: Journal::new(&config.routers),
            latest: vec![None; tracks.len()],
            links: vec![Link::Unknown; config.routers.len()],
            missing: vec![None; config.routers.len()],
            housekeeper: Housekeeper::Off,
            stopping: false,
        }),
    };
    // The locks are held until the end.
    let open::Opened { mut ports, mut hands, rejects, locks: _held } = opened;
    let realtime = threads.realtime;
    thread::scope(|scope| {
        let shared = &shared;
        let vip_thread = thread::Builder::new().name("vip".into()).spawn_scoped(scope, move || {
            on_time(realtime);
            vip::run::run(&mut hands, vip_notes_in, shared)
        });
        let vrrp_thread = thread::Builder::new().name("vrrp".into()).spawn_scoped(scope, move || {
            on_time(realtime);
            vrrp::run::run(&mut ports, &mut orders, vrrp_notes, shared)
        });
        let (Ok(vip_thread), Ok(vrrp_thread)) = (vip_thread, vrrp_thread) else {
            return Err(Fatal { exit: EX_OSERR, text: "cannot start a thread".to_owned() });
        };
        let over = || vip_thread.is_finished() || vrrp_thread.is_finished();
        let work = Work { listener, signals, rejects, changed, doubted, notes, vip_notes, args };
        smol::block_on(daemon.work(work, over));
        let ended = [vrrp_thread.join(), vip_thread.join()];
        let failed = ended.into_iter().flatten().find_map(Result::err);
        failed.map_or(Ok(()), |failure| Err(Fatal::of("a thread gave up", failure)))
    })
}

/// SIGTERM and SIGINT, as a descriptor.
fn block_signals() -> Result<SignalFd, Fatal> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGINT);
    set.thread_block()
        .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC))
        .map_err(|errno| Fatal::of("taking signals", Failure { call: "signalfd", errno }))
}

/// Locks memory and gives up what is not needed; says one line for each right that is missing.
fn settle(config: &Config) -> Threads {
    let mut threads = Threads { realtime: config.realtime, ..Threads::default() };
    let mut kept = Capability::NEEDED.to_vec();
    if config.realtime {
        match sched::lock_memory() {
            Ok(growth) => {
                threads.locked = true;
                if growth == sched::Growth::ByCapability {
                    kept.push(Capability::IpcLock);
                }
            }
            Err(failure) => log::warn!("memory is not locked ({failure}): a busy disk may delay adverts"),
        }
        if let Err(failure) = realtime_permitted() {
            threads.realtime = false;
            log::warn!("no real-time scheduling ({failure}): a busy machine may delay adverts");
        }
    }
    if let Err(failure) = caps::keep(&kept) {
        log::warn!("capabilities that are not needed could not be given up ({failure})");
    }
    threads
}

/// Tried in a thread of its own: this one stays ordinary.
fn realtime_permitted() -> Result<(), Failure> {
    let lost = Failure { call: "starting a thread", errno: nix::errno::Errno::EAGAIN };
    thread::spawn(sched::realtime).join().unwrap_or(Err(lost))
}

/// For a thread that has to be on time. Its failure has been told by [`settle`].
fn on_time(realtime: bool) {
    if realtime {
        let _ = sched::realtime();
    }
    let _ = sched::exact_timers();
}

/// Where the checks of each router stand among all tracks.
fn places(config: &Config, tracks: &[Track]) -> Vec<Vec<usize>> {
    let place = |track| tracks.iter().position(|other| other == track);
    config.routers.iter().map(|router| router.tracks.iter().filter_map(place).collect()).collect()
}

/// What the tasks of the checks thread take over.
struct Work<'a> {
    listener: report::run::Listener,
    signals: SignalFd,
    rejects: Vec<crate::sys::vrrp_socket::VrrpSocket>,
    changed: Receiver<Change>,
    doubted: Receiver<Duration>,
    notes: Consumer<'a, Note>,
    vip_notes: Consumer<'a, vip::Note>,
    args: &'a [OsString],
}

impl Daemon<'_> {
    /// Runs every task until the vrrp and vip threads are over.
    async fn work(&self, work: Work<'_>, over: impl Fn() -> bool) {
        self.introduce();
        let ex = LocalExecutor::new();
        for (index, socket) in work.rejects.into_iter().enumerate() {
            ex.spawn(self.watch_rejects(index, socket)).detach();
        }
        for (ifindex, vips) in self.interfaces() {
            ex.spawn(self.watch_links(ifindex, vips)).detach();
        }
        ex.spawn(checks::run::run(self.tracks, |track, verdict| self.checked(track, verdict))).detach();
        ex.spawn(self.renew_verdicts()).detach();
        ex.spawn(self.look_again(work.doubted)).detach();
        ex.spawn(self.obey_signals(work.signals)).detach();
        ex.spawn(on_change::run(work.changed)).detach();
        if self.config.housekeeping.any() {
            ex.spawn(housekeeper::keep(self, work.args)).detach();
        }
        self.look_at_links();
        self.send_verdicts();
        let answering = report::serve(&ex, work.listener, move |request, _uid| self.answer(request));
        let noting = self.take_notes(work.notes, work.vip_notes, over);
        ex.run(smol::future::or(noting, async {
            answering.await;
        }))
        .await;
    }

    fn tell(&self, router: Option<u8>, level: Level, text: &str) {
        self.desk.borrow_mut().journal.tell(clock::now(), router, level, text);
    }

    /// To the vrrp thread. A full queue means that it does not turn: nothing can be done, and the status shows it.
    fn post(&self, command: Command) -> bool {
        let posted = self.desk.borrow_mut().commands.enqueue(command).is_ok();
        if !posted {
            self.shared.dropped_notes.fetch_add(1, Relaxed);
        }
        self.shared.wake_vrrp.signal();
        posted
    }

    fn checked(&self, track: usize, verdict: health::Verdict) {
        let before = self.desk.borrow_mut().latest[track].replace(verdict);
        if before.is_some_and(|before| before.well == verdict.well) {
            return;
        }
        let level = if verdict.well { Level::Info } else { Level::Warn };
        let word = if verdict.well { "is well" } else { "failed" };
        self.tell(None, level, &format!("check {} {word}: {}", self.tracks[track], verdict.reason));
        self.send_verdicts();
    }

    fn send_verdicts(&self) {
        let now = clock::now();
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            let verdict =
                verdicts::verdict(router, &self.places[usize::from(index)], &self.desk.borrow().latest, now);
            if let Some(verdict) = verdict {
                self.post(Command::Verdict(index, verdict));
            }
        }
    }

    async fn renew_verdicts(&self) {
        loop {
            Timer::after(verdicts::RENEW_EVERY).await;
            self.look_at_links_unless_told();
            if !self.tracks.is_empty() {
                self.send_verdicts();
            }
        }
    }

    /// Interfaces in use, with the addresses on them that are ours.
    fn interfaces(&self) -> Vec<(u32, Vec<IpAddr>)> {
        let mut found: Vec<(u32, Vec<IpAddr>)> = Vec::new();
        for router in &self.config.routers {
            let Ok(ifindex) = crate::sys::interface::index(&router.interface) else { continue };
            let vips = router.settings.vips.iter().map(|vip| vip.addr);
            match found.iter_mut().find(|(index, _)| *index == ifindex) {
                Some((_, known)) => known.extend(vips),
                None => found.push((ifindex, vips.collect())),
            }
        }
        found
    }

    async fn watch_links(&self, ifindex: u32, vips: Vec<IpAddr>) {
        if let Err(failure) = links::watch(ifindex, &vips, || self.look_at_links()).await {
            self.tell(None, Level::Error, &format!("link events are lost: {failure}"));
        }
    }

    fn look_at_links(&self) {
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            let link = links::look(router);
            let told = self.desk.borrow().links[usize::from(index)];
            if link != told && !self.is_in_doubt(index, link) && self.post(Command::Link(index, link)) {
                self.desk.borrow_mut().links[usize::from(index)] = link;
            }
        }
    }

    /// A source address that is gone may come back at once (a DHCP renewal, a flush): it is believed missing an
    /// interval later. The peers wait for three.
    fn is_in_doubt(&self, index: u8, link: Link) -> bool {
        let place = usize::from(index);
        let interval = self.config.routers[place].settings.interval;
        let now = clock::now();
        let mut desk = self.desk.borrow_mut();
        if link != Link::NoAddress || desk.links[place].source().is_none() {
            desk.missing[place] = None;
            return false;
        }
        let since = *desk.missing[place].get_or_insert(now);
        let left = (since + interval).since(now);
        // A full queue holds a look that is due no later than this one, or the next second's.
        let _ = self.doubts.try_send(left);
        !left.is_zero()
    }

    async fn look_again(&self, doubts: Receiver<Duration>) {
        while let Ok(left) = doubts.recv().await {
            Timer::after(left).await;
            self.look_at_links();
        }
    }

    /// The first lines of the log: what this daemon is going to do, and what is wrong with that.
    fn introduce(&self) {
        self.tell(None, Level::Info, concat!("unsinkable ", env!("CARGO_PKG_VERSION"), " starts"));
        for finding in &self.config.warnings {
            self.tell(None, Level::Warn, &finding.to_string());
        }
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            self.tell(Some(index), Level::Info, &journal::introduction(router));
            let plan::Summary { facts, warnings } = plan::plan(&router.cluster).summary();
            facts.iter().for_each(|fact| self.tell(Some(index), Level::Info, fact));
            warnings.iter().for_each(|warning| self.tell(Some(index), Level::Warn, warning));
        }
    }

    /// A second look where something is missing, for what no event tells (an IPv6 address past its detection).
    fn look_at_links_unless_told(&self) {
        if self.desk.borrow().links.iter().any(|link| link.source().is_none()) {
            self.look_at_links();
        }
    }

    async fn watch_rejects(&self, index: usize, socket: crate::sys::vrrp_socket::VrrpSocket) {
        let lane = &self.shared.lanes[index];
        let router = u8::try_from(index).unwrap_or(u8::MAX);
        let own = || self.desk.borrow().links[index].source();
        let tell = |src, reject| {
            let text = journal::rejected(src, reject);
            self.tell(Some(router), Level::Warn, &text);
        };
        if let Err(error) = rejects::watch(socket, &self.config.routers[index], lane, own, tell).await {
            self.tell(Some(router), Level::Warn, &format!("rejected packets are not counted: {error}"));
        }
    }

    /// Empties the notes of the other threads into the log until those are over.
    async fn take_notes(
        &self,
        mut notes: Consumer<'_, Note>,
        mut vip_notes: Consumer<'_, vip::Note>,
        over: impl Fn() -> bool,
    ) {
        let wake: Async<BorrowedFd<'_>> = match Async::new_nonblocking(self.shared.wake_checks.as_fd()) {
            Ok(wake) => wake,
            Err(error) => return self.tell(None, Level::Error, &format!("the log cannot be woken: {error}")),
        };
        loop {
            let last = over();
            self.shared.wake_checks.drain();
            while let Some(note) = notes.dequeue() {
                self.take_note(&note);
            }
            while let Some(note) = vip_notes.dequeue() {
                self.desk.borrow_mut().journal.vip_note(&note);
            }
            if last {
                return;
            }
            let limit = async {
                // The end of a thread wakes nobody by itself.
                Timer::after(Duration::from_millis(if self.desk.borrow().stopping { 5 } else { 1_000 }))
                    .await;
            };
            smol::future::or(async { drop(wake.readable().await) }, limit).await;
        }
    }

    fn take_note(&self, note: &Note) {
        let changed = self.desk.borrow_mut().journal.note(note);
        let Some(router) = self.config.routers.get(usize::from(note.router)) else { return };
        if let (Some((state, reason)), Some(program)) = (changed, &router.on_change) {
            let vips: Vec<String> = router.settings.vips.iter().map(|vip| vip.addr.to_string()).collect();
            let change = Change {
                program: program.clone(),
                vrid: router.settings.vrid,
                state,
                reason,
                vips: vips.join(" "),
            };
            if self.changes.try_send(change).is_err() {
                self.tell(
                    Some(note.router),
                    Level::Warn,
                    "--on-change is too slow: a change was not told to it",
                );
            }
        }
    }

    async fn obey_signals(&self, signals: SignalFd) {
        let Ok(signals) = Async::new_nonblocking(signals) else { return };
        loop {
            if signals.readable().await.is_err() {
                return;
            }
            let Ok(Some(_)) = signals.get_ref().read_signal() else { continue };
            if self.desk.borrow().stopping {
                self.tell(None, Level::Warn, "told to stop twice: the VIP goes with its lease");
                std::process::exit(i32::from(EX_UNAVAILABLE));
            }
            self.tell(None, Level::Info, "stopping: handing over first");
            self.desk.borrow_mut().stopping = true;
            self.post(Command::Stop);
        }
    }

    fn answer(&self, request: Request) -> Reply {
        match request {
            Request::Status => Reply::Status(Box::new(status::status(self))),
            Request::Resign { for_ } => self.resign(for_),
        }
    }

    fn resign(&self, pause: Duration) -> Reply {
        if !self.post(Command::Resign(clock::now() + pause)) {
            return Reply::Refused("the vrrp thread does not take commands".to_owned());
        }
        let text = if pause.is_zero() {
            "resignation ended".to_owned()
        } else {
            format!(
                "resigned for {} s: this node takes the VIP back only if no other node can",
                pause.as_secs()
            )
        };
        self.tell(None, Level::Info, &text);
        Reply::Done(text)
    }
}
