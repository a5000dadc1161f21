//! The outcome table for a terminal, and for programs.

use core::fmt::Write;

use super::{Outcome, Row, Table};

/// All tables as one JSON list.
pub fn json(tables: &[Table]) -> String {
    // Texts and numbers only: there is nothing in a table that JSON could refuse.
    serde_json::to_string_pretty(tables).unwrap_or_default() + "\n"
}

/// All tables for a person.
pub fn render(tables: &[Table]) -> String {
    let mut text = String::new();
    for table in tables {
        if !text.is_empty() {
            text.push('\n');
        }
        // Writing into a String does not fail.
        let _ = write_table(&mut text, table);
    }
    text
}

fn write_table(text: &mut String, table: &Table) -> core::fmt::Result {
    let version = table.version;
    writeln!(
        text,
        "VRID {}: {} (VRRP version {version}, an advert every {})",
        table.vrid,
        table.vips.join(", "),
        time(table.advert_ms)
    )?;
    let mut nodes = vec![["node", "base", "all well", "weighted checks failed"].map(String::from).to_vec()];
    for node in &table.nodes {
        nodes.push(vec![
            node.addr.clone(),
            node.base.to_string(),
            node.well.to_string(),
            node.failed.to_string(),
        ]);
    }
    columns(text, &nodes);
    for rows in table.rows.chunk_by(|one, two| one.master == two.master) {
        write_master(text, rows)?;
    }
    if !table.preempt {
        writeln!(text, "\nA better node that comes back does not take the VIP back (--no-preempt).")?;
    }
    let gaps: Vec<&Row> = table.rows.iter().filter(|row| row.gap).collect();
    if !gaps.is_empty() {
        writeln!(text, "\n{} of {} failures move nothing:", gaps.len(), table.rows.len())?;
        for row in gaps {
            writeln!(text, "  {}.", row.sentence())?;
        }
    }
    for advice in &table.advice {
        writeln!(text, "- {advice}")?;
    }
    Ok(())
}

fn write_master(text: &mut String, rows: &[Row]) -> core::fmt::Result {
    let Some(first) = rows.first() else { return Ok(()) };
    let down = match first.down.as_slice() {
        [] => String::new(),
        [one] => format!(" ({one} is down)"),
        more => format!(" ({} are down)", more.join(", ")),
    };
    writeln!(text, "\n{} is master{down}", first.master)?;
    let mut lines = vec![["lost", "priority", "VIP", "within", "why"].map(String::from).to_vec()];
    for row in rows {
        let vip = match (row.vip, &row.taker) {
            (Outcome::Moves, Some(taker)) => format!("to {taker}"),
            (Outcome::Moves, None) => "moves".into(),
            (Outcome::Stays | Outcome::Ties, _) if row.gap => "STAYS".into(),
            (Outcome::Stays | Outcome::Ties, _) => "stays".into(),
            (Outcome::Gone, _) => "is gone".into(),
            (Outcome::Unknown, _) => "?".into(),
        };
        let priority = match row.after {
            Some(after) => format!("{} → {after}", row.before),
            None if row.fault => format!("{} → FAULT", row.before),
            None => format!("{} → none", row.before),
        };
        lines.push(vec![
            row.lost.clone(),
            priority,
            vip,
            row.within_ms.map_or("-".into(), time),
            row.why.clone(),
        ]);
    }
    columns(text, &lines);
    Ok(())
}

/// Left-aligned columns, two spaces apart, indented by two.
fn columns(text: &mut String, lines: &[Vec<String>]) {
    let count = lines.first().map_or(0, Vec::len);
    let widths: Vec<usize> =
        (0..count).map(|at| lines.iter().map(|line| line[at].chars().count()).max().unwrap_or(0)).collect();
    for line in lines {
        let mut row = String::from("  ");
        for (cell, width) in line.iter().zip(&widths) {
            let _ = write!(row, "{cell:<width$}  ");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    }
}

fn time(millis: u64) -> String {
    match millis {
        0..1000 => format!("{millis}ms"),
        _ if millis.is_multiple_of(1000) => format!("{}s", millis / 1000),
        _ => format!("{}.{:02}s", millis / 1000, millis % 1000 / 10),
    }
}
