//! What of the rounds is told to `--on-change`: what is new, once. A service that is held or fails again in each round is
//! no news.

use crate::notice::run::Bell;
use crate::notice::{Notice, Outcome, Subject};
use crate::sorted::Map;
use crate::state::State;
use crate::sys::clock;
use crate::voice::Rollout;
use crate::{prune, update};
use core::cell::RefCell;
use std::path::PathBuf;

/// Who is told, and what was told.
pub struct Notices {
    way: Option<(Bell, PathBuf)>,
    /// When this process began, in unix seconds: what is held for longer was told by the one before.
    began: u64,
    told: RefCell<Told>,
}

/// Of the last round, by kind and name: what was told of which digest, as long as it lasts.
type Told = Map<(&'static str, String), (update::Verdict, String)>;

impl Notices {
    /// For this program, if there is one.
    pub fn new(program: Option<PathBuf>, bell: Bell) -> Self {
        Self { way: program.map(|program| (bell, program)), began: clock::unix(), told: RefCell::default() }
    }

    /// An update begins.
    pub fn begins(&self, rollout: Rollout<'_>) {
        let Rollout { what, name, image, from, to } = rollout;
        let [name, image, from, to] = [name, image, from, to].map(str::to_owned);
        let subject = Subject { what, name, image, from, to };
        self.tell(Notice::Image { outcome: Outcome::Rollout, subject, reason: "a newer image".into() });
    }

    /// A round of updates is over.
    pub fn updated(&self, report: &update::Report, state: &State) {
        for notice in news(report, &mut self.told.borrow_mut(), |row| self.is_old(row, state)) {
            self.tell(notice);
        }
    }

    /// Held since before this process began.
    fn is_old(&self, row: &update::Row, state: &State) -> bool {
        let keys = [row.name.clone(), format!("{} {}", row.kind, row.name)];
        keys.iter().filter_map(|key| state.held.get(key)).any(|held| held.since < self.began)
    }

    /// A round of pruning is over.
    pub fn pruned(&self, report: &prune::Report) {
        if let Some(notice) = total(report) {
            self.tell(notice);
        }
    }

    fn tell(&self, notice: Notice) {
        if let Some((bell, program)) = &self.way
            && !bell.tell(program, notice)
        {
            log::warn!("--on-change is too slow: the oldest notice was not told to it");
        }
    }
}

/// What of a round of updates was not told after an earlier one. `told` becomes what lasts of this round.
fn news(report: &update::Report, told: &mut Told, is_old: impl Fn(&update::Row) -> bool) -> Vec<Notice> {
    use update::Verdict;
    let mut lasting = Told::new();
    let mut notices = Vec::new();
    for row in &report.rows {
        let outcome = match row.verdict {
            Verdict::Current | Verdict::Skipped | Verdict::Due | Verdict::Deferred => continue,
            Verdict::Held => Outcome::Held,
            Verdict::Updated => Outcome::Updated,
            Verdict::RolledBack => Outcome::RolledBack,
            Verdict::Failed => Outcome::Failed,
        };
        let key = (row.kind, row.name.clone());
        let before = told.get(&key).filter(|(_, digest)| *digest == row.to).map(|(verdict, _)| *verdict);
        let is_known = if row.verdict == Verdict::Held {
            // Whoever was told that it failed knows what is held, and why.
            before.is_some() || is_old(row)
        } else {
            before == Some(row.verdict) && row.verdict != Verdict::Updated
        };
        lasting.insert(key, (row.verdict, row.to.clone()));
        if !is_known {
            let subject = Subject {
                what: row.kind,
                name: row.name.clone(),
                image: row.image.clone(),
                from: row.from.clone(),
                to: row.to.clone(),
            };
            notices.push(Notice::Image { outcome, subject, reason: row.reason.clone() });
        }
    }
    // A round that looked at nothing knows nothing new of what lasts.
    if !report.rows.is_empty() {
        *told = lasting;
    }
    notices
}

/// What a round of pruning removed, if anything.
fn total(report: &prune::Report) -> Option<Notice> {
    let removed = || report.rows.iter().filter(|row| row.verdict == prune::Verdict::Removed);
    let mut kinds: Map<&str, usize> = Map::new();
    for row in removed() {
        *kinds.get_or_insert_with(row.kind, || 0) += 1;
    }
    let words: Vec<String> = kinds
        .iter()
        .map(|(kind, count)| format!("{count} {kind}{}", if *count == 1 { "" } else { "s" }))
        .collect();
    let notice = Notice::Pruned { removed: removed().count(), freed: report.freed, reason: words.join(", ") };
    (!kinds.is_empty()).then_some(notice)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(rows: &[(&str, update::Verdict, &str)]) -> update::Report {
        let row = |&(name, verdict, to): &(&str, update::Verdict, &str)| update::Row {
            name: name.into(),
            kind: "service",
            image: "i:1".into(),
            from: "sha256:0".into(),
            to: to.into(),
            verdict,
            reason: format!("why {name}"),
        };
        update::Report { rows: rows.iter().map(row).collect(), note: None }
    }

    fn kinds(report: &update::Report, told: &mut Told, is_old: bool) -> Vec<(&'static str, String)> {
        let name = |notice: &Notice| match notice {
            Notice::Image { subject, .. } => subject.name.clone(),
            Notice::Role { .. } | Notice::Pruned { .. } => panic!("not of a round of updates"),
        };
        let notices = news(report, told, |_| is_old);
        notices.iter().map(|notice| (notice.kind(), name(notice))).collect()
    }

    #[test]
    fn what_lasts_is_told_once() {
        use update::Verdict::{Current, Deferred, Failed, Held, RolledBack, Updated};
        let mut told = Told::new();
        let mut round = |rows: &[_], is_old| kinds(&report(rows), &mut told, is_old);
        let first = [("a", Updated, "1"), ("b", RolledBack, "1"), ("c", Failed, "1"), ("d", Current, "1")];
        let expected = [("updated", "a"), ("rolled-back", "b"), ("failed", "c")];
        assert_eq!(round(&first, false), expected.map(|(kind, name)| (kind, name.to_owned())));
        // The same bad image in the next rounds, and after a round without any look.
        let second = [("a", Current, "1"), ("b", Held, "1"), ("c", Failed, "1"), ("d", Held, "2")];
        assert_eq!(round(&second, false), [("held", "d".to_owned())]);
        assert_eq!(round(&[], false), []);
        assert_eq!(round(&second, false), []);
        // The next image fails, too.
        assert_eq!(round(&[("b", RolledBack, "2")], false), [("rolled-back", "b".to_owned())]);
        // One that failed, was well and fails again.
        assert_eq!(round(&[("c", Deferred, "1")], false), []);
        assert_eq!(round(&[("c", Failed, "1")], false), [("failed", "c".to_owned())]);
        // After a restart.
        assert_eq!(kinds(&report(&second[1..2]), &mut Told::new(), true), []);
    }

    #[test]
    fn a_round_that_removed_nothing_is_no_news() {
        use prune::Verdict::{Kept, Removed, Waits};
        let row = |kind, verdict| prune::Row {
            kind,
            name: "x".into(),
            id: "x".into(),
            size: 7,
            verdict,
            seconds_left: None,
            reason: String::new(),
        };
        let mut report = prune::Report {
            rows: vec![row("image", Kept), row("container", Waits)],
            ..prune::Report::default()
        };
        assert_eq!(total(&report), None);
        report.rows.extend([row("image", Removed), row("container", Removed), row("image", Removed)]);
        report.freed = 14;
        let expected = Notice::Pruned { removed: 3, freed: 14, reason: "1 container, 2 images".into() };
        assert_eq!(total(&report), Some(expected));
    }
}
