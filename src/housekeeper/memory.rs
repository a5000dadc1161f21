//! What the page tells of the rounds beyond their last rows: which image is the newest of which service, what happened,
//! and how much in all. Pure.

use crate::report::events::Events;
use crate::report::metrics::Sums;
use crate::report::words::bytes;
use crate::sorted::Map;
use crate::state::Known;
use crate::time::Time;
use crate::voice::Advance;
use crate::{prune, update};

/// Names in one event; more are counted.
const MAX_NAMES: usize = 3;

/// All of it, since the housekeeper started.
#[derive(Debug, Default)]
pub struct Memory {
    /// Services and containers by name, as the last round of updates left them.
    pub judged: Map<String, Judged>,
    /// What happened.
    pub events: Events,
    /// How much.
    pub sums: Sums,
    /// The rollout that goes on.
    pub rollout: Option<Advance>,
    /// Services that this round has begun to move, and the digest they are to run.
    pub begun: Map<String, String>,
    /// When a rollout last began or ended: what Docker listed before is of another time.
    pub turned: Time,
    /// A round of updates has been over.
    pub(super) seen: bool,
}

/// What a round found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// What the tag pointed at when it was last asked, `sha256:…`.
    pub newest: Option<String>,
    /// What was done.
    pub verdict: update::Verdict,
    /// Why, in words.
    pub reason: String,
}

impl Memory {
    /// A round of updates is over. `digests`: what tags pointed at when they were last asked.
    pub fn updated(&mut self, report: &update::Report, digests: &Map<String, Known>, now: Time) {
        use update::Verdict;
        let mut judged = Map::new();
        for row in &report.rows {
            let known = || digests.get(&row.image).map(|known| known.digest.clone());
            let newest = if row.to.is_empty() { known() } else { Some(row.to.clone()) };
            let entry = Judged { newest, verdict: row.verdict, reason: row.reason.clone() };
            let same = |before: &Judged| before.verdict == row.verdict && before.newest == entry.newest;
            let told = self.judged.get(&row.name).is_some_and(same);
            let what = match row.verdict {
                Verdict::Updated => Some(("updated", &mut self.sums.updated)),
                Verdict::RolledBack => Some(("put back", &mut self.sums.rolled_back)),
                Verdict::Failed if !told => Some(("failed", &mut self.sums.failed)),
                // What was held before this process started is no news.
                Verdict::Held if !told && self.seen => Some(("held", &mut self.sums.held)),
                Verdict::Failed
                | Verdict::Held
                | Verdict::Current
                | Verdict::Skipped
                | Verdict::Deferred
                | Verdict::Due => None,
            };
            if let Some((what, sum)) = what {
                self.events.push(now, None, format!("{} {} {what}: {}", row.kind, row.name, row.reason));
                *sum += 1;
            }
            judged.insert(row.name.clone(), entry);
        }
        self.judged = judged;
        self.seen = true;
        self.begun = Map::new();
        self.advances(None, now);
    }

    /// A rollout begins, goes on, or (nothing) is over.
    pub fn advances(&mut self, rollout: Option<Advance>, now: Time) {
        if rollout.is_some() != self.rollout.is_some() {
            self.turned = now;
        }
        self.rollout = rollout;
    }

    /// A round of pruning is over.
    pub fn pruned(&mut self, report: &prune::Report, now: Time) {
        let is_gone = |row: &&prune::Row| row.verdict == prune::Verdict::Removed;
        let names: Vec<&str> = report.rows.iter().filter(is_gone).map(|row| row.name.as_str()).collect();
        self.sums.removed += names.len() as u64;
        self.sums.freed += report.freed;
        if names.is_empty() {
            return;
        }
        let shown = names[..names.len().min(MAX_NAMES)].join(", ");
        let more = names.len().saturating_sub(MAX_NAMES);
        let more = if more == 0 { String::new() } else { format!(" and {more} more") };
        let text = format!("pruned {shown}{more}: {} freed", bytes(report.freed));
        self.events.push(now, None, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voice::Stage;

    fn row(name: &str, verdict: update::Verdict, to: &str) -> update::Row {
        let text = str::to_owned;
        let (image, from) = (format!("{name}:1"), text("sha256:a"));
        update::Row {
            name: text(name),
            kind: "service",
            image,
            from,
            to: text(to),
            verdict,
            reason: text("why"),
        }
    }

    fn web(stage: Stage, how: &str) -> Advance {
        Advance { service: "web".to_owned(), stage, how: how.to_owned() }
    }

    fn texts(memory: &Memory) -> Vec<String> {
        memory.events.to_vec().into_iter().map(|event| event.text).collect()
    }

    #[test]
    fn each_thing_that_happens_is_told_once() {
        use update::Verdict::{Current, Deferred, Failed, Held, RolledBack, Updated};
        let known = Known { digest: "sha256:n".to_owned(), since: 1, asked: 2 };
        let digests = Map::from([("late:1".to_owned(), known)]);
        let mut memory = Memory { rollout: Some(web(Stage::Converging, "1/3 run")), ..Memory::default() };
        let mut round = |rows: Vec<update::Row>| {
            memory.updated(&update::Report { rows, note: None }, &digests, Time::ZERO);
        };
        round(vec![row("old", Held, "sha256:b"), row("bad", Failed, ""), row("late", Deferred, "")]);
        round(vec![row("old", Held, "sha256:b"), row("bad", Failed, ""), row("web", Updated, "sha256:c")]);
        round(vec![
            row("old", Held, "sha256:d"),
            row("web", RolledBack, "sha256:e"),
            row("late", Deferred, ""),
        ]);
        round(vec![row("web", Held, "sha256:e"), row("ok", Current, "sha256:a"), row("late", Deferred, "")]);
        assert_eq!(
            texts(&memory),
            [
                "service bad failed: why",
                "service web updated: why",
                "service old held: why",
                "service web put back: why",
                "service web held: why"
            ]
        );
        assert_eq!(memory.judged["late"].newest.as_deref(), Some("sha256:n"));
        assert_eq!(memory.judged.len(), 3);
        assert_eq!((memory.sums.updated, memory.sums.rolled_back, memory.sums.failed), (1, 1, 1));
        assert_eq!(memory.rollout, None);
    }

    #[test]
    fn a_turn_is_the_begin_and_the_end_of_a_rollout() {
        let at = Time::from_micros;
        let mut memory =
            Memory { begun: [("web".to_owned(), "sha256:b".to_owned())].into(), ..Memory::default() };
        let (one, two) = (web(Stage::Converging, "1/3 run"), web(Stage::Baking, "3/3 run"));
        for (rollout, now, turned) in
            [(None, 1, 0), (Some(one), 2, 2), (Some(two), 3, 2), (None, 4, 4), (None, 5, 4)]
        {
            memory.advances(rollout.clone(), at(now));
            assert_eq!((&memory.rollout, memory.turned), (&rollout, at(turned)));
        }
        memory.updated(&update::Report::default(), &Map::new(), at(6));
        assert!(memory.begun.is_empty());
    }

    #[test]
    fn what_was_pruned_is_one_event_a_round() {
        use prune::Verdict::{Removed, Waits};
        let row = |name: &str, verdict| prune::Row {
            kind: "image",
            name: name.to_owned(),
            id: String::new(),
            size: 1,
            verdict,
            seconds_left: None,
            reason: String::new(),
        };
        let mut memory = Memory::default();
        let rows = vec![row("w", Waits)];
        memory.pruned(&prune::Report { rows, ..prune::Report::default() }, Time::ZERO);
        let rows = ["a", "b", "c", "d", "e"].map(|name| row(name, Removed)).to_vec();
        memory.pruned(&prune::Report { rows, freed: 1_200_000, ..prune::Report::default() }, Time::ZERO);
        assert_eq!(texts(&memory), ["pruned a, b, c and 2 more: 1.2 MB freed"]);
        assert_eq!((memory.sums.removed, memory.sums.freed), (5, 1_200_000));
    }
}
