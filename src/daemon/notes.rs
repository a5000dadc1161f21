//! What the vrrp and vip threads have noted becomes log lines and events, systemd's status line, and a call of the user's
//! program.

use super::Daemon;
use crate::notice::Notice;
use crate::shared::Note;
use crate::sys::clock;
use crate::time::Time;
use crate::vip;
use crate::vrrp::event::StateName;
use core::sync::atomic::Ordering::Relaxed;
use core::time::Duration;
use heapless::spsc::Consumer;
use log::Level;
use smol::{Async, Timer, future};
use std::os::fd::{AsFd, BorrowedFd};

/// A thread that gave up is noticed at the latest after this time: its end wakes nobody.
const LOOK_EVERY: Duration = Duration::from_secs(10);
/// The same while stopping.
const LOOK_WHILE_STOPPING: Duration = Duration::from_millis(5);

impl Daemon<'_> {
    /// Empties the notes of the other threads into the log until those are over.
    pub(super) async fn take_notes(
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
    pub(super) fn tell_roles(&self) {
        let desk = self.desk.borrow();
        if !desk.stopping {
            self.notify.tell(&format!("STATUS={}", desk.journal.roles()));
        }
    }
}
