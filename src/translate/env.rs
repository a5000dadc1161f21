//! Settings of the tools as `NAME=VALUE`: env files, and what the names tell of the tool. Pure.

use std::rc::Rc;

use super::sheet::{Line, Place};
use super::tools::{Setting, Tool, Use};
use super::tooltable;

/// Reads an env file as Docker does: `NAME=VALUE`, no quotes, `#` at the beginning of a line; what is no such line.
pub fn read(file: &str, text: &str) -> (Vec<Setting>, Vec<Line>) {
    let file: Rc<str> = file.into();
    let mut settings = Vec::new();
    let mut lines = Vec::new();
    for (line, text) in (1..).zip(text.lines()) {
        let at = Place { file: Rc::clone(&file), line };
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let text = text.strip_prefix("export ").unwrap_or(text);
        match text.split_once('=').filter(|(name, _)| is_name(name.trim())) {
            Some((name, value)) => settings.push(Setting::new(&at, name.trim(), unquoted(value.trim()))),
            // Docker takes it from the environment of whoever runs it.
            None if is_name(text) => lines.push(Line::unknown(&at, text, "has no value in this file")),
            None => lines.push(Line::unknown(&at, "a line", "expected NAME=VALUE")),
        }
    }
    (settings, lines)
}

/// Could it be the name of a variable?
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// compose takes quotes away, `docker run` does not; nobody means them.
fn unquoted(value: &str) -> &str {
    let inner = |quote: char| value.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(value)
}

/// An env file alone: which tool is it for, by its name or by what stands in it?
pub fn alone(file: &str, text: &str) -> Result<(Use, Vec<Line>), Vec<Line>> {
    let (settings, mut lines) = read(file, text);
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let by_name = Tool::ALL.into_iter().find(|tool| name.contains(tool.name()));
    let known =
        |tool: &Tool| settings.iter().filter(|setting| tooltable::knows(*tool, &setting.name)).count();
    let best = Tool::ALL.into_iter().map(|tool| (known(&tool), tool)).filter(|(count, _)| *count > 0);
    let most = best.clone().map(|(count, _)| count).max();
    let mut candidates = best.filter(|(count, _)| Some(*count) == most).map(|(_, tool)| tool);
    let by_settings = candidates.next().filter(|_| candidates.next().is_none());
    if let Some(tool) = by_name.or(by_settings) {
        let at = Place { file: file.into(), line: 1 };
        return Ok((Use { tool, at, said: ["is for ", tool.name()].concat(), settings }, lines));
    }
    let unknown = |setting: &Setting| {
        Line::unknown(&setting.at, setting.name.as_str(), "it is not clear which tool this is for")
    };
    lines.extend(settings.iter().map(unknown));
    Err(lines)
}
