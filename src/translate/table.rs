//! Tables of keywords as one text, read anew for each question: a tenth of what structs and their addresses would take
//! in the binary. Pure.
//!
//! ```text
//! GROUP FIRST SECOND WORD… | WHY
//! GROUP FIRST SECOND WORD… | @NAME
//! @NAME | WHY
//! ```
//!
//! A word that ends in `*` stands for all that begin so; the first row that fits counts.

/// What a row says besides its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// Its second word.
    pub first: &'static str,
    /// Its third word.
    pub second: &'static str,
    /// Behind the bar; may be empty.
    pub why: &'static str,
}

/// The row of a word in a group.
#[inline(never)]
pub fn row(table: &'static str, group: &str, word: &str) -> Option<Row> {
    for line in table.lines() {
        let (head, why) = line.split_once(" | ").unwrap_or((line, ""));
        let mut parts = head.split(' ');
        if parts.next() != Some(group) {
            continue;
        }
        let first = parts.next().unwrap_or_default();
        let second = parts.next().unwrap_or_default();
        for known in parts {
            let begin = known.strip_suffix('*');
            if known == word || begin.is_some_and(|begin| word.starts_with(begin)) {
                return Some(Row { first, second, why: shared(table, why) });
            }
        }
    }
    None
}

/// A reason, or the one of this name that several rows share.
fn shared(table: &'static str, why: &'static str) -> &'static str {
    if !why.starts_with('@') {
        return why;
    }
    let mut lines = table.lines();
    lines.find_map(|line| line.strip_prefix(why)?.strip_prefix(" | ")).unwrap_or(why)
}
