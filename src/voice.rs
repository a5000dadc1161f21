//! How a round tells what it does while it does it: to the log in the daemon, to a terminal in a command.

use log::Level;

/// Where a round speaks.
pub trait Voice {
    /// Something has happened or was decided: one line, with its reason.
    fn say(&self, level: Level, line: &str);

    /// How far it has come: replaces what was shown before. Empty when it is over.
    fn progress(&self, line: &str);

    /// An update begins. For whoever is told of rounds besides; a terminal has read it in a line.
    fn begins(&self, rollout: Rollout<'_>) {
        let _ = rollout;
    }
}

/// An update that begins.
#[derive(Clone, Copy, Debug)]
pub struct Rollout<'a> {
    /// `service` or `container`.
    pub what: &'static str,
    /// Its name.
    pub name: &'a str,
    /// `name:tag`.
    pub image: &'a str,
    /// Digest it runs.
    pub from: &'a str,
    /// Digest it is to run.
    pub to: &'a str,
}
