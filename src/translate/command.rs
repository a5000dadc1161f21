//! `docker run` and `docker service create` as text, and words as a shell reads them. Pure.

use std::rc::Rc;

use super::compose::{self, Container, Files};
use super::sheet::{Bad, Line, Place};
use super::tools::{Setting, Use};

/// Options of Docker's that have no value.
const SWITCHES: [&str; 16] = [
    "-d",
    "--detach",
    "--rm",
    "-i",
    "-t",
    "-it",
    "-ti",
    "-dit",
    "-td",
    "--init",
    "--privileged",
    "--read-only",
    "--tty",
    "--interactive",
    "--with-registry-auth",
    "--no-resolve-image",
];

/// A word, and the line it is on.
pub type Word = (usize, String);

/// Words as a shell reads them, one list for each command. Quotes and backslashes only: nothing is expanded.
pub fn split(text: &str) -> Result<Vec<Vec<Word>>, usize> {
    let mut commands = vec![Vec::new()];
    let mut word: Option<Word> = None;
    let mut line = 1;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let here = line;
        line += usize::from(c == '\n');
        match c {
            '\\' => match chars.next() {
                Some('\n') => line += 1,
                Some(next) => word.get_or_insert((here, String::new())).1.push(next),
                None => {}
            },
            '\'' | '"' => {
                let into = &mut word.get_or_insert((here, String::new())).1;
                loop {
                    match chars.next() {
                        None => return Err(here),
                        Some(next) if next == c => break,
                        Some('\\') if c == '"' => into.extend(chars.next()),
                        Some(next) => {
                            line += usize::from(next == '\n');
                            into.push(next);
                        }
                    }
                }
            }
            '#' if word.is_none() => while chars.next_if(|next| *next != '\n').is_some() {},
            _ if c.is_whitespace() => {
                if let Some(last) = commands.last_mut() {
                    last.extend(word.take());
                }
                if c == '\n' {
                    commands.push(Vec::new());
                }
            }
            _ => word.get_or_insert((here, String::new())).1.push(c),
        }
    }
    if let Some(last) = commands.last_mut() {
        last.extend(word);
    }
    Ok(commands.into_iter().filter(|words| !words.is_empty()).collect())
}

/// Reads the commands in a text.
pub fn read(file: &str, text: &str, files: Files) -> Result<(Vec<Use>, Vec<Line>), Bad> {
    let file: Rc<str> = file.into();
    let place = |line: usize| Place { file: Rc::clone(&file), line };
    let commands =
        split(text).map_err(|line| Bad::new(&place(line), "a quote is opened here and never closed"))?;
    let mut uses = Vec::new();
    let mut lines = Vec::new();
    for words in commands {
        let line = words.first().map_or(1, |(line, _)| *line);
        let texts: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
        let is = |words: &[&str]| {
            texts.windows(words.len()).position(|window| window == words).map(|at| at + words.len())
        };
        let begin = is(&["docker", "run"])
            .or_else(|| is(&["service", "create"]))
            .or_else(|| is(&["docker", "create"]));
        let begin = begin.or_else(|| is(&["container", "run"]));
        let Some(rest) = begin.and_then(|begin| words.get(begin..)) else {
            lines.push(Line::unknown(
                &place(line),
                texts.first().copied().unwrap_or_default(),
                "no docker run or docker service create",
            ));
            continue;
        };
        let container = container(rest, &place, files)?;
        lines.extend(compose::take(container, &mut uses));
    }
    Ok((uses, lines))
}

fn container(words: &[Word], place: &dyn Fn(usize) -> Place, files: Files) -> Result<Container, Bad> {
    let mut words = words.iter();
    let mut container = Container::default();
    while let Some((line, word)) = words.next() {
        let at = place(*line);
        if !word.starts_with('-') {
            container.image = Some((at, word.clone()));
            let rest = words.by_ref().map(|(line, word)| (place(*line), word.clone()));
            container.command.extend(rest);
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None if SWITCHES.contains(&word.as_str()) => (word.clone(), String::new()),
            None => (word.clone(), words.next().map(|(_, value)| value.clone()).unwrap_or_default()),
        };
        match name.as_str() {
            "-e" | "--env" => match value.split_once('=') {
                Some((name, value)) => container.settings.push(Setting::new(&at, name, value)),
                None => container.lines.push(Line::unknown(&at, value, "has no value in this file")),
            },
            "--env-file" => {
                let (name, text) = files(&value, &at)?;
                let (settings, unknown) = super::env::read(&name, &text);
                container.settings.extend(settings);
                container.lines.extend(unknown);
            }
            "-v" | "--volume" => container.volume(&at, &value, ':'),
            "--mount" => container.volume(&at, &value, ','),
            "--mode" => container.mode(&at, &value),
            "--constraint" => container.constraint(&at, &value),
            _ => container.gone(&at, &name),
        }
    }
    Ok(container)
}
