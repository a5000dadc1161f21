//! Settings of the tools as `NAME=VALUE`: env files, and what the names tell of the tool. Pure.

use super::sheet::{Lines, Place, Text, is_name, text};
use super::tools::{Setting, Use};
use super::tooltable::{Tool, knows};

/// Reads an env file as Docker does: `NAME=VALUE`, no quotes, `#` at the beginning of a line; what is no such line is
/// told.
pub fn read(file: Text, content: Text, lines: &mut Lines) -> Vec<Setting> {
    let mut settings = Vec::new();
    for (line, said) in (1..).zip(content.lines()) {
        let at = Place { file, line };
        let said = said.trim();
        if said.is_empty() || said.starts_with('#') {
            continue;
        }
        let said = said.strip_prefix("export ").unwrap_or(said);
        let (name, value) = said.split_once('=').unwrap_or((said, ""));
        if !is_name(name.trim()) {
            lines.unknown(&at, "a line", "expected NAME=VALUE");
        } else if name.len() == said.len() {
            // Docker takes it from the environment of whoever runs it.
            lines.unknown(&at, name, "has no value in this file");
        } else {
            settings.push(Setting { at, name: name.trim(), value: unquoted(value.trim()) });
        }
    }
    settings
}

/// compose takes quotes away, `docker run` does not; nobody means them.
fn unquoted(value: Text) -> Text {
    for quote in ['"', '\''] {
        if let Some(inner) = value.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote)) {
            return inner;
        }
    }
    value
}

/// An env file alone: which tool is it for, by its name or by what stands in it?
pub fn alone(file: Text, content: Text, uses: &mut Vec<Use>, lines: &mut Lines) {
    let settings = read(file, content, lines);
    let name = file.rsplit('/').next().unwrap_or_default().to_ascii_lowercase();
    let mut by_name = None;
    let mut by_settings = None;
    let mut most = 0;
    for tool in Tool::ALL {
        if by_name.is_none() && name.contains(tool.name()) {
            by_name = Some(tool);
        }
        let known = settings.iter().filter(|setting| knows(tool, setting.name)).count();
        if known >= most {
            by_settings = (known > most).then_some(tool);
            most = known;
        }
    }
    if let Some(tool) = by_name.or(by_settings) {
        let at = Place { file, line: 1 };
        uses.push(Use { tool, at, said: text(&["is for ", tool.name()]), settings });
        return;
    }
    for setting in settings {
        lines.unknown(&setting.at, setting.name, "it is not clear which tool this is for");
    }
}
