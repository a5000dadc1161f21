//! What came of the files: a verdict for each statement, and the commands they make together. Pure.

use core::fmt;
use std::rc::Rc;

/// Where something stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: Rc<str>,
    /// Its line, from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.line)
    }
}

/// A file that cannot be read as what it is: where, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The line that is wrong.
    pub at: Place,
    /// For the person who wrote it.
    pub why: String,
}

impl Bad {
    /// At a place, because.
    pub fn new(at: &Place, why: impl AsRef<str>) -> Self {
        Self { at: at.clone(), why: owned(why.as_ref()) }
    }
}

impl fmt::Display for Bad {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.at, self.why)
    }
}

/// One flag; without value where the flag has none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flag {
    /// With its dashes.
    pub name: &'static str,
    /// As the command line takes it, unquoted.
    pub value: Option<String>,
}

impl Flag {
    /// `--name value`.
    pub fn new(name: &'static str, value: impl AsRef<str>) -> Self {
        Self { name, value: Some(owned(value.as_ref())) }
    }

    /// As words of the command line, unquoted.
    pub fn words(&self) -> Vec<String> {
        match &self.value {
            // It may stand alone, so that a value must be joined to it.
            Some(value) if self.name == "--update" && value == "swarm" => vec![self.name.to_owned()],
            Some(value) if self.name == "--update" => vec![[self.name, "=", value].concat()],
            Some(value) => vec![self.name.to_owned(), value.clone()],
            None => vec![self.name.to_owned()],
        }
    }

    /// `--name` alone.
    pub fn bare(name: &'static str) -> Self {
        Self { name, value: None }
    }
}

/// What becomes of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The flags beside it mean the same; without flags it is what happens anyway, or part of another line's flag.
    Same,
    /// Its flags come nearest, and `why` says what is different.
    Differs,
    /// Nothing here does it; `why` says why, or what to do.
    Nothing,
    /// Not understood.
    Unknown,
}

/// One statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where.
    pub at: Place,
    /// The statement, without secrets.
    pub said: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What it is here.
    pub flags: Vec<Flag>,
    /// For the person; empty where flags say it all.
    pub why: String,
}

impl Line {
    /// With a verdict and a reason.
    pub fn new(at: &Place, said: impl AsRef<str>, verdict: Verdict, why: impl AsRef<str>) -> Self {
        Self::of(at, said.as_ref(), verdict, why.as_ref())
    }

    /// Called from everywhere: once in the binary.
    #[inline(never)]
    fn of(at: &Place, said: &str, verdict: Verdict, why: &str) -> Self {
        Self { at: at.clone(), said: said.to_owned(), verdict, flags: Vec::new(), why: why.to_owned() }
    }

    /// Exactly this flag.
    pub fn flag(at: &Place, said: impl AsRef<str>, flag: Flag) -> Self {
        Self::of(at, said.as_ref(), Verdict::Same, "").with(flag)
    }

    /// This flag, too. No flag takes a line break or its like, and what is printed must not break at one; nor may a value
    /// be taken for a flag.
    #[must_use]
    #[inline(never)]
    pub fn with(mut self, flag: Flag) -> Self {
        if flag.value.as_ref().is_some_and(|value| value.contains(char::is_control) || value.starts_with('-'))
        {
            self.verdict = Verdict::Unknown;
            "holds what no flag takes".clone_into(&mut self.why);
        } else {
            self.flags.push(flag);
        }
        self
    }

    /// Nothing more is known about it.
    pub fn unknown(at: &Place, said: impl AsRef<str>, why: impl AsRef<str>) -> Self {
        Self::of(at, said.as_ref(), Verdict::Unknown, why.as_ref())
    }
}

/// A flag of a command, and the statements behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The flag.
    pub flag: Flag,
    /// Places and statements.
    pub from: Vec<(Place, String)>,
}

/// One command line: one for all nodes, or one for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Command {
    /// The files of the nodes it is for; empty for all of them.
    pub whose: String,
    /// In the order in which they are given.
    pub flags: Vec<Given>,
}

impl Command {
    /// Adds a flag, or one more statement behind it where it is there already.
    pub fn give(&mut self, flag: Flag, at: &Place, said: &str) {
        let from = (at.clone(), said.to_owned());
        match self.flags.iter_mut().find(|given| given.flag == flag) {
            Some(given) if given.from.contains(&from) => {}
            Some(given) => given.from.push(from),
            None => self.flags.push(Given { flag, from: vec![from] }),
        }
    }

    /// Is this flag given?
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|given| given.flag.name == name)
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// At least one where anything was translated.
    pub commands: Vec<Command>,
    /// Every statement once.
    pub lines: Vec<Line>,
    /// What to know about the commands: hints, and why there are several.
    pub hints: Vec<String>,
}

impl Sheet {
    /// Was something not understood?
    pub fn has_unknown(&self) -> bool {
        self.lines.iter().any(|line| line.verdict == Verdict::Unknown)
    }
}

/// Once in the binary.
#[inline(never)]
fn owned(text: &str) -> String {
    text.to_owned()
}

/// Puts a short list in order; equals stay as they were. Smaller than std's sort for each type again.
pub fn ordered<T>(items: &mut [T], key: &dyn Fn(&T) -> usize) {
    for end in 1..items.len() {
        for at in (1..=end).rev() {
            if key(&items[at - 1]) <= key(&items[at]) {
                break;
            }
            items.swap(at - 1, at);
        }
    }
}
