//! The tasks of the checks thread: each waits for one thing, tells the log, and sends a command to the vrrp thread.

use super::{Daemon, Fatal, housekeeper, journal, notify, rejects, status, verdicts};
use crate::checks::{self, health};
use crate::notice;
use crate::report::frame::{Reply, Request};
use crate::shared::{Command, Note};
use crate::sys::clock;
use crate::sys::vrrp_socket::VrrpSocket;
use crate::sysexits::EX_UNAVAILABLE;
use crate::tasks::spawn;
use crate::{plan, report, vip};
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use heapless::spsc::Consumer;
use log::Level;
use nix::sys::signalfd::SignalFd;
use smol::channel::Receiver;
use smol::future::FutureExt;
use smol::{Async, LocalExecutor, Timer, future};
use std::ffi::OsString;

/// Feeds of the watchdog in the time it allows: one may come late, one may be lost.
const FEEDS: u32 = 4;

/// What the tasks of the checks thread take over.
pub(super) struct Work<'a> {
    pub(super) listener: report::run::Listener,
    pub(super) signals: SignalFd,
    pub(super) rejects: Vec<VrrpSocket>,
    pub(super) calls: notice::run::Calls,
    pub(super) doubted: Receiver<Duration>,
    pub(super) notes: Consumer<'a, Note>,
    pub(super) vip_notes: Consumer<'a, vip::Note>,
    pub(super) args: &'a [OsString],
}

impl Daemon<'_> {
    /// Runs every task until the vrrp and vip threads are over.
    pub(super) async fn work(&self, work: Work<'_>, over: impl Fn() -> bool) {
        self.introduce();
        let ex = LocalExecutor::new();
        for (index, socket) in work.rejects.into_iter().enumerate() {
            spawn(&ex, self.watch_rejects(index, socket));
        }
        for (ifindex, vips) in self.interfaces() {
            spawn(&ex, self.watch_links(ifindex, vips));
        }
        spawn(&ex, checks::run::run(self.tracks, |track, verdict| self.checked(track, verdict)));
        spawn(&ex, self.renew_verdicts());
        spawn(&ex, self.look_again(work.doubted));
        spawn(&ex, self.obey_signals(work.signals));
        spawn(&ex, self.feed_watchdog());
        spawn(&ex, self.watch_realtime());
        spawn(&ex, notice::run::run(work.calls, &notify::VARIABLES, notice::run::LIMIT));
        if self.config.housekeeping.any() {
            spawn(&ex, housekeeper::keep(self, work.args));
        }
        self.look_at_links();
        self.send_verdicts();
        self.notify.tell("READY=1");
        self.tell_roles();
        // A task of its own: as part of the future below, each note would make the listener be asked, too.
        let noted = ex.spawn(self.take_notes(work.notes, work.vip_notes, over).boxed_local());
        let answering = report::serve(&ex, work.listener, move |request, _uid| self.answer(request));
        ex.run(future::or(noted, async {
            answering.await;
        }))
        .await;
    }

    /// A line for the log, and an event; of one router, or of the daemon as a whole.
    pub(super) fn tell(&self, router: Option<u8>, level: Level, text: &str) {
        self.desk.borrow_mut().journal.tell(clock::now(), router, level, text);
    }

    /// Where one thread gave up, or never began, the other has to be told.
    pub(super) fn end_threads(&self) {
        self.post(Command::Stop);
        self.shared.stopping.store(true, Relaxed);
        self.shared.wake_vip.signal();
    }

    /// Why the daemon had to end, if [`end_for`](Self::end_for) ended it.
    pub(super) fn last_word(&self) -> Result<(), Fatal> {
        let word = self.desk.borrow_mut().fatal.take();
        word.map_or(Ok(()), |text| Err(Fatal { exit: EX_UNAVAILABLE, text }))
    }

    /// To the vrrp thread; false where the queue is full. It does not turn then: nothing can be done, and the status
    /// shows it.
    pub(super) fn post(&self, command: Command) -> bool {
        let posted = self.desk.borrow_mut().commands.enqueue(command).is_ok();
        if !posted {
            self.shared.dropped_notes.fetch_add(1, Relaxed);
        }
        self.shared.wake_vrrp.signal();
        posted
    }

    /// Takes in the verdict on check number `track`; one that has turned goes to the vrrp thread at once.
    pub(super) fn checked(&self, track: usize, verdict: health::Verdict) {
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
        let mut desk = self.desk.borrow_mut();
        let gap = now.since(core::mem::replace(&mut desk.weighed_at, now));
        verdicts::forgive(&mut desk.latest, gap);
        drop(desk);
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
            self.miss_verdicts();
            if !self.tracks.is_empty() {
                self.send_verdicts();
            }
        }
    }

    /// A housekeeper that never comes up must not keep a router waiting for its first verdict for ever.
    fn miss_verdicts(&self) {
        let now = clock::now();
        for (place, track) in
            self.tracks.iter().enumerate().filter(|(_, track)| track.kind.is_the_housekeepers())
        {
            let unheard = health::Verdict::unheard(track, self.started, now);
            let never = self.desk.borrow().latest[place].is_none();
            if let Some(verdict) = unheard.filter(|_| never) {
                self.checked(place, verdict);
            }
        }
    }

    /// Stops, with this as the last word.
    pub(super) fn end_for(&self, text: String) {
        let mut desk = self.desk.borrow_mut();
        if core::mem::replace(&mut desk.stopping, true) {
            return;
        }
        self.notify.tell(&format!("STOPPING=1\nSTATUS={text}"));
        desk.fatal = Some(text);
        drop(desk);
        self.post(Command::Stop);
    }

    /// The first lines of the log: what this daemon is going to do, and what is wrong with that.
    fn introduce(&self) {
        self.tell(None, Level::Info, concat!("unsinkable ", env!("CARGO_PKG_VERSION"), " starts"));
        self.tell(None, Level::Debug, &format!("board {}", self.config.board));
        for finding in &self.config.warnings {
            self.tell(None, Level::Warn, &finding.to_string());
        }
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            self.tell(Some(index), Level::Info, &journal::introduction(router));
            let plan::Summary { facts, warnings } = plan::plan(&router.cluster).summary();
            for fact in &facts {
                self.tell(Some(index), Level::Info, fact);
            }
            for warning in &warnings {
                self.tell(Some(index), Level::Warn, warning);
            }
        }
    }

    async fn watch_rejects(&self, index: usize, socket: VrrpSocket) {
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

    /// Feeds systemd's watchdog only while the vrrp thread turns: it is woken, and has to have turned by the next look.
    /// A process that holds a VIP without advertising it is worse than one that is started anew.
    async fn feed_watchdog(&self) {
        let Some(limit) = self.notify.watchdog() else { return };
        loop {
            let woken = clock::now();
            self.shared.wake_vrrp.signal();
            Timer::after(limit / FEEDS).await;
            if self.shared.beat.load(Relaxed) >= woken.as_micros() {
                self.notify.tell("WATCHDOG=1");
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
            self.notify.tell("STOPPING=1\nSTATUS=handing over");
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
