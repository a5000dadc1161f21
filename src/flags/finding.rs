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

/// All findings so far, each once.
#[derive(Clone, Debug, Default)]
pub struct Findings(Vec<Finding>);

impl Findings {
    fn add(&mut self, severity: Severity, text: String) {
        let finding = Finding { severity, text };
        if !self.0.contains(&finding) {
            self.0.push(finding);
        }
    }

    /// Runs, but perhaps not as meant.
    pub fn warn(&mut self, text: impl Into<String>) {
        self.add(Severity::Warning, text.into());
    }

    /// Does not fit.
    pub fn config(&mut self, text: impl Into<String>) {
        self.add(Severity::Config, text.into());
    }

    /// Cannot be read.
    pub fn usage(&mut self, text: impl Into<String>) {
        self.add(Severity::Usage, text.into());
    }

    /// The value of a flag, or a finding on why it is none.
    pub fn value<T>(&mut self, flag: &str, text: &str, read: Result<T, String>) -> Option<T> {
        read.map_err(|why| self.usage(format!("--{flag} {text}: {why}"))).ok()
    }

    /// Nothing that stops `run`.
    pub fn is_usable(&self) -> bool {
        self.0.iter().all(|finding| finding.severity == Severity::Warning)
    }

    /// All of them, in the order found.
    pub fn into_vec(self) -> Vec<Finding> {
        self.0
    }
}
