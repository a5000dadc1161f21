//! `docker run` and `docker service create` as text, and words as a shell reads them. Pure.

use super::container::{Container, Files, take};
use super::sheet::{Bad, Lines, Place, Text, is_among, text};
use super::tools::{Setting, Use};

/// Options of Docker's that have no value.
const SWITCHES: &str = "-d --detach --rm -i -t -it -ti -dit -td --init --privileged --read-only --tty --interactive \
                        --with-registry-auth --no-resolve-image";

/// A word, and the line it is on.
pub type Word = (usize, Text);

/// Words as a shell reads them, one list for each command. Quotes and backslashes only: nothing is expanded.
///
/// # Errors
/// The line of a quote that is never closed.
pub fn split(said: &str) -> Result<Vec<Vec<Word>>, usize> {
    let mut commands = vec![Vec::new()];
    // The word that is being read, and its line.
    let mut word: Option<(usize, String)> = None;
    let mut quote = None;
    let mut is_comment = false;
    let mut line = 1;
    let mut chars = said.chars();
    loop {
        let c = chars.next().unwrap_or('\0');
        let here = line;
        line += usize::from(c == '\n');
        is_comment &= c != '\n' && c != '\0';
        let mut add = Some(c);
        match (c, quote) {
            ('\0', Some((_, opened))) => return Err(opened),
            _ if is_comment => continue,
            ('\\', None | Some(('"', _))) => {
                add = chars.next();
                line += usize::from(add == Some('\n'));
                if quote.is_none() && matches!(add, Some('\n') | None) {
                    continue;
                }
            }
            (_, Some((mark, _))) if c == mark => {
                quote = None;
                continue;
            }
            (_, Some(_)) => {}
            ('\'' | '"', None) => {
                quote = Some((c, here));
                add = None;
            }
            ('#', None) if word.is_none() => {
                is_comment = true;
                continue;
            }
            _ if c.is_whitespace() || c == '\0' => {
                if let (Some((at, done)), Some(last)) = (word.take(), commands.last_mut()) {
                    last.push((at, text(&[&done])));
                }
                if c == '\n' {
                    commands.push(Vec::new());
                } else if c == '\0' {
                    break;
                }
                continue;
            }
            _ => {}
        }
        word.get_or_insert((here, String::new())).1.extend(add);
    }
    commands.retain(|words| !words.is_empty());
    Ok(commands)
}

/// Reads the commands in a text.
pub fn read(
    file: Text,
    content: &str,
    files: Files,
    uses: &mut Vec<Use>,
    lines: &mut Lines,
) -> Result<(), Bad> {
    let commands = match split(content) {
        Ok(commands) => commands,
        Err(line) => return Err(Bad::new(&Place { file, line }, "a quote is opened here and never closed")),
    };
    for words in commands {
        let mut begin = None;
        for verb in [["container", "run"], ["docker", "create"], ["service", "create"], ["docker", "run"]] {
            let is_verb = |at: &usize| words[*at].1 == verb[0] && words[at + 1].1 == verb[1];
            begin = (0..words.len() - 1).find(is_verb).or(begin);
        }
        if let Some(begin) = begin {
            let container = container(&words[begin + 2..], file, files)?;
            take(container, uses, lines);
        } else {
            let (line, word) = words[0];
            lines.unknown(&Place { file, line }, word, "no docker run or docker service create");
        }
    }
    Ok(())
}

fn container(words: &[Word], file: Text, files: Files) -> Result<Container, Bad> {
    let mut words = words.iter();
    let mut container = Container::default();
    while let Some(&(line, word)) = words.next() {
        let at = Place { file, line };
        if !word.starts_with('-') {
            container.image = Some((at, word));
            for &(line, word) in words {
                container.command.push((Place { file, line }, word));
            }
            break;
        }
        let (name, value) = match word.split_once('=') {
            Some(pair) => pair,
            None if is_among(SWITCHES, word) => (word, ""),
            None => (word, words.next().map_or("", |(_, value)| value)),
        };
        match name {
            "-e" | "--env" => match value.split_once('=') {
                Some((name, value)) => container.settings.push(Setting { at, name, value }),
                None => container.lines.unknown(&at, value, "has no value in this file"),
            },
            "--env-file" => {
                let (name, content) = files(value, &at)?;
                let mut settings = super::env::read(name, content, &mut container.lines);
                container.settings.append(&mut settings);
            }
            "-v" | "--volume" => container.volume(&at, value, ':'),
            "--mount" => container.volume(&at, value, ','),
            "--mode" => container.mode(&at, value),
            "--constraint" => container.constraint(&at, value),
            _ => container.gone(&at, name),
        }
    }
    Ok(container)
}
