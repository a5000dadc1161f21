//! What came of the files: a verdict for each statement, and the commands they make together. Pure.
//!
//! Texts live until the process ends, which it does when the translation is printed: so nothing owns them, nothing frees
//! them, and all that holds them is copied as numbers are. Owned ones cost the binary half as much again.

/// A text that nobody has to free.
pub type Text = &'static str;

/// Parts as one text.
#[inline(never)]
pub fn text(parts: &[&str]) -> Text {
    parts.concat().leak()
}

/// A number as text.
#[inline(never)]
pub fn digits(number: usize) -> Text {
    number.to_string().leak()
}

/// Texts with something between them.
#[inline(never)]
pub fn joined(parts: &[Text], between: &str) -> Text {
    parts.join(between).leak()
}

/// Could it be the name of a variable?
#[inline(never)]
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Is a word among others? `words`: apart by blanks.
#[inline(never)]
pub fn is_among(words: &str, word: &str) -> bool {
    words.split(' ').any(|known| known == word)
}

/// Where something stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file, as it was named.
    pub file: Text,
    /// Its line, from 1.
    pub line: usize,
}

impl Place {
    /// `FILE:LINE`.
    pub fn said(&self) -> Text {
        text(&[self.file, ":", digits(self.line)])
    }
}

/// A file that cannot be read as what it is: where, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bad {
    /// The line that is wrong.
    pub at: Place,
    /// For the person who wrote it.
    pub why: Text,
}

impl Bad {
    /// At a place, because.
    pub fn new(at: &Place, why: Text) -> Self {
        Self { at: *at, why }
    }
}

/// One flag; without value where the flag has none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flag {
    /// With its dashes.
    pub name: Text,
    /// As the command line takes it, unquoted.
    pub value: Option<Text>,
}

impl Flag {
    /// `--name value`.
    pub const fn new(name: Text, value: Text) -> Self {
        Self { name, value: Some(value) }
    }

    /// `--name` alone.
    pub const fn bare(name: Text) -> Self {
        Self { name, value: None }
    }

    /// Adds it as words of the command line, unquoted.
    #[inline(never)]
    pub fn words(&self, into: &mut Vec<Text>) {
        match self.value {
            // It may stand alone, so that a value must be joined to it.
            Some(value) if self.name == "--update" && value != "swarm" => {
                into.push(text(&[self.name, "=", value]));
            }
            Some(value) => {
                into.push(self.name);
                if self.name != "--update" {
                    into.push(value);
                }
            }
            None => into.push(self.name),
        }
    }

    /// No flag takes a line break or its like, and what is printed must not break at one; nor may a value be taken for a
    /// flag.
    fn is_sound(&self) -> bool {
        !self.value.is_some_and(|value| value.contains(char::is_control) || value.starts_with('-'))
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line {
    /// Where.
    pub at: Place,
    /// The statement, without secrets.
    pub said: Text,
    /// What becomes of it.
    pub verdict: Verdict,
    /// What it is here.
    pub flags: &'static [Flag],
    /// For the person; empty where flags say it all.
    pub why: Text,
}

impl Line {
    /// Is this flag among its own?
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|flag| flag.name == name)
    }

    /// These flags, too.
    pub fn with(&mut self, flags: &[Flag]) {
        if flags.iter().all(Flag::is_sound) {
            self.flags = [self.flags, flags].concat().leak();
        } else {
            self.verdict = Verdict::Unknown;
            self.why = "holds what no flag takes";
        }
    }
}

/// Statements, one after another.
#[derive(Clone, Debug, Default)]
pub struct Lines(pub Vec<Line>);

impl Lines {
    /// With a verdict and a reason. Called from everywhere, as the others: once in the binary.
    #[inline(never)]
    pub fn add(&mut self, at: &Place, said: Text, verdict: Verdict, why: Text) {
        self.0.push(Line { at: *at, said, verdict, flags: &[], why });
    }

    /// It is in another's flag, or needs none.
    #[inline(never)]
    pub fn same(&mut self, at: &Place, said: Text) {
        self.add(at, said, Verdict::Same, "");
    }

    /// Nothing more is known about it.
    #[inline(never)]
    pub fn unknown(&mut self, at: &Place, said: Text, why: Text) {
        self.add(at, said, Verdict::Unknown, why);
    }

    /// Exactly this flag.
    #[inline(never)]
    pub fn flag(&mut self, at: &Place, said: Text, name: Text, value: Text) {
        self.same(at, said);
        self.with(name, Some(value));
    }

    /// This flag, or `why` says what is different.
    #[inline(never)]
    pub fn near(&mut self, at: &Place, said: Text, why: Text, flag: Flag) {
        self.add(at, said, if why.is_empty() { Verdict::Same } else { Verdict::Differs }, why);
        self.with(flag.name, flag.value);
    }

    /// The last one has this flag, too.
    #[inline(never)]
    pub fn with(&mut self, name: Text, value: Option<Text>) {
        if let Some(last) = self.0.last_mut() {
            last.with(&[Flag { name, value }]);
        }
    }
}

/// A flag of a command, and the statements behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// The flag.
    pub flag: Flag,
    /// Places and statements.
    pub from: Vec<(Place, Text)>,
}

/// One command line: one for all nodes, or one for each.
#[derive(Clone, Debug, Default)]
pub struct Command {
    /// The files of the nodes it is for; empty for all of them.
    pub whose: Text,
    /// In the order in which they are given.
    pub flags: Vec<Given>,
}

impl Command {
    /// Adds a flag, or one more statement behind it where it is there already.
    #[inline(never)]
    pub fn give(&mut self, flag: &Flag, at: &Place, said: Text) {
        let from = (*at, said);
        for given in &mut self.flags {
            if given.flag == *flag {
                if !given.from.contains(&from) {
                    given.from.push(from);
                }
                return;
            }
        }
        self.flags.push(Given { flag: *flag, from: vec![from] });
    }

    /// Is this flag given?
    #[inline(never)]
    pub fn has(&self, name: &str) -> bool {
        self.flags.iter().any(|given| given.flag.name == name)
    }

    /// Puts its flags in order; equals stay as they were.
    #[inline(never)]
    pub fn order(&mut self, key: &dyn Fn(&str) -> usize) {
        for end in 1..self.flags.len() {
            for at in (1..=end).rev() {
                if key(self.flags[at - 1].flag.name) <= key(self.flags[at].flag.name) {
                    break;
                }
                self.flags.swap(at - 1, at);
            }
        }
    }
}

/// All of it.
#[derive(Clone, Debug, Default)]
pub struct Sheet {
    /// At least one where anything was translated.
    pub commands: Vec<Command>,
    /// Every statement once.
    pub lines: Lines,
    /// What to know about the commands: hints, and why there are several.
    pub hints: Vec<Text>,
}
