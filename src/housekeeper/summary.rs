//! What of a round's report goes to the status: a few words, and the rows worth a look, the most urgent first. Pure.

use crate::report::rounds::{Job, Last, Outcome, Row};
use crate::sorted::Map;
use crate::state::Held;
use crate::time::Time;
use crate::{prune, update};
use core::time::Duration;

/// Rows kept of a round: the page shows all that a Pi's pruning takes, the status socket the first ten.
const MAX_KEPT: usize = 200;

/// When a round took place.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// Its begin.
    pub began: Time,
    /// Its end.
    pub ended: Time,
}

/// Of a round of updates. `held`: since when what is held is held; `unix`: the round's end in unix seconds.
pub fn of_update(report: &update::Report, held: &Map<String, Held>, unix: u64, span: Span) -> Job {
    use update::Verdict;
    let rows = report.rows.iter().filter_map(|row| {
        let outcome = match row.verdict {
            Verdict::Current | Verdict::Skipped | Verdict::Due => return None,
            Verdict::Deferred => Outcome::Deferred,
            Verdict::Held => Outcome::Held,
            Verdict::Updated => Outcome::Updated,
            Verdict::RolledBack => Outcome::RolledBack,
            Verdict::Failed => Outcome::Failed,
        };
        let since = held.get(&row.name).filter(|_| row.verdict == Verdict::Held).map(|held| held.since);
        Some(Row {
            kind: row.kind.to_owned(),
            name: row.name.clone(),
            outcome,
            reason: row.reason.clone(),
            held_for: since.map(|since| Duration::from_secs(unix.saturating_sub(since))),
            size: 0,
            goes: None,
        })
    });
    let count = |verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let kinds = |kind| report.rows.iter().filter(|row| row.kind == kind).count();
    let mut words: Vec<String> = [(kinds("service"), "service"), (kinds("container"), "container")]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, kind)| format!("{count} {kind}{}", if count == 1 { "" } else { "s" }))
        .collect();
    words.extend(counted(&[
        (count(Verdict::Updated), "updated"),
        (count(Verdict::RolledBack), "put back"),
        (count(Verdict::Failed), "failed"),
        (count(Verdict::Held), "held"),
        (count(Verdict::Deferred), "later"),
    ]));
    job(rows.collect(), &words, report.note.clone(), span)
}

/// Of a round of pruning.
pub fn of_prune(report: &prune::Report, span: Span) -> Job {
    use prune::Verdict;
    let rows = report.rows.iter().filter_map(|row| {
        let outcome = match row.verdict {
            Verdict::Kept | Verdict::Due => return None,
            Verdict::Waits => Outcome::Waits,
            Verdict::Removed => Outcome::Removed,
            Verdict::Refused => Outcome::Refused,
            Verdict::Failed => Outcome::Failed,
        };
        Some(Row {
            kind: row.kind.to_owned(),
            name: row.name.clone(),
            outcome,
            reason: row.reason.clone(),
            held_for: None,
            size: row.size,
            goes: row.seconds_left.map(|left| span.ended + Duration::from_secs(left)),
        })
    });
    let count = |verdict| report.rows.iter().filter(|row| row.verdict == verdict).count();
    let mut words = counted(&[(count(Verdict::Removed), "removed")]);
    if report.freed > 0 {
        words.push(format!("{} freed", crate::report::words::bytes(report.freed)));
    }
    words.extend(counted(&[
        (count(Verdict::Failed), "failed"),
        (count(Verdict::Refused), "in use after all"),
        (count(Verdict::Waits), "waiting"),
        (count(Verdict::Kept), "kept"),
    ]));
    if let Some(disk) = report.disk {
        words.push(format!("disk {disk} % full"));
    }
    job(rows.collect(), &words, report.note.clone(), span)
}

/// The words for counts that are not zero.
fn counted(counts: &[(usize, &str)]) -> Vec<String> {
    counts.iter().filter(|(count, _)| *count > 0).map(|(count, word)| format!("{count} {word}")).collect()
}

fn job(mut rows: Vec<Row>, words: &[String], note: Option<String>, span: Span) -> Job {
    rows.sort_by_key(|row| (urgency(row.outcome), row.goes));
    let left_out = u32::try_from(rows.len().saturating_sub(MAX_KEPT)).unwrap_or(u32::MAX);
    rows.truncate(MAX_KEPT);
    let summary =
        if words.is_empty() && note.is_none() { "nothing to do".to_owned() } else { words.join(", ") };
    let last = Last { at: span.ended, took: span.ended.since(span.began), summary, note };
    Job { last: Some(last), next: None, progress: String::new(), rows, left_out }
}

/// What a person should see first has the lowest.
fn urgency(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::Failed => 0,
        Outcome::RolledBack => 1,
        Outcome::Held | Outcome::Refused => 2,
        Outcome::Waits | Outcome::Updated => 3,
        Outcome::Removed | Outcome::Deferred => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span() -> Span {
        Span { began: Time::from_micros(1_000_000), ended: Time::from_micros(3_500_000) }
    }

    fn update_row(name: &str, kind: &'static str, verdict: update::Verdict) -> update::Row {
        let (name, reason) = (name.to_owned(), format!("why {name}"));
        let (image, from, to) = ("i:1".to_owned(), String::new(), String::new());
        update::Row { name, kind, image, from, to, verdict, reason }
    }

    fn prune_row(name: &str, verdict: prune::Verdict, seconds_left: Option<u64>) -> prune::Row {
        let (name, id, reason) = (name.to_owned(), "id".to_owned(), "unused".to_owned());
        prune::Row { kind: "image", name, id, size: 1_000_000, verdict, seconds_left, reason }
    }

    #[test]
    fn updates_tell_what_needs_a_person_first() {
        use update::Verdict::{Current, Failed, Held, RolledBack, Updated};
        let rows = vec![
            update_row("a", "service", Current),
            update_row("b", "service", Updated),
            update_row("c", "service", Held),
            update_row("d", "service", RolledBack),
            update_row("e", "container", Failed),
        ];
        let report = update::Report { rows, note: None };
        let entry = crate::state::Held {
            reference: "i:1".to_owned(),
            digest: "sha256:0".to_owned(),
            reason: "exits".to_owned(),
            since: 1_000,
        };
        let held = Map::from([("c".to_owned(), entry)]);
        let job = of_update(&report, &held, 1_600, span());
        let last = job.last.unwrap();
        assert_eq!(last.summary, "4 services, 1 container, 1 updated, 1 put back, 1 failed, 1 held");
        assert_eq!((last.at, last.took), (Time::from_micros(3_500_000), Duration::from_millis(2500)));
        let names: Vec<_> = job.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["e", "d", "c", "b"]);
        assert_eq!(job.rows[2].held_for, Some(Duration::from_mins(10)));
        assert_eq!(job.rows[3].held_for, None);
    }

    #[test]
    fn a_round_that_looked_at_nothing_says_why() {
        let report = update::Report { rows: Vec::new(), note: Some("not the leader".to_owned()) };
        let last = of_update(&report, &Map::new(), 0, span()).last.unwrap();
        assert_eq!((last.summary.as_str(), last.note.as_deref()), ("", Some("not the leader")));
        let last = of_prune(&prune::Report::default(), span()).last.unwrap();
        assert_eq!((last.summary.as_str(), last.note), ("nothing to do", None));
    }

    #[test]
    fn pruning_tells_what_goes_next() {
        use prune::Verdict::{Failed, Kept, Removed, Waits};
        let mut rows = vec![
            prune_row("kept", Kept, None),
            prune_row("gone", Removed, None),
            prune_row("later", Waits, Some(600)),
            prune_row("soon", Waits, Some(60)),
            prune_row("broken", Failed, None),
        ];
        let report = prune::Report { rows: rows.clone(), freed: 1_000_000, disk: Some(71), note: None };
        let job = of_prune(&report, span());
        let summary = "1 removed, 1.0 MB freed, 1 failed, 2 waiting, 1 kept, disk 71 % full";
        assert_eq!(job.last.unwrap().summary, summary);
        let names: Vec<_> = job.rows.iter().map(|row| row.name.as_str()).collect();
        assert_eq!(names, ["broken", "soon", "later", "gone"]);
        assert_eq!(job.rows[1].goes, Some(Time::from_micros(63_500_000)));
        assert_eq!(job.left_out, 0);
        rows.extend((0..200).map(|n| prune_row("more", Waits, Some(1000 + n))));
        let job = of_prune(&prune::Report { rows, ..report }, span());
        assert_eq!((job.rows.len(), job.left_out), (200, 4));
    }
}
