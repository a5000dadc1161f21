//! Statements of keepalived's that say no flag: what becomes of them is told by their keyword alone. Pure.

use super::keywords;
use super::sheet::Lines;
use super::words::Statement;

/// A statement whose keyword alone says what becomes of it, and of all in its braces.
#[inline(never)]
pub fn judged(statement: &Statement, block: &str, lines: &mut Lines) {
    let act = keywords::act(block, statement.keyword());
    match act.and_then(|act| Some((act.verdict?, act.why))) {
        Some((verdict, why)) => lines.add(&statement.at, statement.said(), verdict, why),
        None => unknown(statement, lines),
    }
}

/// Only its first word is shown: the rest may be a secret behind a slip of the pen.
#[inline(never)]
pub fn unknown(statement: &Statement, lines: &mut Lines) {
    let why = if statement.keyword().starts_with('@') {
        "which nodes this line is for is told by their configuration identity: write a file for each node without @"
    } else {
        "no keyword that is known here"
    };
    lines.unknown(&statement.at, statement.keyword(), why);
}

/// Nothing of what is too much is shown: it may be a secret.
#[inline(never)]
pub fn overlong(statement: &Statement, lines: &mut Lines) {
    lines.unknown(&statement.at, statement.keyword(), "more words follow it than are known here");
}
