//! The sheet as text that a shell can take whole (all but the commands is comment), and as JSON. Pure.

use super::sheet::{Command, Flag, Given, Line, Sheet, Text, Verdict, joined, text};

/// Column of the comments beside flags.
const COLUMN: usize = 44;

/// A flag as a shell takes it.
fn shown(flag: &Flag) -> Text {
    let mut words = Vec::new();
    flag.words(&mut words);
    for word in &mut words {
        *word = quoted(word);
    }
    joined(&words, " ")
}

fn quoted(value: Text) -> Text {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value;
    }
    text(&["'", &value.replace('\'', r"'\''"), "'"])
}

/// The words behind `unsinkable`.
fn arguments(command: &Command) -> Vec<Text> {
    let mut arguments: Vec<Text> = verb(command).split(' ').collect();
    for given in &command.flags {
        given.flag.words(&mut arguments);
    }
    arguments
}

/// Without a VIP there is no daemon: one round, told only, shows what the flags do.
fn verb(command: &Command) -> Text {
    if command.has("--vip") {
        "run"
    } else if command.has("--update") {
        "update --dry-run"
    } else {
        "prune --dry-run"
    }
}

/// For people. `checked`: what our own flags and `plan` say of each command.
pub fn people(sheet: &Sheet, checked: &[Vec<Text>]) -> String {
    let mut out = String::new();
    for command in &sheet.commands {
        let on = if command.whose.is_empty() { "" } else { " on the node of " };
        heading(&mut out, &["Flags", on, command.whose]);
        for given in &command.flags {
            let flag = shown(&given.flag);
            let gap = " ".repeat(COLUMN.saturating_sub(flag.len()).max(2));
            comment(&mut out, &["# ", flag, &gap, "# ", behind(given)]);
        }
    }
    for (verdict, title) in [
        (Verdict::Same, "Needs no flag"),
        (Verdict::Nothing, "Has no counterpart"),
        (Verdict::Differs, "Will behave differently"),
        (Verdict::Unknown, "Not understood"),
    ] {
        section(&mut out, title, sheet, verdict);
    }
    let mut notes = sheet.hints.clone();
    for lines in checked {
        notes.extend_from_slice(lines);
    }
    if !notes.is_empty() {
        heading(&mut out, &["To know (unsinkable plan with these flags says more)"]);
    }
    for note in notes {
        comment(&mut out, &["# - ", note]);
    }
    for command in &sheet.commands {
        run(&mut out, command);
    }
    out
}

/// The statements behind a flag: places that say the same, and what they say.
fn behind(given: &Given) -> Text {
    let mut said: Vec<Text> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    for (at, what) in &given.from {
        let known = said.iter().position(|known| known == what);
        if let Some(places) = known.and_then(|known| places.get_mut(known)) {
            places.push_str(", ");
            places.push_str(at.said());
        } else {
            said.push(what);
            places.push(at.said().into());
        }
    }
    for (places, what) in places.iter_mut().zip(said) {
        places.push(' ');
        places.push_str(what);
    }
    text(&[&places.join("; ")])
}

/// A line of its own. A file's words must not get out of the comment they stand in.
#[inline(never)]
fn comment(out: &mut String, parts: &[&str]) {
    for part in parts {
        for c in part.chars() {
            out.push(if c.is_control() { ' ' } else { c });
        }
    }
    out.push('\n');
}

#[inline(never)]
fn heading(out: &mut String, parts: &[&str]) {
    if !out.is_empty() {
        out.push('\n');
    }
    comment(out, &["# ", text(parts), ":"]);
}

/// Lines of one kind, those that say the same and mean the same in one.
fn section(out: &mut String, title: &str, sheet: &Sheet, verdict: Verdict) {
    let mut lines: Vec<&Line> = Vec::new();
    let mut places: Vec<String> = Vec::new();
    for line in &sheet.lines.0 {
        let needs_flags = verdict == Verdict::Same && (!line.flags.is_empty() || line.why.is_empty());
        if line.verdict != verdict || needs_flags {
            continue;
        }
        let known = lines.iter().position(|known| known.said == line.said && known.why == line.why);
        if let Some(places) = known.and_then(|known| places.get_mut(known)) {
            places.push_str(", ");
            places.push_str(line.at.said());
        } else {
            lines.push(line);
            places.push(line.at.said().into());
        }
    }
    if !lines.is_empty() {
        heading(out, &[title]);
    }
    for (places, line) in places.iter().zip(lines) {
        comment(out, &["# ", places, " ", line.said, ": ", line.why]);
    }
}

fn run(out: &mut String, command: &Command) {
    if command.flags.is_empty() {
        return;
    }
    if command.has("--vip") {
        let on = if command.whose.is_empty() { "" } else { ", on the node of " };
        let fit = " (its flags fit between the quotes of UNSINKABLE_FLAGS)";
        heading(out, &["The command", on, command.whose, fit]);
    } else {
        heading(out, &["One round, told only; for the daemon these flags go beside those of the VIP"]);
    }
    out.push_str("unsinkable ");
    out.push_str(verb(command));
    for given in &command.flags {
        out.push_str(" \\\n  ");
        out.push_str(shown(&given.flag));
    }
    out.push('\n');
}

/// For programs.
pub fn json(sheet: &Sheet, checked: &[Vec<Text>]) -> String {
    let mut json = Json { out: "{\"version\":1".into() };
    json.key("\n,\"commands\":[");
    for (at, command) in sheet.commands.iter().enumerate() {
        json.key(if at == 0 { "\n{\"node\":" } else { "\n,{\"node\":" });
        json.text(command.whose);
        json.list(",\"arguments\":", &arguments(command));
        json.list(",\"findings\":", checked.get(at).map_or(&[], Vec::as_slice));
        json.key("}");
    }
    json.key("]\n,\"lines\":[");
    for (at, line) in sheet.lines.0.iter().enumerate() {
        json.key(if at == 0 { "\n{\"file\":" } else { "\n,{\"file\":" });
        json.text(line.at.file);
        json.key(",\"line\":");
        json.key(super::sheet::digits(line.at.line));
        json.key(",\"said\":");
        json.text(line.said);
        json.key(",\"verdict\":");
        json.text(match line.verdict {
            Verdict::Same => "translated",
            Verdict::Differs => "different",
            Verdict::Nothing => "no counterpart",
            Verdict::Unknown => "not understood",
        });
        let mut flags = Vec::new();
        for flag in line.flags {
            flag.words(&mut flags);
        }
        json.list(",\"flags\":", &flags);
        json.key(",\"why\":");
        json.text(line.why);
        json.key("}");
    }
    json.key("]");
    json.list("\n,\"notes\":", &sheet.hints);
    json.key("}\n");
    json.out
}

struct Json {
    out: String,
}

impl Json {
    #[inline(never)]
    fn key(&mut self, text: &str) {
        self.out.push_str(text);
    }

    #[inline(never)]
    fn text(&mut self, text: &str) {
        // There is no string that JSON could not hold.
        self.out.push_str(&serde_json::to_string(text).unwrap_or_default());
    }

    #[inline(never)]
    fn list(&mut self, key: &str, texts: &[Text]) {
        self.key(key);
        for (at, text) in texts.iter().enumerate() {
            self.key(if at == 0 { "[" } else { "," });
            self.text(text);
        }
        self.key(if texts.is_empty() { "[]" } else { "]" });
    }
}
