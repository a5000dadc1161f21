//! What the housekeeper knows of its rounds, told to the log and to the VIP process as it changes, and to the page when it
//! asks.

use super::frame::Frame;
use super::link::Link;
use super::memory::Memory;
use super::notices::Notices;
use super::schedule::Job;
use super::summary::{self, Span};
use crate::checks::health::Verdict;
use crate::docker::reference::short;
use crate::report::rounds::{self, Rounds};
use crate::state::State;
use crate::sys::clock;
use crate::time::Time;
use crate::voice::{Advance, Rollout, Stage, Voice};
use crate::{prune, update};
use core::cell::{Cell, RefCell};
use log::Level;

/// Shared by the tasks. Borrowed for moments, never over an await.
pub struct Desk<'a> {
    link: &'a Link,
    notices: Notices,
    rounds: RefCell<Rounds>,
    /// For the page.
    pub memory: RefCell<Memory>,
    /// The job that goes on, and since when.
    busy: Cell<(Job, Time)>,
}

impl<'a> Desk<'a> {
    /// Before the first round.
    pub fn new(link: &'a Link, notices: Notices) -> Self {
        let (rounds, memory) = (RefCell::default(), RefCell::default());
        Self { link, notices, rounds, memory, busy: Cell::new((Job::Update, Time::ZERO)) }
    }

    /// Where the rounds stand; more rows than a frame has room for.
    pub fn rounds(&self) -> Rounds {
        self.rounds.borrow().clone()
    }

    /// The next round of `job` begins then.
    pub fn expect(&self, job: Job, due: Time) {
        self.change(job, |told| told.next = Some(due));
    }

    /// A round begins.
    pub fn begin(&self, job: Job) {
        self.busy.set((job, clock::now()));
    }

    /// A round could not begin.
    pub fn kept_from(&self, job: Job, why: &str) {
        log::warn!("no round of {}: {why}", job.name());
        let now = clock::now();
        let note = Some(why.to_owned());
        self.change(job, |told| {
            told.last = Some(rounds::Last { at: now, note, ..rounds::Last::default() });
        });
    }

    /// A round of updates is over.
    pub fn updated(&self, report: &update::Report, state: &State) {
        let job = summary::of_update(report, &state.held, clock::unix(), self.span());
        self.notices.updated(report, state);
        self.memory.borrow_mut().updated(report, &state.digests, clock::now());
        self.change(Job::Update, |told| *told = job);
    }

    /// A round of pruning is over.
    pub fn pruned(&self, report: &prune::Report) {
        let job = summary::of_prune(report, self.span());
        self.notices.pruned(report);
        self.memory.borrow_mut().pruned(report, clock::now());
        self.change(Job::Prune, |told| *told = job);
    }

    /// A check has been looked at.
    pub fn verdict(&self, track: u8, verdict: Verdict) {
        self.link.tell(Frame::Verdict { track, verdict });
    }

    fn span(&self) -> Span {
        Span { began: self.busy.get().1, ended: clock::now() }
    }

    fn change(&self, job: Job, change: impl FnOnce(&mut rounds::Job)) {
        let mut rounds = self.rounds.borrow_mut();
        let told = match job {
            Job::Update => &mut rounds.updates,
            Job::Prune => &mut rounds.pruning,
        };
        change(told.get_or_insert_default());
        self.link.tell(Frame::Rounds(Box::new(rounds.clone())));
    }
}

impl Voice for Desk<'_> {
    fn say(&self, level: Level, line: &str) {
        log::log!(level, "{line}");
    }

    fn progress(&self, line: &str) {
        if line.is_empty() {
            self.memory.borrow_mut().advances(None, clock::now());
        }
        self.change(self.busy.get().0, |told| line.clone_into(&mut told.progress));
    }

    fn goes_on(&self, advance: Advance) {
        self.progress(&advance.to_string());
        self.memory.borrow_mut().advances(Some(advance), clock::now());
    }

    fn begins(&self, rollout: Rollout<'_>) {
        self.notices.begins(rollout);
        let Rollout { what, name, to, .. } = rollout;
        if what == "service" {
            self.memory.borrow_mut().begun.insert(name.to_owned(), to.to_owned());
            let how = format!("begins to run {}", short(to));
            self.goes_on(Advance { service: name.to_owned(), stage: Stage::Converging, how });
        }
    }
}
