//! The housekeeper's rounds on the page: the last, the next, what goes on, and what is worth a look.

use crate::report::rounds::{Job, Outcome, Row};
use crate::report::words::{Cell, Page, Paint, bytes, span};
use crate::time::Time;
use core::time::Duration;

/// One part of the page, under its heading.
pub(super) fn part(page: &mut Page<'_>, heading: &str, now: Time, job: &Job) {
    page.heading(heading);
    if !job.progress.is_empty() {
        page.text(3, "now:", Paint::Strong);
        page.text(5, &job.progress, Paint::Plain);
        page.end();
    }
    let next = match job.next {
        Some(next) => format!("next in {}", span(next.since(now))),
        None => String::new(),
    };
    match &job.last {
        Some(last) => {
            let words = if last.summary.is_empty() { String::new() } else { format!(": {}", last.summary) };
            let text = format!("{} ago, took {}{words}", span(now.since(last.at)), span(last.took));
            page.text(3, &text, Paint::Plain);
            if let Some(note) = &last.note {
                page.text(5, &format!("· {note}"), Paint::Warn);
            }
            if !next.is_empty() {
                page.text(5, &format!("· {next}"), Paint::Dim);
            }
        }
        None if next.is_empty() => page.text(3, "no round yet", Paint::Dim),
        None => page.text(3, &format!("no round yet, {next}"), Paint::Dim),
    }
    page.end();
    let round_ago = job.last.as_ref().map_or(Duration::ZERO, |last| now.since(last.at));
    // The column is there for all of them or for none.
    let sized = job.rows.iter().any(|row| row.size > 0);
    let rows: Vec<_> = job.rows.iter().map(|row| cells(now, round_ago, sized, row)).collect();
    page.rows(3, &rows);
    if job.left_out > 0 {
        page.text(3, &format!("and {} more", job.left_out), Paint::Dim);
        page.end();
    }
}

fn cells(now: Time, round_ago: Duration, sized: bool, row: &Row) -> Vec<Cell> {
    let (word, paint) = outcome(row.outcome);
    let when = match (row.held_for, row.goes) {
        (Some(held_for), _) => format!("{word} for {}", span(held_for.saturating_add(round_ago))),
        (None, Some(goes)) => format!("goes in {}", span(goes.since(now))),
        (None, None) => word.to_owned(),
    };
    let mut cells = vec![(row.kind.clone(), Paint::Dim), (row.name.clone(), Paint::Strong), (when, paint)];
    if sized {
        let size = if row.size > 0 { bytes(row.size) } else { String::new() };
        cells.push((size, Paint::Plain));
    }
    cells.push((row.reason.clone(), Paint::Plain));
    cells
}

fn outcome(outcome: Outcome) -> (&'static str, Paint) {
    match outcome {
        Outcome::Failed => ("failed", Paint::Bad),
        Outcome::RolledBack => ("put back", Paint::Bad),
        Outcome::Held => ("held", Paint::Warn),
        Outcome::Refused => ("in use after all", Paint::Warn),
        Outcome::Deferred => ("later", Paint::Dim),
        Outcome::Updated => ("updated", Paint::Good),
        Outcome::Waits => ("waits", Paint::Dim),
        Outcome::Removed => ("removed", Paint::Plain),
    }
}
