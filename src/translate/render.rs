//! The sheet as text that a shell can take whole (all but the commands is comment), and as JSON. Pure.

use serde::Serialize;

use super::sheet::{Command, Flag, Given, Line, Place, Sheet, Verdict};

/// Column of the comments beside flags.
const COLUMN: usize = 44;

/// A flag as a shell takes it.
fn shown(flag: &Flag) -> String {
    let words: Vec<String> = flag.words().iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:=,+@%".contains(&byte);
    if !value.is_empty() && value.bytes().all(plain) {
        return value.to_owned();
    }
    ["'", &value.replace('\'', r"'\''"), "'"].concat()
}

/// The words behind `unsinkable`.
pub fn arguments(command: &Command) -> Vec<String> {
    let mut arguments: Vec<String> = verb(command).split(' ').map(str::to_owned).collect();
    arguments.extend(command.flags.iter().flat_map(|given| given.flag.words()));
    arguments
}

/// Without a VIP there is no daemon: one round, told only, shows what the flags do.
fn verb(command: &Command) -> &'static str {
    if command.has("--vip") {
        "run"
    } else if command.has("--update") {
        "update --dry-run"
    } else {
        "prune --dry-run"
    }
}

/// For people. `checked`: what our own flags and `plan` say of each command.
pub fn text(sheet: &Sheet, checked: &[Vec<String>]) -> String {
    let mut out = String::new();
    for command in &sheet.commands {
        let whose = if command.whose.is_empty() {
            String::new()
        } else {
            [" on the node of ", &command.whose].concat()
        };
        heading(&mut out, &["Flags", &whose].concat());
        for given in &command.flags {
            let flag = shown(&given.flag);
            let gap = " ".repeat(COLUMN.saturating_sub(flag.len()).max(2));
            push(&mut out, &["# ", &one_line(&flag), &gap, "# ", &one_line(&behind(given))]);
        }
    }
    let quiet = |line: &Line| line.verdict == Verdict::Same && line.flags.is_empty() && !line.why.is_empty();
    section(&mut out, "Needs no flag", sheet, &quiet);
    section(&mut out, "Has no counterpart", sheet, &|line| line.verdict == Verdict::Nothing);
    section(&mut out, "Will behave differently", sheet, &|line| line.verdict == Verdict::Differs);
    section(&mut out, "Not understood", sheet, &|line| line.verdict == Verdict::Unknown);
    let notes: Vec<&String> = sheet.hints.iter().chain(checked.iter().flatten()).collect();
    if !notes.is_empty() {
        heading(&mut out, "To know (unsinkable plan with these flags says more)");
        notes.iter().for_each(|note| push(&mut out, &["# - ", &one_line(note)]));
    }
    for command in &sheet.commands {
        run(&mut out, command);
    }
    out
}

/// The statements behind a flag: places that say the same, and what they say.
fn behind(given: &Given) -> String {
    let mut said: Vec<(&str, String)> = Vec::new();
    for (at, text) in &given.from {
        match said.iter_mut().find(|(known, _)| known == text) {
            Some((_, places)) => *places = format!("{places}, {at}"),
            None => said.push((text, at.to_string())),
        }
    }
    let parts: Vec<String> = said.into_iter().map(|(text, places)| [&places, " ", text].concat()).collect();
    parts.join("; ")
}

fn push(out: &mut String, parts: &[&str]) {
    parts.iter().for_each(|part| out.push_str(part));
    out.push('\n');
}

fn heading(out: &mut String, text: &str) {
    if !out.is_empty() {
        out.push('\n');
    }
    push(out, &["# ", &one_line(text), ":"]);
}

/// A file's words must not get out of the comment they stand in.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Lines of one kind, those that say the same and mean the same in one.
fn section(out: &mut String, title: &str, sheet: &Sheet, belongs: &dyn Fn(&Line) -> bool) {
    let mut lines: Vec<(Vec<&Place>, &Line)> = Vec::new();
    for line in sheet.lines.iter().filter(|line| belongs(line)) {
        match lines.iter_mut().find(|(_, known)| known.said == line.said && known.why == line.why) {
            Some((places, _)) => places.push(&line.at),
            None => lines.push((vec![&line.at], line)),
        }
    }
    if lines.is_empty() {
        return;
    }
    heading(out, title);
    for (places, line) in lines {
        let places: Vec<String> = places.iter().map(ToString::to_string).collect();
        push(
            out,
            &["# ", &one_line(&places.join(", ")), " ", &one_line(&line.said), ": ", &one_line(&line.why)],
        );
    }
}

fn run(out: &mut String, command: &Command) {
    if command.flags.is_empty() {
        return;
    }
    let whose =
        if command.whose.is_empty() { String::new() } else { [", on the node of ", &command.whose].concat() };
    if command.has("--vip") {
        heading(
            out,
            &["The command", &whose, " (its flags fit between the quotes of UNSINKABLE_FLAGS)"].concat(),
        );
    } else {
        heading(out, "One round, told only; for the daemon these flags go beside those of the VIP");
    }
    out.push_str("unsinkable ");
    out.push_str(verb(command));
    for given in &command.flags {
        out.push_str(" \\\n  ");
        out.push_str(&shown(&given.flag));
    }
    out.push('\n');
}

#[derive(Serialize)]
struct Json<'a> {
    version: u8,
    commands: Vec<JsonCommand<'a>>,
    lines: Vec<JsonLine<'a>>,
    notes: &'a [String],
}

#[derive(Serialize)]
struct JsonCommand<'a> {
    node: &'a str,
    arguments: Vec<String>,
    findings: &'a [String],
}

#[derive(Serialize)]
struct JsonLine<'a> {
    file: &'a str,
    line: usize,
    said: &'a str,
    verdict: &'static str,
    flags: Vec<String>,
    why: &'a str,
}

/// For programs.
pub fn json(sheet: &Sheet, checked: &[Vec<String>]) -> String {
    let none: &[String] = &[];
    let checks = checked.iter().map(Vec::as_slice).chain(core::iter::repeat(none));
    let commands = sheet.commands.iter().zip(checks);
    let commands = commands.map(|(command, findings)| JsonCommand {
        node: &command.whose,
        arguments: arguments(command),
        findings,
    });
    let json = Json {
        version: 1,
        commands: commands.collect(),
        lines: sheet.lines.iter().map(json_line).collect(),
        notes: &sheet.hints,
    };
    // Strings and numbers only: there is nothing in it that JSON could not hold.
    let mut text = serde_json::to_string_pretty(&json).unwrap_or_default();
    text.push('\n');
    text
}

fn json_line(line: &Line) -> JsonLine<'_> {
    JsonLine {
        file: &line.at.file,
        line: line.at.line,
        said: &line.said,
        verdict: match line.verdict {
            Verdict::Same => "translated",
            Verdict::Differs => "different",
            Verdict::Nothing => "no counterpart",
            Verdict::Unknown => "not understood",
        },
        flags: line.flags.iter().flat_map(Flag::words).collect(),
        why: &line.why,
    }
}
