//! May this node take part, with what priority, and what follows when that changes: link, source address, checks,
//! resignation, and what a former life left on the interface.

use super::{Action, Actions, RESIGNED_PRIORITY, Router, State, Then, push, tell};
use crate::time::Time;
use crate::vrrp::backup::Backup;
use crate::vrrp::event::{Event, Link, Reason, Stale, Verdict};
use crate::vrrp::priority::{Effective, OWNER};

impl Router {
    /// Lets what has a date run out: a resignation, an old verdict.
    pub(super) fn expire(&mut self, now: Time) {
        if self.resigned_until.is_some_and(|until| until <= now) {
            self.resigned_until = None;
        }
        if let Some(Verdict { effective, until: Some(until) }) = self.verdict
            && until <= now
        {
            // Later than an interval after whatever was due, this whole process was stopped, and its checks were, too:
            // they get an interval to speak.
            let stalled = self.deadline().is_some_and(|at| now.since(at) > self.settings.interval);
            self.verdict = Some(if stalled {
                Verdict { effective, until: Some(now + self.settings.interval) }
            } else {
                Verdict { effective: self.settings.blind, until: None }
            });
        }
    }

    /// Until when a former life's address may wait for link and first verdict: it is neither renewed nor advertised.
    pub(super) fn stale_until(&self) -> Option<Time> {
        let left = self.stale != Stale::None;
        self.started.filter(|_| left).map(|started| started + self.settings.interval)
    }

    /// Effective priority, 0 where there is none.
    pub(super) fn priority(&self) -> u8 {
        match self.verdict.map(|verdict| verdict.effective) {
            None | Some(Effective::Fault) => 0,
            Some(Effective::Priority(_)) if self.resigned_until.is_some() => RESIGNED_PRIORITY,
            Some(Effective::Priority(priority)) => priority,
        }
    }

    /// Tells a change of priority; one into FAULT or out of it is told as a change of state.
    pub(super) fn tell_priority(&self, before: u8, out: &mut Actions) {
        let now = self.priority();
        if before != now && before != 0 && now != 0 {
            tell(out, Event::Priority { from: before, to: now });
        }
    }

    /// Why this node cannot take part, if it cannot.
    fn obstacle(&self) -> Option<Reason> {
        if self.started.is_none() {
            return Some(Reason::Starting);
        }
        match (self.link, self.verdict) {
            (Link::Unknown, _) | (_, None) => Some(Reason::Starting),
            (Link::Down, _) => Some(Reason::LinkDown),
            (Link::NoAddress, _) => Some(Reason::NoAddress),
            (Link::Up(_), Some(Verdict { effective: Effective::Priority(_), .. })) => None,
            (Link::Up(_), Some(Verdict { effective: Effective::Fault, until })) => {
                Some(if until.is_some() { Reason::CheckFailed } else { Reason::ChecksSilent })
            }
        }
    }

    /// Brings the state in line with link, verdict and resignation. Does nothing where they agree.
    pub(super) fn reconcile(&mut self, now: Time, before: u8, out: &mut Actions) {
        match (self.state, self.obstacle()) {
            (State::Stopped, _) | (State::Init, Some(Reason::Starting)) | (State::Backup(_), None) => {}
            (State::Init | State::Fault, None) => self.enter(now, out),
            (State::Init, Some(reason)) => {
                self.abandon_stale(out);
                self.turn(now, State::Fault, reason, out);
            }
            (State::Fault, Some(reason)) => self.reason = reason,
            (State::Backup(_), Some(reason)) => self.turn(now, State::Fault, reason, out),
            (State::Master { .. }, None) => self.weigh(now, before, out),
            (State::Master { .. }, Some(reason @ (Reason::CheckFailed | Reason::ChecksSilent))) => {
                self.leave(now, Then::Fault(reason), reason, out);
            }
            (State::Waiting { then, .. } | State::Lingering { then, .. }, Some(reason)) => {
                self.hurry(now, then, reason, out);
            }
            (State::Waiting { then, .. } | State::Lingering { then, .. }, None) => {
                if let Then::Fault(_) = then {
                    self.set_then(Then::Backup(Reason::Ready));
                }
            }
            (State::Master { .. }, Some(reason)) => {
                push(out, Action::Release);
                self.turn(now, State::Fault, reason, out);
            }
        }
    }

    /// First time that everything is well: from `Init` or `Fault` into the election.
    fn enter(&mut self, now: Time, out: &mut Actions) {
        let stale = core::mem::replace(&mut self.stale, Stale::None);
        match stale {
            Stale::None if self.priority() == OWNER => self.become_master(now, Reason::Owner, out),
            Stale::None => {
                let backup = Backup::new(now, self.settings.interval);
                self.turn(now, State::Backup(backup), Reason::Ready, out);
            }
            Stale::Fresh => self.become_master(now, Reason::LeaseKept, out),
            Stale::Old => self.leave(now, Then::Backup(Reason::AddressLeft), Reason::AddressLeft, out),
        }
    }

    /// A former life's address, and this one cannot hold it: goodbye, then off with it.
    pub(super) fn abandon_stale(&mut self, out: &mut Actions) {
        match core::mem::replace(&mut self.stale, Stale::None) {
            Stale::None => {}
            Stale::Fresh | Stale::Old => {
                if self.source().is_some() {
                    push(out, Action::Advertise(0));
                }
                push(out, Action::Release);
            }
        }
    }
}
