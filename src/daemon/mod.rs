//! The daemon: what is started and stopped in which order, and how the folders' work fits together.
//!
//! Three threads. The vrrp and vip threads have real-time scheduling where that is permitted; this one, the checks
//! thread, runs everything else on one smol executor: checks, link events, log, status, signals, and the watch over
//! the housekeeper child.

mod housekeeper;
mod journal;
mod links;
mod notes;
mod notify;
mod open;
mod rejects;
mod release;
mod status;
mod tasks;
mod threads;
mod verdicts;

pub use release::{Released, is_crash, release};
pub use threads::lend_realtime;

use crate::checks::Track;
use crate::flags::Config;
use crate::report::rounds::Rounds;
use crate::report::status::{Housekeeper, Threads};
use crate::shared::{COMMANDS, Command, Commands, NOTES, Note, Shared};
use crate::sys::{Failure, clock};
use crate::sysexits::{EX_NOPERM, EX_OSERR, EX_UNAVAILABLE};
use crate::time::Time;
use crate::vrrp::event::Link;
use crate::{notice, report, vip};
use core::cell::RefCell;
use core::fmt;
use core::time::Duration;
use heapless::spsc::Queue;
use journal::Journal;
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use notify::Notify;
use smol::channel::Sender;
use std::ffi::OsString;
use std::thread;
use threads::Loops;

/// Why the daemon could not start or go on: an exit code (`crate::sysexits`) and one line.
#[derive(Debug)]
pub struct Fatal {
    /// `EX_UNAVAILABLE`, `EX_OSERR` or `EX_NOPERM`.
    pub exit: u8,
    /// What went wrong, and what to do.
    pub text: String,
}

impl fmt::Display for Fatal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

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
    /// The interface of each router, as its sockets were opened.
    ifindexes: Vec<u32>,
    started: Time,
    threads: Threads,
    notify: Notify,
    bell: notice::run::Bell,
    doubts: Sender<Duration>,
    desk: RefCell<Desk<'a>>,
}

/// Its changing part. Borrowed for moments, never over an await.
struct Desk<'a> {
    commands: Commands<'a>,
    journal: Journal,
    latest: verdicts::Latest,
    /// When they were last weighed: each second, unless this thread was stopped.
    weighed_at: Time,
    /// What each router has been told of its link.
    links: Vec<Link>,
    /// Since when the source address is missing without having been told so.
    missing: Vec<Option<Time>>,
    housekeeper: Housekeeper,
    /// What it told last; outlives it, with its dates.
    rounds: Rounds,
    /// Frames of it that made no sense.
    nonsense: u64,
    stopping: bool,
    /// Why it cannot go on.
    fatal: Option<String>,
}

/// Runs until a signal has handed the VIP over. `args`: this process's own, for the housekeeper child.
///
/// # Errors
/// Whatever keeps it from starting; once it runs, a failing kernel, or an interface that was made anew.
pub fn run(config: &Config, args: &[OsString]) -> Result<(), Fatal> {
    let signals = block_signals()?;
    let listener = report::run::bind(&report::socket_path(&config.run_dir))
        .map_err(|error| Fatal { exit: EX_UNAVAILABLE, text: error.to_string() })?;
    let shared = Shared::new().map_err(|failure| Fatal::of("waking threads", failure))?;
    // The locks are held until the end.
    let open::Opened { ports, hands, rejects, ifindexes, locks: _held } = open::open(config)?;
    let threads = threads::settle(config);
    let mut commands = Queue::<Command, COMMANDS>::new();
    let mut notes = Queue::<Note, NOTES>::new();
    let mut vip_notes = Queue::<vip::Note, NOTES>::new();
    let (commands, orders) = commands.split();
    let (vrrp_tells, notes) = notes.split();
    let (vip_tells, vip_notes) = vip_notes.split();
    let (bell, calls) = notice::run::queue();
    // One look more is enough for all who doubt meanwhile.
    let (doubts, doubted) = smol::channel::bounded(1);
    let tracks = config.tracks();
    let desk = RefCell::new(Desk::new(config, tracks.len(), commands));
    let places = places(config, &tracks);
    let (shared, tracks, started) = (&shared, &tracks[..], clock::now());
    let notify = Notify::from_env();
    let daemon =
        Daemon { config, shared, tracks, places, ifindexes, started, threads, notify, bell, doubts, desk };
    let loops = Loops { ports, orders, vrrp_tells, hands, vip_tells, realtime: config.realtime };
    let work = tasks::Work { listener, signals, rejects, calls, doubted, notes, vip_notes, args };
    thread::scope(|scope| {
        let running = loops.start(scope, shared).inspect_err(|_| daemon.end_threads())?;
        smol::block_on(daemon.work(work, || running.iter().any(thread::ScopedJoinHandle::is_finished)));
        daemon.end_threads();
        let ended = running.into_iter().map(thread::ScopedJoinHandle::join);
        let failed = ended.flatten().find_map(Result::err);
        housekeeper::see_off(&daemon);
        match failed {
            Some(failure) => Err(Fatal::of("a thread gave up", failure)),
            None => daemon.last_word(),
        }
    })
}

/// Tells systemd what this process waits for before it can be the daemon.
pub fn waiting(text: &str) {
    Notify::from_env().tell(&format!("STATUS={text}"));
}

impl<'a> Desk<'a> {
    fn new(config: &Config, tracks: usize, commands: Commands<'a>) -> Self {
        Self {
            commands,
            journal: Journal::new(&config.routers),
            latest: vec![None; tracks],
            weighed_at: clock::now(),
            links: vec![Link::Unknown; config.routers.len()],
            missing: vec![None; config.routers.len()],
            housekeeper: Housekeeper::Off,
            rounds: Rounds::default(),
            nonsense: 0,
            stopping: false,
            fatal: None,
        }
    }
}

/// SIGTERM, SIGINT and SIGHUP (a terminal that closes), as a descriptor.
fn block_signals() -> Result<SignalFd, Fatal> {
    let mut set = SigSet::empty();
    set.add(Signal::SIGTERM);
    set.add(Signal::SIGINT);
    set.add(Signal::SIGHUP);
    set.thread_block()
        .and_then(|()| SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC))
        .map_err(|errno| Fatal::of("taking signals", Failure { call: "signalfd", errno }))
}

/// Where the checks of each router stand among all tracks.
fn places(config: &Config, tracks: &[Track]) -> Vec<Vec<usize>> {
    let place = |track| tracks.iter().position(|other| other == track);
    config.routers.iter().map(|router| router.tracks.iter().filter_map(place).collect()).collect()
}
