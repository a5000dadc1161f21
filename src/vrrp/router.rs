//! The state machine of one virtual router (RFC 3768 and RFC 9568 section 6.4), and what goes beyond them:
//!
//! - It resigns with priority 0 when a failed check takes it below what a peer can have, and resumes if nobody comes.
//! - Make before break: a master that leaves keeps the address until the successor's advert is heard.
//! - A backup whose master falls below it waits for the skew only, not for three intervals.
//! - A process that woke late listens once more before it takes the VIP.
//!
//! Pure: time and input in, actions out. A state carries its own deadline; ask [`Router::deadline`] after each step.

mod conditions;
mod handover;
#[cfg(test)]
mod tests;

use super::backup::{Backup, Seen, Wait};
use super::event::{Action, Event, Heard, Input, Link, Reason, Stale, StateName, Verdict};
use super::{Preempt, Settings};
use crate::time::Time;
use core::net::IpAddr;
use handover::Then;
pub use handover::{HANDOVER_MARGIN, LINGER, RESIGN_BACKOFF, RESIGNED_PRIORITY};

/// Actions of one step. The longest known takes 8: a master whose checks fall silent begins to leave, and in the same
/// step hears a master that is worse still.
pub type Actions = heapless::Vec<Action, 10>;

/// Answers to other masters keep this share of the interval between them, so that a flood is not answered by one.
const ANSWER_SHARE: u32 = 10;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Init,
    Fault,
    Backup(Backup),
    Master {
        advert_at: Time,
    },
    /// Priority 0 is sent, perhaps `again`; until then somebody should take over.
    Waiting {
        until: Time,
        then: Then,
        again: bool,
    },
    /// The successor is heard; until then the address stays.
    Lingering {
        until: Time,
        then: Then,
        backup: Backup,
    },
    Stopped,
}

/// What a router is at the moment, for the status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// State.
    pub state: StateName,
    /// Since when.
    pub since: Time,
    /// Why.
    pub reason: Reason,
    /// Effective priority; 0 in fault.
    pub priority: u8,
    /// The other node that is master, as last heard.
    pub master: Option<Seen>,
}

/// One virtual router.
#[derive(Clone, Debug)]
pub struct Router {
    settings: Settings,
    state: State,
    since: Time,
    reason: Reason,
    link: Link,
    verdict: Option<Verdict>,
    started: Option<Time>,
    /// What a former life left on the interface, until it is dealt with.
    stale: Stale,
    resigned_until: Option<Time>,
    /// No hand-over for a failed check before this moment.
    resign_after: Time,
    /// When another master was answered last.
    answered: Time,
    /// Priority last heard from a peer whose range is unknown.
    last_heard: Option<u8>,
}

impl Router {
    /// A router that has not started: feed it `Start`, `Link` and `Verdict`, in any order.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Init,
            since: Time::ZERO,
            reason: Reason::Starting,
            link: Link::Unknown,
            verdict: None,
            started: None,
            stale: Stale::None,
            resigned_until: None,
            resign_after: Time::ZERO,
            answered: Time::ZERO,
            last_heard: None,
        }
    }

    /// What it was told at start.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Its source address, while the link carries it.
    pub fn source(&self) -> Option<IpAddr> {
        match self.link {
            Link::Up(addr) => Some(addr),
            Link::Unknown | Link::Down | Link::NoAddress => None,
        }
    }

    /// True once a `Stop` is through: the address is given up.
    pub fn is_stopped(&self) -> bool {
        self.state == State::Stopped
    }

    /// State, priority and reason, for the status.
    pub fn view(&self) -> View {
        let (state, master) = match &self.state {
            State::Init => (StateName::Init, None),
            State::Fault => (StateName::Fault, None),
            State::Backup(backup) => (StateName::Backup, backup.master),
            State::Master { .. } => (StateName::Master, None),
            State::Waiting { .. } => (StateName::Leaving, None),
            State::Lingering { backup, .. } => (StateName::Leaving, backup.master),
            State::Stopped => (StateName::Stopped, None),
        };
        View { state, since: self.since, reason: self.reason, priority: self.priority(), master }
    }

    /// When to call `step` with [`Input::Timer`] at the latest, if ever. May change with every step.
    pub fn deadline(&self) -> Option<Time> {
        let own = match &self.state {
            State::Stopped => return None,
            State::Init => self.stale_until(),
            State::Fault => None,
            State::Backup(backup) => Some(backup.deadline(self.settings.version, self.priority())),
            State::Master { advert_at } => Some(*advert_at),
            State::Waiting { until, .. } | State::Lingering { until, .. } => Some(*until),
        };
        let verdict = self.verdict.and_then(|verdict| verdict.until);
        [own, verdict, self.resigned_until].into_iter().flatten().min()
    }

    /// Takes one input at `now` and says what is to be done.
    pub fn step(&mut self, now: Time, input: Input) -> Actions {
        let mut out = Actions::new();
        if self.is_stopped() {
            return out;
        }
        let before = self.priority();
        match input {
            Input::Start(stale) => (self.started, self.stale) = (Some(now), stale),
            Input::Link(link) => self.link = link,
            Input::Verdict(verdict) => self.verdict = Some(verdict),
            Input::Resign(until) => self.resigned_until = (until > now).then_some(until),
            Input::Advert(_) | Input::Timer | Input::Stop => {}
        }
        self.expire(now);
        self.tell_priority(before, &mut out);
        self.reconcile(now, before, &mut out);
        match input {
            Input::Advert(heard) => self.hear(now, heard, &mut out),
            Input::Timer => self.timer(now, &mut out),
            Input::Stop => self.stop(now, &mut out),
            Input::Resign(_) => self.resign(now, &mut out),
            Input::Start(_) | Input::Link(_) | Input::Verdict(_) => {}
        }
        out
    }

    fn resign(&mut self, now: Time, out: &mut Actions) {
        if let (State::Master { .. }, Some(_)) = (self.state, self.resigned_until) {
            self.leave(now, Then::Backup(Reason::Resigned), Reason::Resigned, out);
        }
    }

    fn stop(&mut self, now: Time, out: &mut Actions) {
        match self.state {
            State::Stopped => {}
            State::Master { .. } => self.leave(now, Then::Stopped, Reason::Stopping, out),
            State::Waiting { .. } | State::Lingering { .. } => self.set_then(Then::Stopped),
            State::Init | State::Fault | State::Backup(_) => {
                self.abandon_stale(out);
                self.turn(now, State::Stopped, Reason::Stopping, out);
            }
        }
    }

    fn hear(&mut self, now: Time, heard: Heard, out: &mut Actions) {
        if self.source() == Some(heard.src) {
            // Our own, come back from the network: nothing to learn, and to answer it would not end.
            return;
        }
        let known = self.settings.peers.iter().any(|peer| peer.addr == heard.src && peer.range.is_some());
        if heard.priority != 0 && !known {
            self.last_heard = Some(heard.priority);
        }
        match self.state {
            State::Init | State::Fault | State::Stopped => {}
            State::Backup(backup) => {
                self.state = State::Backup(backup.hear(now, heard, self.priority(), self.settings.preempt));
            }
            State::Master { advert_at } => self.hear_as_master(now, advert_at, heard, out),
            State::Waiting { then, .. } => self.hear_while_waiting(now, then, heard, out),
            State::Lingering { until, then, backup } => {
                let backup = backup.hear(now, heard, self.priority(), self.settings.preempt);
                self.state = State::Lingering { until, then, backup };
            }
        }
    }

    fn hear_as_master(&mut self, now: Time, advert_at: Time, heard: Heard, out: &mut Actions) {
        // Overdue by two intervals: this process was stopped, and the other may be master by right.
        let overdue = now.since(advert_at) > self.settings.interval * 2;
        let yields = self.settings.preempt == Preempt::Never && overdue;
        if heard.priority == 0 {
            self.answer(now, out);
        } else if self.outranked_by(heard) || yields {
            let reason = Reason::Outranked { by: heard.src, priority: heard.priority };
            self.linger(now, Then::Backup(reason), heard);
            self.entered(now, reason, out);
        } else if self.answer(now, out) {
            push(out, Action::Announce);
            tell(out, Event::Contested { by: heard.src, priority: heard.priority });
        }
    }

    /// Higher priority wins, then the higher address (RFC 9568 section 6.4.3).
    fn outranked_by(&self, heard: Heard) -> bool {
        let own = self.priority();
        heard.priority > own
            || (heard.priority == own && self.source().is_some_and(|source| heard.src > source))
    }

    /// An advert at once, unless one just went out as an answer.
    fn answer(&mut self, now: Time, out: &mut Actions) -> bool {
        let due = now.since(self.answered) >= self.settings.interval / ANSWER_SHARE;
        if due {
            self.answered = now;
            self.advertise(now, out);
        }
        due
    }

    /// Advertises now; the next is due an interval later.
    fn advertise(&mut self, now: Time, out: &mut Actions) {
        push(out, Action::Advertise(self.priority()));
        push(out, Action::Hold);
        self.state = State::Master { advert_at: now + self.settings.interval };
    }

    fn timer(&mut self, now: Time, out: &mut Actions) {
        match self.state {
            State::Init if self.stale_until().is_some_and(|until| now >= until) => {
                self.abandon_stale(out);
                self.turn(now, State::Init, Reason::AddressLeft, out);
            }
            State::Backup(backup) => self.backup_timer(now, backup, out),
            State::Master { advert_at } if now >= advert_at => self.advert_timer(now, advert_at, out),
            State::Waiting { until, then, again } if now >= until => {
                self.give_up_waiting(now, then, again, out);
            }
            State::Lingering { until, then, backup } if now >= until => self.let_go(now, then, backup, out),
            // Too early, or nothing to wait for.
            State::Init
            | State::Fault
            | State::Stopped
            | State::Master { .. }
            | State::Waiting { .. }
            | State::Lingering { .. } => {}
        }
    }

    fn backup_timer(&mut self, now: Time, backup: Backup, out: &mut Actions) {
        let down_at = backup.down_at(self.settings.version, self.priority());
        let late = now.since(down_at);
        if now < down_at {
            if backup.probe_at(down_at).is_some_and(|at| now >= at) {
                push(out, Action::Probe);
                self.state = State::Backup(backup.probed());
            }
        } else if late > backup.interval && backup.wait != Wait::OnceMore {
            tell(out, Event::WokeLate(late));
            self.state = State::Backup(backup.wait_once_more(now));
        } else {
            let reason = self.takeover_reason(now, backup);
            self.become_master(now, reason, out);
        }
    }

    fn takeover_reason(&self, now: Time, backup: Backup) -> Reason {
        match (backup.wait, backup.master) {
            (Wait::Skew(reason), _) => reason,
            (Wait::MasterDown | Wait::OnceMore, None) => Reason::MasterSilent(now.since(self.since)),
            (Wait::MasterDown | Wait::OnceMore, Some(master)) => match now.since(master.at) {
                // Silent for less than the wait: it was heard and did not count.
                silent if silent < backup.interval * 3 => {
                    Reason::Preempts { master: master.addr, priority: master.priority }
                }
                silent => Reason::MasterSilent(silent),
            },
        }
    }

    fn advert_timer(&mut self, now: Time, advert_at: Time, out: &mut Actions) {
        let late = now.since(advert_at);
        self.advertise(now, out);
        if late > self.settings.interval {
            // The neighbours may have been told otherwise meanwhile, and the lease may have run out.
            push(out, Action::Announce);
            tell(out, Event::WokeLate(late));
        } else {
            // Keeps the beat: a wake-up some microseconds late does not shift all that follow.
            self.state = State::Master { advert_at: advert_at + self.settings.interval };
        }
    }

    fn become_master(&mut self, now: Time, reason: Reason, out: &mut Actions) {
        self.advertise(now, out);
        push(out, Action::Announce);
        self.entered(now, reason, out);
    }

    fn turn(&mut self, now: Time, state: State, reason: Reason, out: &mut Actions) {
        self.state = state;
        self.entered(now, reason, out);
    }

    fn entered(&mut self, now: Time, reason: Reason, out: &mut Actions) {
        self.since = now;
        self.reason = reason;
        tell(out, Event::Became(self.view().state, reason));
    }
}

fn push(out: &mut Actions, action: Action) {
    let full = out.push(action);
    debug_assert!(full.is_ok(), "more actions in one step than `Actions` holds");
}

fn tell(out: &mut Actions, event: Event) {
    push(out, Action::Tell(event));
}
