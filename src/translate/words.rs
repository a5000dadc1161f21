//! keepalived's files as statements: words, quotes, comments, braces, `$VAR` definitions, includes. Pure: the text of
//! included files comes from a function.
//!
//! keepalived has one statement a line; here several may share a line, told apart by the table of keywords.

use std::rc::Rc;

use super::keywords;
use super::sheet::{Bad, Place};

/// Blocks in blocks: keepalived itself has four.
const MAX_DEPTH: usize = 16;
/// Files that include files.
const MAX_INCLUDES: usize = 8;
/// A line with its variables filled in: variables of variables could grow without end.
const MAX_LINE: usize = 64 * 1024;

/// `$NAME=VALUE` lines: a site has a dozen.
const MAX_VARIABLES: usize = 1000;

/// One statement: `interface eth0`, or `vrrp_instance VI_1 { … }`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Where it begins.
    pub at: Place,
    /// Its keyword and what follows. Never empty.
    pub words: Vec<String>,
    /// What stands in its braces.
    pub body: Option<Vec<Statement>>,
}

impl Statement {
    /// Its first word.
    pub fn keyword(&self) -> &str {
        self.words.first().map_or("", String::as_str)
    }

    /// The word at `at`; the keyword is word 0.
    pub fn word(&self, at: usize) -> &str {
        self.words.get(at).map_or("", String::as_str)
    }

    /// In its braces, or nothing.
    pub fn inside(&self) -> &[Statement] {
        self.body.as_deref().unwrap_or_default()
    }

    /// As it was written, on one line.
    pub fn said(&self) -> String {
        let mut said = self.words.join(" ");
        if self.body.is_some() {
            said.push_str(" {…}");
        }
        said
    }
}

/// Name and text of each file that a pattern names, seen from the file that says it.
pub type Include<'a> = &'a mut dyn FnMut(&str, &Place) -> Result<Vec<(String, String)>, Bad>;

/// Reads a file and what it includes.
pub fn read(file: &str, text: &str, include: Include) -> Result<Vec<Statement>, Bad> {
    let mut reader = Reader { include, variables: Vec::new(), open: Vec::new(), done: Vec::new() };
    reader.file(file, text, 0)?;
    match reader.open.last() {
        Some(open) => Err(Bad::new(&open.at, format!("the {{ of {} is never closed", open.keyword()))),
        None => Ok(reader.done),
    }
}

enum Token {
    Word { text: String, quoted: bool },
    Open,
    Close,
}

struct Reader<'a> {
    include: Include<'a>,
    /// A later one of a name wins.
    variables: Vec<(String, String)>,
    /// Statements whose braces are open, the outermost first.
    open: Vec<Statement>,
    done: Vec<Statement>,
}

impl Reader<'_> {
    fn file(&mut self, file: &str, text: &str, depth: usize) -> Result<(), Bad> {
        let file: Rc<str> = file.into();
        let mut lines = (1..).zip(text.lines());
        while let Some((line, text)) = lines.next() {
            let at = Place { file: Rc::clone(&file), line };
            let mut text = self.filled_in(text.trim(), &at)?;
            if let Some((name, value)) = definition(&text) {
                let mut value = value.to_owned();
                while value.ends_with('\\') {
                    value.pop();
                    value.push('\n');
                    let Some((_, more)) = lines.next() else { break };
                    value.push_str(&self.filled_in(more.trim(), &at)?);
                    bounded(&value, &at)?;
                }
                let name = name.to_owned();
                if self.variables.len() == MAX_VARIABLES {
                    return Err(Bad::new(&at, "too many variables"));
                }
                self.variables.push((name, value));
                text.clear();
            }
            for part in text.split('\n') {
                self.line(part, &at, depth)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, text: &str, at: &Place, depth: usize) -> Result<(), Bad> {
        let mut words: Vec<(String, bool)> = Vec::new();
        for token in tokens(text, at)? {
            match token {
                Token::Word { text, quoted } => words.push((text, quoted)),
                Token::Open => {
                    self.flush(&mut words, at);
                    self.open(at)?;
                }
                Token::Close => {
                    self.flush(&mut words, at);
                    let closed = self.open.pop().ok_or_else(|| Bad::new(at, "this } closes nothing"))?;
                    self.here().push(closed);
                }
            }
        }
        let is_include = words.first().is_some_and(|(word, _)| keywords::INCLUDES.contains(&word.as_str()));
        if !is_include {
            self.flush(&mut words, at);
            return Ok(());
        }
        if depth == MAX_INCLUDES {
            return Err(Bad::new(
                at,
                format!("includes more than {MAX_INCLUDES} files deep: is it an endless include?"),
            ));
        }
        let pattern = words.get(1).map_or("", |(word, _)| word.as_str());
        for (name, text) in (self.include)(pattern, at)? {
            self.file(&name, &text, depth + 1)?;
        }
        Ok(())
    }

    fn open(&mut self, at: &Place) -> Result<(), Bad> {
        let last = self.here().pop_if(|last| last.body.is_none());
        let mut last = last.ok_or_else(|| Bad::new(at, "this { has no name before it"))?;
        if self.open.len() == MAX_DEPTH {
            return Err(Bad::new(at, "too many { in one another"));
        }
        last.body = Some(Vec::new());
        self.open.push(last);
        Ok(())
    }

    fn here(&mut self) -> &mut Vec<Statement> {
        match self.open.last_mut() {
            Some(open) => open.body.get_or_insert_default(),
            None => &mut self.done,
        }
    }

    /// Words of one line, in one block, become its statements.
    fn flush(&mut self, words: &mut Vec<(String, bool)>, at: &Place) {
        let block = self.open.last().map_or(String::new(), |open| open.keyword().to_owned());
        let mut least = 0;
        for (word, quoted) in words.drain(..) {
            let args = if quoted { None } else { keywords::args(&block, &word) };
            let here = self.here();
            match here.last_mut() {
                // Still too short to end here, or no keyword that could begin another.
                Some(last) if least > 0 && (last.words.len() < least || args.is_none()) => {
                    last.words.push(word)
                }
                Some(_) | None => {
                    // `@identity keyword …` is one statement, whatever follows.
                    least = if word.starts_with('@') { usize::MAX } else { 1 + args.unwrap_or(0) };
                    here.push(Statement { at: at.clone(), words: vec![word], body: None });
                }
            }
        }
    }

    /// `$NAME` and `${NAME}` replaced where such a definition came before.
    fn filled_in(&self, text: &str, at: &Place) -> Result<String, Bad> {
        let mut filled = String::new();
        let mut parts = text.split('$');
        filled.push_str(parts.next().unwrap_or_default());
        for (number, part) in parts.enumerate() {
            let bare = part.strip_prefix('{').unwrap_or(part);
            let end = bare.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(bare.len());
            let (name, rest) = bare.split_at(end);
            let defines = number == 0 && filled.is_empty() && rest.starts_with('=');
            let rest = if bare.len() < part.len() { rest.strip_prefix('}') } else { Some(rest) };
            let known = self.variables.iter().rfind(|(known, _)| known == name);
            match known.filter(|_| !defines).zip(rest) {
                Some(((_, value), rest)) => {
                    filled.push_str(value);
                    filled.push_str(rest);
                }
                None => {
                    filled.push('$');
                    filled.push_str(part);
                }
            }
            bounded(&filled, at)?;
        }
        Ok(filled)
    }
}

fn bounded(text: &str, at: &Place) -> Result<(), Bad> {
    if text.len() > MAX_LINE { Err(Bad::new(at, "this line is too long")) } else { Ok(()) }
}

/// `$NAME=VALUE`.
fn definition(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.strip_prefix('$')?.split_once('=')?;
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    is_name.then(|| (name, value.trim()))
}

fn tokens(text: &str, at: &Place) -> Result<Vec<Token>, Bad> {
    let mut tokens = Vec::new();
    let mut word: Option<(String, bool)> = None;
    let mut variable = false;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let end = |word: &mut Option<(String, bool)>, tokens: &mut Vec<Token>| {
            tokens.extend(word.take().map(|(text, quoted)| Token::Word { text, quoted }));
        };
        let so_far = word.as_ref().map_or("", |(text, _)| text);
        match c {
            '!' | '#' => break,
            '"' | '\'' => {
                let (text, _) = word.take().unwrap_or_default();
                word = Some((quoted(text, c, &mut chars, at)?, true));
            }
            '{' if so_far.ends_with('$') => {
                variable = true;
                word.get_or_insert_default().0.push(c);
            }
            '}' if variable => {
                variable = false;
                word.get_or_insert_default().0.push(c);
            }
            '{' => {
                end(&mut word, &mut tokens);
                tokens.push(Token::Open);
            }
            '}' => {
                end(&mut word, &mut tokens);
                tokens.push(Token::Close);
            }
            '\\' => word.get_or_insert_default().0.extend(chars.next()),
            _ if c.is_whitespace() => {
                variable = false;
                end(&mut word, &mut tokens);
            }
            _ => word.get_or_insert_default().0.push(c),
        }
    }
    tokens.extend(word.map(|(text, quoted)| Token::Word { text, quoted }));
    Ok(tokens)
}

/// On to the closing quote.
fn quoted(mut text: String, quote: char, chars: &mut core::str::Chars, at: &Place) -> Result<String, Bad> {
    while let Some(c) = chars.next() {
        match c {
            '\\' => text.extend(chars.next()),
            _ if c == quote => return Ok(text),
            _ => text.push(c),
        }
    }
    Err(Bad::new(at, "a quote is opened here and not closed on this line"))
}
