//! The tasks of the checks thread: each waits for one thing, tells the log, and sends a command to the vrrp thread.

use super::{Daemon, EX_UNAVAILABLE, Fatal, housekeeper, journal, links, notify, rejects, status, verdicts};
use crate::checks::{self, health};
use crate::notice::{self, Notice};
use crate::report::frame::{Reply, Request};
use crate::shared::{Command, Note};
use crate::sys::vrrp_socket::VrrpSocket;
use crate::sys::{clock, interface};
use crate::tasks::spawn;
use crate::time::Time;
use crate::vrrp::event::{Link, StateName};
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
use std::net::IpAddr;
use std::os::fd::{AsFd, BorrowedFd};

/// A thread that gave up is noticed at the latest after this time: its end wakes nobody.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The same while stopping.
const LOOK_WHILE_STOPPING: Duration = Duration::from_millis(5);

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

    pub(super) fn tell(&self, router: Option<u8>, level: Level, text: &str) {
        self.desk.borrow_mut().journal.tell(clock::now(), router, level, text);
    }

    /// Where one thread gave up, or never began, the other has to be told.
    pub(super) fn end_threads(&self) {
        self.post(Command::Stop);
        self.shared.stopping.store(true, Relaxed);
        self.shared.wake_vip.signal();
    }

    /// What [`end_for`](Self::end_for) left.
    pub(super) fn last_word(&self) -> Result<(), Fatal> {
        let word = self.desk.borrow_mut().fatal.take();
        word.map_or(Ok(()), |text| Err(Fatal { exit: EX_UNAVAILABLE, text }))
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

    /// Interfaces in use, with the addresses on them that are ours.
    fn interfaces(&self) -> Vec<(u32, Vec<IpAddr>)> {
        let mut found: Vec<(u32, Vec<IpAddr>)> = Vec::new();
        for (router, &ifindex) in self.config.routers.iter().zip(&self.ifindexes) {
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
        if let Some(name) = self.replaced_interface() {
            return self.end_for(format!(
                "{name} was removed and made anew: ending, so that systemd starts this daemon on the new one"
            ));
        }
        for (index, router) in (0_u8..).zip(&self.config.routers) {
            let link = links::look(router);
            let told = self.desk.borrow().links[usize::from(index)];
            if link != told && !self.is_in_doubt(index, link) && self.post(Command::Link(index, link)) {
                self.desk.borrow_mut().links[usize::from(index)] = link;
            }
        }
    }

    /// The sockets are bound to an interface by number; one that comes back with another number is another one.
    fn replaced_interface(&self) -> Option<&str> {
        let names = self.config.routers.iter().map(|router| router.interface.as_str());
        let mut opened = names.zip(&self.ifindexes);
        opened
            .find(|(name, opened)| interface::index(name).is_ok_and(|now| now != **opened))
            .map(|(name, _)| name)
    }

    /// Stops, with this as the last word.
    fn end_for(&self, text: String) {
        let mut desk = self.desk.borrow_mut();
        if core::mem::replace(&mut desk.stopping, true) {
            return;
        }
        self.notify.tell(&format!("STOPPING=1\nSTATUS={text}"));
        desk.fatal = Some(text);
        drop(desk);
        self.post(Command::Stop);
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

    /// A second look where something is missing, for what no event tells (an IPv6 address past its detection).
    fn look_at_links_unless_told(&self) {
        if self.desk.borrow().links.iter().any(|link| link.source().is_none()) {
            self.look_at_links();
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

    /// Empties the notes of the other threads into the log until those are over.
    /// An advert has come to this router not long ago, while it is no master itself.
    fn hears_somebody(&self, router: u8) -> bool {
        let router = usize::from(router);
        let view = self.desk.borrow().journal.views.get(router).copied().flatten();
        let lane = self.shared.lanes.get(router);
        let heard =
            lane.into_iter().flat_map(|lane| &lane.peers).map(|peer| peer.heard_at.load(Relaxed)).max();
        let patience = self.config.routers.get(router).map_or(Duration::ZERO, |it| it.settings.interval * 2);
        let recent = Time::from_micros(heard.unwrap_or_default());
        view.is_some_and(|view| view.state == StateName::Backup) && clock::now().since(recent) < patience
    }

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
                // Whoever preempts a master hears it well: its answer is no riddle.
                let answered = matches!(note.what, vip::What::AnsweredBy(..));
                if !answered || !self.hears_somebody(note.router) {
                    self.desk.borrow_mut().journal.vip_note(&note);
                }
            }
            if last {
                return;
            }
            let stopping = self.desk.borrow().stopping;
            let limit = async {
                Timer::after(if stopping { LOOK_WHILE_STOPPING } else { LOOK_EVERY }).await;
            };
            future::or(async { drop(wake.readable().await) }, limit).await;
        }
    }

    fn take_note(&self, note: &Note) {
        let changed = self.desk.borrow_mut().journal.note(note);
        if changed.is_some() {
            self.tell_roles();
        }
        let Some(router) = self.config.routers.get(usize::from(note.router)) else { return };
        if let (Some((state, reason)), Some(program)) = (changed, &router.on_change) {
            let notice = Notice::Role {
                vrid: router.settings.vrid,
                state: state.to_string(),
                reason: reason.to_string(),
                vips: router.settings.vips.iter().map(|vip| vip.addr.to_string()).collect(),
            };
            if !self.bell.tell(program, notice) {
                self.tell(
                    Some(note.router),
                    Level::Warn,
                    "--on-change is too slow: the oldest change was not told to it",
                );
            }
        }
    }

    /// For `systemctl status`.
    fn tell_roles(&self) {
        let desk = self.desk.borrow();
        if !desk.stopping {
            self.notify.tell(&format!("STATUS={}", desk.journal.roles()));
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
