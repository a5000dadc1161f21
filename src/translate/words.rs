//! keepalived's files as statements: words, quotes, comments, braces, `$VAR` definitions, includes. Pure: the text of
//! included files comes from a function.
//!
//! keepalived has one statement a line; here several may share a line, told apart by the table of keywords.

use super::keywords;
use super::sheet::{Bad, Place, Text, is_name, joined, text};

/// Blocks in blocks: keepalived itself has four.
const MAX_DEPTH: usize = 16;
/// Files that include files.
const MAX_INCLUDES: usize = 8;
/// A line with its variables filled in: variables of variables could grow without end.
const MAX_LINE: usize = 64 * 1024;

/// `$NAME=VALUE` lines: a site has a dozen.
const MAX_VARIABLES: usize = 1000;

/// One statement: `interface eth0`, or `vrrp_instance VI_1 { … }`.
pub struct Statement {
    /// Where it begins.
    pub at: Place,
    /// Its keyword and what follows. Never empty.
    pub words: Vec<Text>,
    /// What stands in its braces.
    pub body: Option<Vec<Statement>>,
}

impl Statement {
    /// Its first word.
    pub fn keyword(&self) -> Text {
        self.word(0)
    }

    /// The word at `at`; the keyword is word 0.
    #[inline(never)]
    pub fn word(&self, at: usize) -> Text {
        self.words.get(at).copied().unwrap_or_default()
    }

    /// In its braces, or nothing.
    #[inline(never)]
    pub fn inside(&self) -> &[Self] {
        self.body.as_deref().unwrap_or_default()
    }

    /// As it was written, on one line.
    #[inline(never)]
    pub fn said(&self) -> Text {
        text(&[joined(&self.words, " "), if self.body.is_some() { " {…}" } else { "" }])
    }
}

/// Name and text of each file that a pattern names, seen from the file that says it.
pub type Include<'a> = &'a mut dyn FnMut(&str, &Place) -> Result<Vec<(Text, Text)>, Bad>;

/// Reads a file and what it includes.
pub fn read(file: Text, content: Text, include: Include) -> Result<Vec<Statement>, Bad> {
    let mut reader = Reader { include, variables: Vec::new(), open: Vec::new(), done: Vec::new() };
    reader.file(file, content, 0)?;
    match reader.open.last() {
        Some(open) => Err(Bad::new(&open.at, text(&["the { of ", open.keyword(), " is never closed"]))),
        None => Ok(reader.done),
    }
}

/// A word of a line, and was it in quotes? Braces are words of their own.
struct Word {
    text: String,
    quoted: bool,
    brace: bool,
}

struct Reader<'a> {
    include: Include<'a>,
    /// A later one of a name wins.
    variables: Vec<(Text, Text)>,
    /// Statements whose braces are open, the outermost first.
    open: Vec<Statement>,
    done: Vec<Statement>,
}

impl Reader<'_> {
    fn file(&mut self, file: Text, content: Text, depth: usize) -> Result<(), Bad> {
        let mut lines = (1..).zip(content.lines());
        while let Some((line, said)) = lines.next() {
            let at = Place { file, line };
            let said = self.filled_in(said.trim(), &at)?;
            if let Some((name, value)) = definition(&said) {
                let mut value = value.to_owned();
                while value.ends_with('\\') {
                    value.pop();
                    value.push('\n');
                    let Some((_, more)) = lines.next() else { break };
                    value.push_str(&self.filled_in(more.trim(), &at)?);
                    bounded(&value, &at)?;
                }
                if self.variables.len() == MAX_VARIABLES {
                    return Err(Bad::new(&at, "too many variables"));
                }
                self.variables.push((text(&[name]), text(&[&value])));
                continue;
            }
            for part in said.split('\n') {
                self.line(part, &at, depth)?;
            }
        }
        Ok(())
    }

    fn line(&mut self, said: &str, at: &Place, depth: usize) -> Result<(), Bad> {
        let words = words(said, at)?;
        let mut before = Vec::new();
        for word in words {
            if !word.brace {
                before.push(word);
                continue;
            }
            self.flush(&mut before, at);
            if word.text == "{" {
                self.open(at)?;
            } else {
                let Some(closed) = self.open.pop() else {
                    return Err(Bad::new(at, "this } closes nothing"));
                };
                self.here().push(closed);
            }
        }
        if !before.first().is_some_and(|word| keywords::INCLUDES.contains(&word.text.as_str())) {
            self.flush(&mut before, at);
            return Ok(());
        }
        if depth == MAX_INCLUDES {
            return Err(Bad::new(at, "includes more than 8 files deep: is it an endless include?"));
        }
        let pattern = before.get(1).map_or("", |word| &word.text);
        for (name, content) in (self.include)(pattern, at)? {
            self.file(name, content, depth + 1)?;
        }
        Ok(())
    }

    fn open(&mut self, at: &Place) -> Result<(), Bad> {
        let Some(mut last) = self.here().pop_if(|last| last.body.is_none()) else {
            return Err(Bad::new(at, "this { has no name before it"));
        };
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
    #[inline(never)]
    fn flush(&mut self, words: &mut Vec<Word>, at: &Place) {
        let block = self.open.last().map_or("", Statement::keyword);
        let here = self.here();
        let mut least = 0;
        for word in words.drain(..) {
            let args = if word.quoted { None } else { keywords::args(block, &word.text) };
            let said = text(&[&word.text]);
            match here.last_mut() {
                // Still too short to end here, or no keyword that could begin another.
                Some(last) if least > 0 && (last.words.len() < least || args.is_none()) => {
                    last.words.push(said);
                }
                Some(_) | None => {
                    // `@identity keyword …` is one statement, whatever follows.
                    least = if said.starts_with('@') { usize::MAX } else { 1 + args.unwrap_or(0) };
                    here.push(Statement { at: *at, words: vec![said], body: None });
                }
            }
        }
    }

    /// `$NAME` and `${NAME}` replaced where such a definition came before.
    #[inline(never)]
    fn filled_in(&self, said: &str, at: &Place) -> Result<String, Bad> {
        let mut filled = String::new();
        let mut parts = said.split('$');
        filled.push_str(parts.next().unwrap_or_default());
        for part in parts {
            let bare = part.strip_prefix('{').unwrap_or(part);
            let end = bare.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(bare.len());
            let (name, rest) = bare.split_at(end);
            let defines = filled.is_empty() && rest.starts_with('=');
            let rest = if bare.len() < part.len() { rest.strip_prefix('}') } else { Some(rest) };
            let known = self.variables.iter().rfind(|(known, _)| *known == name);
            if let (Some((_, value)), Some(rest), false) = (known, rest, defines) {
                filled.push_str(value);
                filled.push_str(rest);
            } else {
                filled.push('$');
                filled.push_str(part);
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
    is_name(name).then(|| (name, value.trim()))
}

/// The words of a line, up to a comment.
fn words(said: &str, at: &Place) -> Result<Vec<Word>, Bad> {
    let mut words: Vec<Word> = Vec::new();
    // Does the next character go into the last word?
    let mut goes_on = false;
    let mut variable = false;
    let mut quote = None;
    let mut chars = said.chars();
    while let Some(c) = chars.next() {
        let mut add = Some(c);
        if let Some(mark) = quote {
            if c == mark {
                quote = None;
                add = None;
            } else if c == '\\' {
                add = chars.next();
            }
        } else {
            let after_dollar = goes_on && words.last().is_some_and(|word| word.text.ends_with('$'));
            match c {
                '!' | '#' => return Ok(words),
                '"' | '\'' => {
                    quote = Some(c);
                    add = None;
                }
                '{' if after_dollar => variable = true,
                '}' if variable => variable = false,
                '{' | '}' => {
                    goes_on = false;
                    words.push(Word { text: c.into(), quoted: false, brace: true });
                    continue;
                }
                '\\' => add = chars.next(),
                _ if c.is_whitespace() => {
                    variable = false;
                    goes_on = false;
                    continue;
                }
                _ => {}
            }
        }
        if !goes_on {
            goes_on = true;
            words.push(Word { text: String::new(), quoted: false, brace: false });
        }
        if let Some(last) = words.last_mut() {
            last.quoted |= quote.is_some();
            last.text.extend(add);
        }
    }
    if quote.is_some() {
        Err(Bad::new(at, "a quote is opened here and not closed on this line"))
    } else {
        Ok(words)
    }
}
