//! When which round is due. Pure.

use crate::time::Time;
use core::time::Duration;

/// A kind of round.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Job {
    /// Of updates.
    Update,
    /// Of pruning.
    Prune,
}

impl Job {
    /// In words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Update => "updates",
            Self::Prune => "pruning",
        }
    }
}

/// After the start, dockerd and the other nodes of a Pi that boots get this long.
const FIRST: Duration = Duration::from_secs(2);
/// Nodes start together after a power cut; their pruning is spread over this part of its interval.
const STAGGER_PART: u32 = 4;
/// Two nodes need no more distance than this.
const MAX_STAGGER: Duration = Duration::from_mins(10);

/// The rounds to come.
#[derive(Clone, Debug)]
pub struct Schedule {
    update: Option<Turn>,
    prune: Option<Turn>,
}

#[derive(Clone, Copy, Debug)]
struct Turn {
    due: Time,
    every: Duration,
}

impl Schedule {
    /// From `now` on, at these intervals; `None` for a round that is not wanted. `node`: any number that differs from
    /// node to node.
    pub fn new(now: Time, node: u64, update: Option<Duration>, prune: Option<Duration>) -> Self {
        let turn = |every: Duration, later: Duration| Turn { due: now + FIRST + later, every };
        Self {
            update: update.map(|every| turn(every, Duration::ZERO)),
            prune: prune.map(|every| turn(every, stagger(every, node))),
        }
    }

    /// What comes next, and when; nothing without rounds. Of two that are due, the one that waits longer.
    pub fn next(&self) -> Option<(Job, Time)> {
        self.all().min_by_key(|(_, due)| *due)
    }

    /// Both, whichever comes first.
    pub fn all(&self) -> impl Iterator<Item = (Job, Time)> {
        let turns = [(Job::Update, self.update), (Job::Prune, self.prune)];
        turns.into_iter().filter_map(|(job, turn)| Some((job, turn?.due)))
    }

    /// A round is over: the next is an interval after it was due, or now where that has passed.
    pub fn done(&mut self, job: Job, now: Time) {
        let turn = match job {
            Job::Update => &mut self.update,
            Job::Prune => &mut self.prune,
        };
        if let Some(turn) = turn {
            turn.due = (turn.due + turn.every).max(now);
        }
    }
}

fn stagger(every: Duration, node: u64) -> Duration {
    let span = (every / STAGGER_PART).min(MAX_STAGGER);
    let micros = u64::try_from(span.as_micros()).unwrap_or(u64::MAX).max(1);
    Duration::from_micros(node % micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Time {
        Time::from_micros(secs * 1_000_000)
    }

    #[test]
    fn rounds_take_turns() {
        let every = |secs| Some(Duration::from_secs(secs));
        let mut schedule = Schedule::new(secs(100), 0, every(300), every(200));
        assert_eq!(schedule.next(), Some((Job::Update, secs(102))));
        schedule.done(Job::Update, secs(110));
        assert_eq!(schedule.next(), Some((Job::Prune, secs(102))));
        schedule.done(Job::Prune, secs(111));
        assert_eq!(schedule.next(), Some((Job::Prune, secs(302))));
        schedule.done(Job::Prune, secs(303));
        assert_eq!(schedule.next(), Some((Job::Update, secs(402))));
        // A round longer than its interval: the next at once, none made up for.
        schedule.done(Job::Update, secs(2000));
        schedule.done(Job::Prune, secs(2000));
        assert_eq!(schedule.next(), Some((Job::Update, secs(2000))));
        schedule.done(Job::Update, secs(2001));
        assert_eq!(schedule.next(), Some((Job::Prune, secs(2000))));
    }

    #[test]
    fn nodes_do_not_prune_at_the_same_time() {
        let due = |node| Schedule::new(secs(0), node, None, Some(Duration::from_mins(30))).next();
        assert_eq!(due(0), Some((Job::Prune, secs(2))));
        // 30 minutes / 4 = 450 s.
        assert_eq!(due(449_000_000), Some((Job::Prune, secs(451))));
        assert_eq!(due(450_000_000), Some((Job::Prune, secs(2))));
        assert_eq!(Schedule::new(secs(0), 7, None, None).next(), None);
    }
}
