//! What a round did, as a table for a person or as JSON. Pure.

use crate::docker::reference::short;
use crate::report::words::{bytes, span};
use crate::{prune, update};
use core::fmt::Write;
use core::time::Duration;

/// Between two columns.
const GAP: usize = 2;

/// A report as JSON, one line of text at its end.
pub fn json(report: &impl serde::Serialize) -> String {
    // Texts and numbers only: there is nothing in a report that JSON could refuse.
    serde_json::to_string_pretty(report).unwrap_or_default() + "\n"
}

/// A round of updates.
pub fn of_update(report: &update::Report, colour: bool) -> String {
    let mut rows = vec![cells(["NAME", "IMAGE", "FROM", "TO", "VERDICT", "REASON"])];
    for row in &report.rows {
        let verdict = update_verdict(row.verdict);
        let (from, to) = (short(&row.from), short(&row.to));
        rows.push(cells([&row.name, &row.image, from, to, verdict, &row.reason]));
    }
    let paints: Vec<&str> = report.rows.iter().map(|row| update_paint(row.verdict)).collect();
    let mut text = columns(&rows, 4, &paints, colour);
    note(&mut text, report.rows.is_empty(), "nothing to update", report.note.as_deref());
    text
}

/// A round of pruning.
pub fn of_prune(report: &prune::Report, dry_run: bool, colour: bool) -> String {
    let mut rows = vec![cells(["KIND", "NAME", "SIZE", "VERDICT", "WHEN", "REASON"])];
    for row in &report.rows {
        let when =
            row.seconds_left.map_or(String::new(), |left| format!("in {}", span(Duration::from_secs(left))));
        let size = if row.size == 0 { String::new() } else { bytes(row.size) };
        rows.push(cells([row.kind, &row.name, &size, prune_verdict(row.verdict), &when, &row.reason]));
    }
    let paints: Vec<&str> = report.rows.iter().map(|row| prune_paint(row.verdict)).collect();
    let mut text = columns(&rows, 3, &paints, colour);
    note(&mut text, report.rows.is_empty(), "nothing is unused", report.note.as_deref());
    let freed = if dry_run { "would be freed" } else { "freed" };
    let _ = writeln!(text, "{} {freed}", bytes(report.freed));
    if let Some(disk) = report.disk {
        let _ = writeln!(text, "disk {disk} % in use");
    }
    text
}

fn note(text: &mut String, empty: bool, nothing: &str, note: Option<&str>) {
    if empty {
        *text = if note.is_none() { format!("{nothing}\n") } else { String::new() };
    }
    if let Some(note) = note {
        let _ = writeln!(text, "note: {}", printable(note));
    }
}

fn update_verdict(verdict: update::Verdict) -> &'static str {
    match verdict {
        update::Verdict::Current => "current",
        update::Verdict::Skipped => "skipped",
        update::Verdict::Deferred => "deferred",
        update::Verdict::Held => "held",
        update::Verdict::Due => "due",
        update::Verdict::Updated => "updated",
        update::Verdict::RolledBack => "rolled back",
        update::Verdict::Failed => "failed",
    }
}

fn prune_verdict(verdict: prune::Verdict) -> &'static str {
    match verdict {
        prune::Verdict::Kept => "kept",
        prune::Verdict::Waits => "waits",
        prune::Verdict::Due => "due",
        prune::Verdict::Removed => "removed",
        prune::Verdict::Refused => "refused",
        prune::Verdict::Failed => "failed",
    }
}

/// Terminal codes (ECMA-48 SGR): green, yellow, red, dim.
const GOOD: &str = "32";
const LOOK: &str = "33";
const BAD: &str = "1;31";
const DIM: &str = "2";

fn update_paint(verdict: update::Verdict) -> &'static str {
    match verdict {
        update::Verdict::Current | update::Verdict::Skipped => DIM,
        update::Verdict::Due | update::Verdict::Updated => GOOD,
        update::Verdict::Deferred | update::Verdict::Held => LOOK,
        update::Verdict::RolledBack | update::Verdict::Failed => BAD,
    }
}

fn prune_paint(verdict: prune::Verdict) -> &'static str {
    match verdict {
        prune::Verdict::Kept | prune::Verdict::Waits => DIM,
        prune::Verdict::Due | prune::Verdict::Removed => GOOD,
        prune::Verdict::Refused => LOOK,
        prune::Verdict::Failed => BAD,
    }
}

fn cells(texts: [&str; 6]) -> Vec<String> {
    texts.map(printable).to_vec()
}

/// Docker's words and other people's names come to a terminal here.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Aligned columns, the last one ragged. Column `painted` of each row but the first takes its paint.
fn columns(rows: &[Vec<String>], painted: usize, paints: &[&str], colour: bool) -> String {
    let count = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..count).map(width).collect();
    let mut text = String::new();
    for (at, row) in rows.iter().enumerate() {
        let paint = at.checked_sub(1).and_then(|at| paints.get(at)).filter(|_| colour);
        let mut line = String::new();
        for (column, cell) in row.iter().enumerate() {
            let pad = if widths[column] == 0 { 0 } else { widths[column] + GAP - cell.chars().count() };
            match paint.filter(|_| column == painted) {
                Some(code) => _ = write!(line, "\x1b[{code}m{cell}\x1b[0m"),
                None => line += cell,
            }
            line.extend(core::iter::repeat_n(' ', pad));
        }
        text += line.trim_end();
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(verdict: update::Verdict, reason: &str) -> update::Row {
        update::Row {
            name: "web".into(),
            kind: "service",
            image: "nginx:1".into(),
            from: "sha256:0123456789abcdef".into(),
            to: "sha256:fedcba9876543210".into(),
            verdict,
            reason: reason.into(),
        }
    }

    #[test]
    fn a_round_of_updates_reads_as_a_table() {
        let report = update::Report {
            rows: vec![row(update::Verdict::Updated, "the tag moved\x1b[2J")],
            note: Some("one".into()),
        };
        let expected = "NAME  IMAGE    FROM          TO            VERDICT  REASON\n\
            web   nginx:1  0123456789ab  fedcba987654  updated  the tag moved [2J\n\
            note: one\n";
        assert_eq!(of_update(&report, false), expected);
        assert!(of_update(&report, true).contains("\x1b[32mupdated\x1b[0m"));
    }

    #[test]
    fn a_round_of_pruning_says_what_it_frees() {
        let row = prune::Row {
            kind: "image",
            name: "old:1".into(),
            id: "sha256:1".into(),
            size: 12_345_678,
            verdict: prune::Verdict::Waits,
            seconds_left: Some(1700),
            reason: "unused".into(),
        };
        let report = prune::Report { rows: vec![row], freed: 999, disk: Some(71), note: None };
        let expected = "KIND   NAME   SIZE     VERDICT  WHEN            REASON\n\
            image  old:1  12.3 MB  waits    in 28 min 20 s  unused\n\
            999 B would be freed\ndisk 71 % in use\n";
        assert_eq!(of_prune(&report, true, false), expected);
    }

    #[test]
    fn nothing_is_said_plainly() {
        let report = update::Report { rows: vec![], note: Some("not the leader".into()) };
        assert_eq!(of_update(&report, true), "note: not the leader\n");
        let report = update::Report::default();
        assert_eq!(of_update(&report, true), "nothing to update\n");
    }
}
