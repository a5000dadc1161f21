//! The commands held against our own reader of flags and against `plan`. Pure but for what those are.

use std::ffi::OsString;

use super::instance::PASSWORD_FILE;
use super::sheet::{Command, Given};
use crate::flags::{self, LocalAddresses};
use crate::plan;

/// What our own reader and `plan` say of a command, as lines for a person.
pub fn verify(command: &Command) -> Vec<String> {
    if !command.has("--vip") {
        return Vec::new();
    }
    let mut args: Vec<OsString> = vec!["unsinkable".into(), "plan".into(), "--board=generic".into()];
    for given in &command.flags {
        args.extend(words(given).into_iter().map(OsString::from));
    }
    match flags::parse_from(&args, &LocalAddresses::default()) {
        Ok(flags::Command::Plan { clusters, warnings, .. }) => {
            let mut lines: Vec<String> =
                warnings.iter().map(|warning| format!("warning: {warning}")).collect();
            for table in clusters.iter().map(plan::plan) {
                lines.extend(said(&table));
            }
            lines
        }
        Ok(_) => Vec::new(),
        Err(refusal) => refusal.text.lines().map(|line| format!("will be refused: {line}")).collect(),
    }
}

/// The file with the password is not there yet: without it the outcome is the same.
fn words(given: &Given) -> Vec<String> {
    match (given.flag.name, given.flag.value.as_deref()) {
        ("--auth-pass-file", Some(PASSWORD_FILE)) => vec!["--vrrp".into(), "2".into()],
        _ => given.flag.words(),
    }
}

fn said(table: &plan::Table) -> Vec<String> {
    if table.nodes.len() < 2 {
        return vec![format!(
            "--vrid {}: what a failure does cannot be said without the priorities of all nodes",
            table.vrid
        )];
    }
    let mut lines = table.summary().facts;
    if !table.has_gap() {
        lines.push(format!("--vrid {}: every single failure moves the VIP", table.vrid));
    }
    lines.extend(table.summary().warnings);
    lines
}
