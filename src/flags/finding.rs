//! What is wrong with the flags, collected so that a person sees all of it at once.

use core::fmt;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It runs, but perhaps not as meant. Logged.
    Warning,
    /// The flags do not fit each other or this machine: exit 78.
    Config,
    /// A flag or its value cannot be read: exit 64.
    Usage,
}

/// One line on one flag: what is wrong, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// The line.
    pub text: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
