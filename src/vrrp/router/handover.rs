//! Leaving the VIP to a successor without a moment in which nobody has it.
//!
//! Priority 0 goes out, the address stays (`Waiting`) until the successor's advert is heard, and a little longer
//! (`Lingering`). A router that may stay resumes if nobody comes; one that has to go says goodbye a second time first,
//! because the only goodbye may have been lost.

use super::{Action, Actions, Router, State, push};
use crate::time::Time;
use crate::vrrp::Preempt;
use crate::vrrp::backup::{Backup, Seen};
use crate::vrrp::event::{Heard, Reason};
use crate::vrrp::timers::skew;
use core::time::Duration;

/// A leaving master waits for the slowest peer's skew and this long: a peer's wake-up, its advert's way, ours.
pub const HANDOVER_MARGIN: Duration = Duration::from_millis(100);
/// The address stays for this long after the successor's advert: keepalived sends the advert before it has the
/// address, and its announcements have to reach every neighbour.
pub const LINGER: Duration = Duration::from_millis(30);
/// After a hand-over that nobody took, a failed check does not start the next one before this time.
pub const RESIGN_BACKOFF: Duration = Duration::from_secs(30);
/// Priority while resigned: below every peer, yet there when all the others are gone.
pub const RESIGNED_PRIORITY: u8 = 1;

/// Where a leaving master goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Backup(Reason),
    Fault(Reason),
    Stopped,
}

impl Router {
    /// As master: does the new priority decide? Then hand over, else advertise it at once.
    pub(super) fn weigh(&mut self, now: Time, before: u8, out: &mut Actions) {
        let priority = self.priority();
        if priority == before || before == 0 || self.resigned_until.is_some() {
            return;
        }
        match self.better_peer(before, priority) {
            Some(peer) if now >= self.resign_after => {
                let reason = Reason::FellBelow { priority, peer };
                self.leave(now, Then::Backup(reason), reason, out);
            }
            Some(_) | None => self.advertise(now, out),
        }
    }

    /// What a peer can have, if this fall from `before` to `priority` lets it win. One that could have won before,
    /// and has not preempted, is not there: it does not count.
    fn better_peer(&self, before: u8, priority: u8) -> Option<u8> {
        if priority > before {
            return None;
        }
        let passive = self.settings.preempt == Preempt::Never;
        let known = self.settings.peers.iter().filter_map(|peer| peer.range).map(|range| range.ceiling);
        known.chain(self.last_heard).filter(|&can| can > priority && (passive || can <= before)).max()
    }

    /// Says goodbye and keeps the address until the successor is heard.
    pub(super) fn leave(&mut self, now: Time, then: Then, reason: Reason, out: &mut Actions) {
        let floors = self.settings.peers.iter().map(|peer| peer.range.map_or(1, |range| range.floor));
        let until = self.say_goodbye(now, floors.min().unwrap_or(1), out);
        self.turn(now, State::Waiting { until, then, again: false }, reason, out);
    }

    /// Priority 0, with the lease renewed to outlive the wait; returns when a peer of `slowest` must have come.
    fn say_goodbye(&mut self, now: Time, slowest: u8, out: &mut Actions) -> Time {
        push(out, Action::Advertise(0));
        push(out, Action::Hold);
        now + skew(self.settings.version, slowest, self.settings.interval) + HANDOVER_MARGIN
    }

    /// Changes where a leaving router goes; a stop is final.
    pub(super) fn set_then(&mut self, new: Then) {
        if let State::Waiting { then, .. } | State::Lingering { then, .. } = &mut self.state
            && *then != Then::Stopped
        {
            *then = new;
        }
    }

    /// Something else fails while leaving. Without link there is nothing to wait for.
    pub(super) fn hurry(&mut self, now: Time, then: Then, reason: Reason, out: &mut Actions) {
        if self.source().is_some() {
            return self.set_then(Then::Fault(reason));
        }
        push(out, Action::Release);
        match then {
            Then::Stopped => self.turn(now, State::Stopped, Reason::Stopping, out),
            Then::Backup(_) | Then::Fault(_) => self.turn(now, State::Fault, reason, out),
        }
    }

    /// An advert while waiting: the successor's, most often.
    pub(super) fn hear_while_waiting(&mut self, now: Time, then: Then, heard: Heard, out: &mut Actions) {
        if heard.priority == 0 {
            return;
        }
        // It left for a better peer, and a worse one came: takes the VIP back now, not by preemption later.
        let preempts = self.settings.preempt == Preempt::After(Duration::ZERO);
        if let Then::Backup(Reason::FellBelow { .. }) = then
            && preempts
            && heard.priority < self.priority()
        {
            return self.resume(now, out);
        }
        self.linger(now, then, heard);
    }

    /// The successor is heard: the address stays a moment longer.
    pub(super) fn linger(&mut self, now: Time, then: Then, heard: Heard) {
        let mut backup = Backup::new(now, heard.interval);
        backup.master = Some(Seen { addr: heard.src, priority: heard.priority, at: now });
        self.state = State::Lingering { until: now + LINGER, then, backup };
    }

    /// Nobody took over: a router that may stay resumes, the others say it once more and go.
    pub(super) fn give_up_waiting(&mut self, now: Time, then: Then, again: bool, out: &mut Actions) {
        match then {
            Then::Backup(_) => self.resume(now, out),
            Then::Fault(_) | Then::Stopped if !again => {
                // This time one that has resigned may come, too.
                let until = self.say_goodbye(now, RESIGNED_PRIORITY, out);
                self.state = State::Waiting { until, then, again: true };
            }
            Then::Fault(reason) => {
                push(out, Action::Release);
                self.turn(now, State::Fault, reason, out);
            }
            Then::Stopped => {
                push(out, Action::Release);
                self.turn(now, State::Stopped, Reason::NobodyTookOver, out);
            }
        }
    }

    fn resume(&mut self, now: Time, out: &mut Actions) {
        self.resign_after = now + RESIGN_BACKOFF;
        self.become_master(now, Reason::NobodyTookOver, out);
    }

    /// The successor has had its time: the address goes.
    pub(super) fn let_go(&mut self, now: Time, then: Then, backup: Backup, out: &mut Actions) {
        push(out, Action::Release);
        let to = backup.master.map_or(Reason::Stopping, |master| Reason::HandedTo(master.addr));
        match then {
            Then::Backup(reason) => {
                // The loser's last advert: a winner that never heard this node announces again.
                if let Reason::Outranked { .. } = reason {
                    push(out, Action::Advertise(self.priority()));
                }
                self.turn(now, State::Backup(backup), to, out);
            }
            Then::Fault(reason) => self.turn(now, State::Fault, reason, out),
            Then::Stopped => self.turn(now, State::Stopped, to, out),
        }
    }
}
