//! `--board`: which board's file is taken, and its flags put among those of the command line, which win.

use core::fmt;
use std::ffi::OsString;

use clap::ArgMatches;
use clap::parser::ValueSource;

use crate::boards::{self, Board};

/// The board whose flags apply, and what it set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// As `--board` names it; empty for a command without it.
    pub name: &'static str,
    /// What the device tree calls this machine; empty without one.
    pub model: String,
    flags: Vec<(&'static str, &'static str)>,
}

impl Taken {
    /// For a command with these flags on a machine of this model.
    pub(super) fn choose(given: Option<&ArgMatches>, model: &str) -> Self {
        let Some((given, wanted)) = given.and_then(|given| Some((given, wanted(given)?))) else {
            return Self::default();
        };
        let board = boards::named(wanted).unwrap_or_else(|| boards::of_model(model));
        Self { name: board.name, model: model.to_owned(), flags: not_given(board, given) }
    }

    /// The arguments with the board's behind the name of the command: before any `--vrid`, so that they are the first
    /// router's, from whom the others inherit.
    pub(super) fn with(&self, args: &[OsString]) -> Vec<OsString> {
        let (command, rest) = args.split_at(args.len().min(2));
        let own = self.flags.iter().map(|(flag, value)| format!("--{flag}={value}").into());
        command.iter().cloned().chain(own).chain(rest.iter().cloned()).collect()
    }

    /// Is this machine a Raspberry Pi?
    pub fn is_pi(&self) -> bool {
        self.model.starts_with("Raspberry Pi")
    }
}

/// `auto` or a name, where the command has the flag.
fn wanted(given: &ArgMatches) -> Option<&str> {
    given.try_get_one::<String>("board").ok().flatten().map(String::as_str)
}

fn not_given(board: Board, given: &ArgMatches) -> Vec<(&'static str, &'static str)> {
    let is_given = |flag: &str| given.value_source(&flag.replace('-', "_")) == Some(ValueSource::CommandLine);
    board.flags().filter(|(flag, _)| !is_given(flag)).collect()
}

impl fmt::Display for Taken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)?;
        if !self.model.is_empty() {
            write!(f, " ({})", self.model)?;
        }
        for (flag, value) in &self.flags {
            write!(f, " --{flag} {value}")?;
        }
        Ok(())
    }
}
