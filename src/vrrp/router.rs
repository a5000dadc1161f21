//! The state machine of one virtual router (RFC 3768 and RFC 9568 section 6.4), and what goes beyond them:
//!
//! - It resigns with priority 0 when a failed check takes it below what a peer can have, and resumes if nobody comes.
//! - Make before break: a master that leaves keeps the address until the successor's advert is heard.
//! - A backup whose master falls below it waits for the skew only, not for three intervals.
//! - A process that woke late listens once more before it takes the VIP.
//!
//! Pure: time and input in, actions out. A state carries its own deadline; ask [`Router::deadline`] after each step.

use super::backup::{Backup, Seen, Wait};
use super::event::{Action, Event, Heard, Input, Link, Reason, Stale, StateName, Verdict};
use super::priority::{Effective, OWNER};
use super::timers::skew;
use super::{Preempt, Settings};
use crate::time::Time;
use core::net::IpAddr;
use core::time::Duration;

/// Actions of one step. The longest, a yield to a better master after a stall, takes 6.
pub type Actions = heapless::Vec<Action, 8>;

/// A leaving master waits for the slowest peer's skew and this long: a peer's wake-up, its advert's way, ours.
pub const HANDOVER_MARGIN: Duration = Duration::from_millis(100);
/// The address stays for this long after the successor's advert: keepalived sends the advert before it has the
/// address, and its announcements have to reach every neighbour.
pub const LINGER: Duration = Duration::from_millis(30);
/// After a hand-over that nobody took, a failed check does not start the next one before this time.
pub const RESIGN_BACKOFF: Duration = Duration::from_secs(30);
/// Priority while resigned: below every peer, yet there when all the others are gone.
pub const RESIGNED_PRIORITY: u8 = 1;
/// Answers to lower adverts keep this share of the interval between them, so that a flood is not answered by one.
const ANSWER_SHARE: u32 = 10;

/// Where a leaving master goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Backup(Reason),
    Fault(Reason),
    Stopped,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Init,
    Fault,
    Backup(Backup),
    Master {
        advert_at: Time,
    },
    /// Priority 0 is sent; until then somebody should take over.
    Waiting {
        until: Time,
        then: Then,
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
    stale: Stale,
    resigned_until: Option<Time>,
    /// No hand-over for a failed check before this moment.
    resign_after: Time,
    last_advert: Time,
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
            stale: Stale::None,
            resigned_until: None,
            resign_after: Time::ZERO,
            last_advert: Time::ZERO,
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
            State::Init | State::Fault | State::Stopped => None,
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
        let before = self.priority();
        self.expire(now);
        match input {
            Input::Start(stale) => self.stale = stale,
            Input::Link(link) => self.link = link,
            Input::Verdict(verdict) => self.verdict = Some(verdict),
            Input::Resign(until) => self.resigned_until = (until > now).then_some(until),
            Input::Advert(_) | Input::Timer | Input::Stop => {}
        }
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

    /// Lets what has a date run out: a resignation, an old verdict.
    fn expire(&mut self, now: Time) {
        if self.resigned_until.is_some_and(|until| until <= now) {
            self.resigned_until = None;
        }
        if self.verdict.and_then(|verdict| verdict.until).is_some_and(|until| until <= now) {
            self.verdict = Some(Verdict { effective: self.settings.blind, until: None });
        }
    }

    /// Effective priority, 0 where there is none.
    fn priority(&self) -> u8 {
        match self.verdict.map(|verdict| verdict.effective) {
            None | Some(Effective::Fault) => 0,
            Some(Effective::Priority(_)) if self.resigned_until.is_some() => RESIGNED_PRIORITY,
            Some(Effective::Priority(priority)) => priority,
        }
    }

    fn tell_priority(&self, before: u8, out: &mut Actions) {
        let now = self.priority();
        if before != now && before != 0 && now != 0 {
            tell(out, Event::Priority { from: before, to: now });
        }
    }

    /// Why this node cannot take part, if it cannot.
    fn obstacle(&self) -> Option<Reason> {
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
    fn reconcile(&mut self, now: Time, before: u8, out: &mut Actions) {
        match (self.state, self.obstacle()) {
            (State::Stopped, _) | (State::Init, Some(Reason::Starting)) | (State::Backup(_), None) => {}
            (State::Init | State::Fault, None) => self.enter(now, out),
            (State::Init, Some(reason)) => self.abandon_stale(now, reason, out),
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
    fn abandon_stale(&mut self, now: Time, reason: Reason, out: &mut Actions) {
        match core::mem::replace(&mut self.stale, Stale::None) {
            Stale::None => {}
            Stale::Fresh | Stale::Old => {
                if self.source().is_some() {
                    push(out, Action::Advertise(0));
                }
                push(out, Action::Release);
            }
        }
        self.turn(now, State::Fault, reason, out);
    }

    /// As master: does the new priority decide? Then hand over, else advertise it at once.
    fn weigh(&mut self, now: Time, before: u8, out: &mut Actions) {
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
        let passive = self.settings.preempt == Preempt::Never;
        let known = self.settings.peers.iter().filter_map(|peer| peer.range).map(|range| range.ceiling);
        known.chain(self.last_heard).filter(|&can| can > priority && (passive || can <= before)).max()
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
                self.abandon_stale(now, Reason::Stopping, out);
                self.turn(now, State::Stopped, Reason::Stopping, out);
            }
        }
    }

    /// Says goodbye and keeps the address until the successor is heard.
    fn leave(&mut self, now: Time, then: Then, reason: Reason, out: &mut Actions) {
        push(out, Action::Advertise(0));
        self.last_advert = now;
        // The lease has to outlive the wait.
        push(out, Action::Hold);
        let until = now + self.handover_wait();
        self.turn(now, State::Waiting { until, then }, reason, out);
    }

    /// The slowest peer's skew and a margin.
    fn handover_wait(&self) -> Duration {
        let floors = self.settings.peers.iter().map(|peer| peer.range.map_or(1, |range| range.floor));
        let slowest = floors.min().unwrap_or(1);
        skew(self.settings.version, slowest, self.settings.interval) + HANDOVER_MARGIN
    }

    fn set_then(&mut self, new: Then) {
        if let State::Waiting { then, .. } | State::Lingering { then, .. } = &mut self.state
            && *then != Then::Stopped
        {
            *then = new;
        }
    }

    /// Something else fails while leaving. Without link there is nothing to wait for.
    fn hurry(&mut self, now: Time, then: Then, reason: Reason, out: &mut Actions) {
        if self.source().is_some() {
            return self.set_then(Then::Fault(reason));
        }
        push(out, Action::Release);
        match then {
            Then::Stopped => self.turn(now, State::Stopped, Reason::Stopping, out),
            Then::Backup(_) | Then::Fault(_) => self.turn(now, State::Fault, reason, out),
        }
    }

    fn hear(&mut self, now: Time, heard: Heard, out: &mut Actions) {
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
            State::Waiting { then, .. } => {
                if heard.priority != 0 {
                    self.linger(now, then, heard);
                }
            }
            State::Lingering { until, then, backup } => {
                let backup = backup.hear(now, heard, self.priority(), self.settings.preempt);
                self.state = State::Lingering { until, then, backup };
            }
        }
    }

    /// The successor is heard: the address stays a moment longer.
    fn linger(&mut self, now: Time, then: Then, heard: Heard) {
        let mut backup = Backup::new(now, self.settings.interval);
        backup.interval = heard.interval;
        backup.master = Some(Seen { addr: heard.src, priority: heard.priority, at: now });
        self.state = State::Lingering { until: now + LINGER, then, backup };
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

    /// An advert at once, unless one just went out.
    fn answer(&mut self, now: Time, out: &mut Actions) -> bool {
        let due = now.since(self.last_advert) >= self.settings.interval / ANSWER_SHARE;
        if due {
            self.advertise(now, out);
        }
        due
    }

    /// Advertises now; the next is due an interval later.
    fn advertise(&mut self, now: Time, out: &mut Actions) {
        push(out, Action::Advertise(self.priority()));
        push(out, Action::Hold);
        self.last_advert = now;
        self.state = State::Master { advert_at: now + self.settings.interval };
    }

    fn timer(&mut self, now: Time, out: &mut Actions) {
        match self.state {
            State::Backup(backup) => self.backup_timer(now, backup, out),
            State::Master { advert_at } if now >= advert_at => self.advert_timer(now, advert_at, out),
            State::Waiting { until, then } if now >= until => self.give_up_waiting(now, then, out),
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
            let silent = backup.master.map_or_else(|| now.since(self.since), |master| now.since(master.at));
            let reason = match backup.wait {
                Wait::Skew(reason) => reason,
                Wait::MasterDown | Wait::OnceMore => Reason::MasterSilent(silent),
            };
            self.become_master(now, reason, out);
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

    /// Nobody took over: a router that may stay resumes, the others go.
    fn give_up_waiting(&mut self, now: Time, then: Then, out: &mut Actions) {
        match then {
            Then::Backup(_) => {
                self.resign_after = now + RESIGN_BACKOFF;
                self.become_master(now, Reason::NobodyTookOver, out);
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

    /// The successor has had its time: the address goes.
    fn let_go(&mut self, now: Time, then: Then, backup: Backup, out: &mut Actions) {
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
