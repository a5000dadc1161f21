//! The commands held against our own reader of flags and against `plan`. Pure but for what those are.

use std::ffi::OsString;

use super::instance::PASSWORD_FILE;
use super::sheet::{Command, Text, digits, text};
use crate::flags::{self, LocalAddresses};
use crate::plan;

/// What our own reader and `plan` say of a command, as lines for a person.
pub fn verify(command: &Command) -> Vec<Text> {
    let mut lines = Vec::new();
    if !command.has("--vip") {
        return lines;
    }
    let mut words = vec!["unsinkable", "plan", "--board=generic"];
    for given in &command.flags {
        // The file with the password is not there yet: without it the outcome is the same.
        if given.flag.value == Some(PASSWORD_FILE) {
            words.push("--vrrp=2");
        } else {
            given.flag.words(&mut words);
        }
    }
    let args: Vec<OsString> = words.into_iter().map(OsString::from).collect();
    match flags::parse_from(&args, &LocalAddresses::default()) {
        Ok(flags::Command::Plan { clusters, warnings, .. }) => {
            for warning in &warnings {
                lines.push(text(&["warning: ", &warning.to_string()]));
            }
            for cluster in &clusters {
                said(&plan::plan(cluster), &mut lines);
            }
        }
        Ok(_) => {}
        Err(refusal) => {
            for line in refusal.text.lines() {
                lines.push(text(&["will be refused: ", line]));
            }
        }
    }
    lines
}

fn said(table: &plan::Table, lines: &mut Vec<Text>) {
    let vrid = digits(usize::from(table.vrid));
    if table.nodes.len() < 2 {
        let why = ": what a failure does cannot be said without the priorities of all nodes";
        lines.push(text(&["--vrid ", vrid, why]));
        return;
    }
    let summary = table.summary();
    for fact in &summary.facts {
        lines.push(text(&[fact]));
    }
    if !table.has_gap() {
        lines.push(text(&["--vrid ", vrid, ": every single failure moves the VIP"]));
    }
    for warning in &summary.warnings {
        lines.push(text(&[warning]));
    }
}
